import { expect, test } from "vitest";
import { ENVIRONMENT_NAMES } from "../../config.ts";
import { fallbackDiscovery } from "../../discovery/fallback.ts";
import type { ServerModel } from "../../discovery/merge.ts";
import {
	ageNote,
	configWarnings,
	emptyListWarning,
	lateWarning,
	notes,
	runningWarnings,
} from "../../discovery/warnings.ts";
import { AiServerError } from "../../lib/errors.ts";

const MINUTE = 60_000;

test.each([
	[MINUTE, "a minute"],
	[30 * MINUTE, "30 minutes"],
	[5 * 60 * MINUTE, "5 hours"],
	[72 * 60 * MINUTE, "3 days"],
])("%i ms are %s", (elapsed, words) => {
	const kept = { ...fallbackDiscovery(), source: "cache", seenAt: 0 } as const;
	expect(ageNote(kept, elapsed)).toBe(`The list as it was ${words} ago`);
});

test("the built-in list has no age", () => {
	expect(ageNote(fallbackDiscovery(), 0)).toBe("Built-in list; the server was never reached");
});

test("a warning names the setting that its error is about", () => {
	const error = new AiServerError("ssh", "No SSH server listens", {
		hint: "Check the SSH target",
		setting: "sshHost",
	});
	expect(configWarnings(error, [], ENVIRONMENT_NAMES)).toEqual([
		"The server's config could not be read: No SSH server listens. Check the SSH target (AI_SERVER_SSH_HOST)",
	]);
	expect(runningWarnings(error, ENVIRONMENT_NAMES)).toEqual([
		"Which models are loaded is unknown: No SSH server listens. Check the SSH target (AI_SERVER_SSH_HOST)",
	]);
});

const model = (id: string, contextOrigin: ServerModel["contextOrigin"]): ServerModel => {
	const [first] = fallbackDiscovery().models;
	return { ...(first as ServerModel), id, contextOrigin };
};

test("a config that is late is said for the windows that are guesses, or may be too large", () => {
	const said = (...models: readonly ServerModel[]): string | undefined =>
		lateWarning(models, ENVIRONMENT_NAMES);
	const line = (ids: string): string =>
		`The server's config has not come over SSH in time. Context windows that may be wrong: ${ids}. Try again; without SSH, set the SSH host to none (AI_SERVER_SSH_HOST)`;
	expect(said(model("a", "guess"), model("b", "config"))).toBe(line("a"));
	expect(said(model("a", "config"), model("b", "command"))).toBe(line("a, b"));
	expect(said(model("a", "server"), model("b", "declared"), model("c", "cache"))).toBeUndefined();
});

const missing = new AiServerError("http", "HTTP 404", { status: 404 });

test("an unknown window has a hint that can be followed", () => {
	const peer = { ...model("far", "guess"), peer: "box" };
	const [own, foreign] = notes([model("a", "guess"), peer], undefined);
	expect(own).toMatch(/taken as 32768: a\. Give the model's cmd a --ctx-size$/);
	expect(foreign).toMatch(/taken as 32768: far\. Set their contextWindow in pi's models\.json/);
	expect(notes([model("plain", "guess")], missing)[0]).toMatch(/plain\. Set their contextWindow/);
});

test("two sizes of a model are both named", () => {
	const sized = (id: string, contextWindow: number, tokens: number): ServerModel => ({
		...model(id, "config"),
		contextWindow,
		disproved: { tokens, origin: "declared" },
	});
	expect(notes([sized("m", 32_768, 131_072), model("n", "config")], undefined)).toEqual([
		"Two context windows, of which the smaller one is used: m (declared 131072, its command gives 32768)",
	]);
	const other: ServerModel = {
		...model("m", "declared"),
		contextWindow: 4096,
		disproved: { tokens: 8192, origin: "command" },
	};
	expect(notes([other], undefined)[0]).toMatch(/m \(declared 4096, its command gives 8192\)$/);
});

test("a list without a chat model names what there is", () => {
	expect(emptyListWarning([])).toMatch(/^The server lists no models\./);
	expect(emptyListWarning([model("bge-m3", "guess")])).toMatch(
		/^The server lists no model that can chat, only bge-m3\./,
	);
});
