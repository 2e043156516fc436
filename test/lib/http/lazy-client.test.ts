import { expect, test } from "vitest";
import { AiServerError } from "../../../lib/errors.ts";
import { lazyHttp } from "../../../lib/http/lazy-client.ts";
import type { WarmHttp } from "../../../lib/http/types.ts";
import { scriptedHttp } from "../../support/scripted-http.ts";

function counted(): { readonly http: WarmHttp; readonly log: string[] } {
	const log: string[] = [];
	const open = async (): Promise<WarmHttp> => {
		log.push("open");
		const answer = { status: 200, headers: {}, chunks: [] };
		return { ...scriptedHttp(answer), warm: async () => void log.push("warm") };
	};
	return { http: lazyHttp(open), log };
}

test("opening ahead opens, once", async () => {
	const { http, log } = counted();
	await http.warm();
	await http.warm();
	await http.request({ path: "/" });
	expect(log).toEqual(["open", "warm", "warm"]);
});

test("what is closed is not opened ahead", async () => {
	const { http, log } = counted();
	await http.warm();
	await http.close();
	await http.warm();
	expect(log).toEqual(["open", "warm"]);
});

test("an unusable setting is reported by the request alone", async () => {
	const failure = new AiServerError("settings", "No URL");
	const http = lazyHttp(() => Promise.reject(failure));
	await expect(http.warm()).resolves.toBeUndefined();
	await expect(http.request({ path: "/" })).rejects.toBe(failure);
});
