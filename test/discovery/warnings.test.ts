import { expect, test } from "vitest";
import { ENVIRONMENT_NAMES } from "../../config.ts";
import { fallbackDiscovery } from "../../discovery/fallback.ts";
import type { ServerModel } from "../../discovery/merge.ts";
import { ageNote, configWarnings, lateWarning, runningWarnings } from "../../discovery/warnings.ts";
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
