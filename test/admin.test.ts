import { expect, test } from "vitest";
import { type Admin, createAdmin } from "../admin.ts";
import { loadSettings } from "../config.ts";
import { AiServerError } from "../lib/errors.ts";
import type { Http, HttpRequest } from "../lib/http/types.ts";
import type { Ssh } from "../lib/ssh/types.ts";

interface Answer {
	readonly status?: number;
	readonly body?: string;
	readonly headers?: Readonly<Record<string, string>>;
}

function rig(
	answer: Answer | Error | "never",
	yaml = "",
): { readonly admin: Admin; readonly asked: HttpRequest[] } {
	const asked: HttpRequest[] = [];
	const http: Http = {
		async request(request) {
			asked.push(request);
			if (answer instanceof Error) throw answer;
			if (answer === "never") return aborted(request.signal);
			const bytes = new TextEncoder().encode(answer.body ?? "");
			const body = {
				destroy: () => undefined,
				async *[Symbol.asyncIterator]() {
					yield bytes;
				},
			};
			return { status: answer.status ?? 200, headers: answer.headers ?? {}, body };
		},
		close: async () => undefined,
	};
	const refuses = (): Promise<never> => Promise.reject(new Error("only readFile is served"));
	const ssh: Ssh = {
		target: "demo@box",
		readFile: async (path) => Buffer.from(`# ${path}\n${yaml}`),
		readRange: refuses,
		exec: refuses,
		withSftp: refuses,
		close: () => undefined,
	};
	const { routes, configPath } = loadSettings({}, "/home/me");
	const service = () => ({ scope: "user", unit: "llama-swap.service", user: "demo" }) as const;
	return {
		admin: createAdmin({
			routes,
			configPath,
			http,
			ssh,
			service,
			keySent: false,
		}),
		asked,
	};
}

/** Rejects when the request is aborted. */
function aborted(signal: AbortSignal | undefined): Promise<never> {
	return new Promise((_resolve, reject) => {
		signal?.addEventListener("abort", () => reject(signal.reason), { once: true });
	});
}

const sent = (asked: readonly HttpRequest[]): unknown =>
	asked.map(({ method = "GET", path }) => `${method} ${path}`);

test.each<[string, (admin: Admin) => Promise<unknown>, string]>([
	["load", (admin) => admin.load("author/m:q4"), "GET /upstream/author/m%3Aq4/health"],
	["unload", (admin) => admin.unload("a b"), "POST /api/models/unload/a%20b"],
	["unloadAll", (admin) => admin.unloadAll(), "POST /api/models/unload"],
])("%s asks the right page, and a plain-text OK is fine", async (_name, act, line) => {
	const { admin, asked } = rig({ body: "OK" });
	await act(admin);
	expect(sent(asked)).toEqual([line]);
});

test("lists and running models are read", async () => {
	const list = rig({ body: '{"data":[{"id":"a"}]}' });
	expect(await list.admin.listModels()).toEqual([{ id: "a", name: undefined, images: undefined }]);
	const running = rig({ body: '{"running":[{"model":"a","state":"ready"}]}' });
	expect(await running.admin.listRunning()).toEqual([{ id: "a", state: "ready", cmd: undefined }]);
	expect(sent([...list.asked, ...running.asked])).toEqual(["GET /v1/models", "GET /running"]);
});

test("the config is read at its path", async () => {
	const { admin } = rig({}, "models:\n  m:\n    cmd: llama-server -c 4096\n");
	expect(await admin.readPreset()).toContain("# ~/.config/llama-swap/config.yaml");
	const { models } = await admin.readConfig();
	expect([...models.values()].map(({ id, launch }) => [id, launch.contextSize])).toEqual([
		["m", 4096],
	]);
});

test("an error status carries code, status and the server's words", async () => {
	const { admin } = rig({
		status: 500,
		body: '{"src":"llama-swap","error":"unspecific error: x"}',
	});
	await expect(admin.load("m")).rejects.toMatchObject({
		code: "http",
		status: 500,
		message: "HTTP 500 for loading m: x",
	});
});

test("a redirect names where to", async () => {
	const { admin } = rig({ status: 302, headers: { location: "https://login/" } });
	await expect(admin.listModels()).rejects.toThrow("redirects the model list to https://login/");
});

test("an abort and an error of the connection pass through as they are", async () => {
	const error = new AiServerError("network", "gone");
	await expect(rig(error).admin.listModels()).rejects.toBe(error);
	const reason = new Error("stopped");
	const { admin } = rig(reason);
	await expect(admin.load("m", AbortSignal.abort(reason))).rejects.toBe(reason);
});

test.each<[string, (admin: Admin, signal: AbortSignal) => Promise<unknown>]>([
	["listModels", (admin, signal) => admin.listModels(signal)],
	["listRunning", (admin, signal) => admin.listRunning(signal)],
	["load", (admin, signal) => admin.load("m", signal)],
	["unload", (admin, signal) => admin.unload("m", signal)],
	["unloadAll", (admin, signal) => admin.unloadAll(signal)],
	["readProps", (admin, signal) => admin.readProps("m", signal)],
	["version", (admin, signal) => admin.version(signal)],
])("%s ends at once when its caller stops it, and its request with it", async (_name, act) => {
	const { admin, asked } = rig("never");
	const caller = new AbortController();
	const done = act(admin, caller.signal);
	await expect.poll(() => asked.length).toBe(1);
	expect(asked[0]?.signal?.aborted).toBe(false);
	const reason = new Error("stopped");
	caller.abort(reason);
	await expect(done).rejects.toBe(reason);
	expect(asked[0]?.signal?.aborted).toBe(true);
});
