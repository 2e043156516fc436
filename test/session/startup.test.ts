import { expect, test } from "vitest";
import { ENVIRONMENT_NAMES } from "../../config.ts";
import type { KeptList } from "../../discovery/catalog.ts";
import { fallbackDiscovery } from "../../discovery/fallback.ts";
import type { Discovery } from "../../discovery.ts";
import { AiServerError } from "../../lib/errors.ts";
import type { StartMode } from "../../session/start-mode.ts";
import { startReport, waitForModels } from "../../session/startup.ts";

const LIST: Discovery = { ...fallbackDiscovery(), source: "server", seenAt: 0, isComplete: true };
const GUESSES: Discovery = { ...LIST, isComplete: false };
const MINUTE = 60_000;

interface Beginning {
	readonly mode?: StartMode;
	readonly kept?: KeptList;
	/** What is published before the whole list is there; undefined for a server that does not answer. */
	readonly part?: Discovery;
	/** Never by default. */
	readonly whole?: Promise<Discovery>;
}

/** Starts, and tells what was asked, how long the start waited, and what it said. */
async function start({ mode = "live", kept, part, whole }: Beginning): Promise<{
	readonly log: readonly string[];
	readonly rest: (hasUI: boolean) => Promise<unknown>;
}> {
	const log: string[] = [];
	let current: Discovery = fallbackDiscovery();
	let tell: () => void = () => undefined;
	const catalog = {
		restore: async () => kept,
		current: () => current,
		onChange: (listener: () => void) => {
			tell = listener;
			return () => undefined;
		},
		refresh: async ({ quick = false } = {}) => {
			log.push(quick ? "quick" : "whole");
			if (part !== undefined) {
				current = part;
				tell();
			}
			current = (await whole) ?? (await new Promise<never>(() => undefined));
			return current;
		},
	};
	const rest = await waitForModels(catalog, {
		mode,
		warn: (line) => log.push(line),
		names: ENVIRONMENT_NAMES,
		// As long as the test's server takes, and then the time is up.
		wait: async (milliseconds, work) => {
			const late = new Promise((resolve) => setTimeout(resolve, milliseconds / 50, "late"));
			if ((await Promise.race([work, late])) === "late") log.push(`${milliseconds} ms`);
		},
	});
	return { log, rest: (hasUI) => rest({ hasUI }) };
}

const old = { age: 11 * MINUTE, isComplete: true };
const young = { age: 9 * MINUTE, isComplete: true };
const incomplete = { age: MINUTE, isComplete: false };
const LATE = expect.stringMatching(
	/^ai-server: The server's config has not come over SSH in time. Context windows that may be wrong: .*\. Try again; without SSH, set the SSH host to none \(AI_SERVER_SSH_HOST\)$/,
);

test.each<[string, Beginning, readonly unknown[]]>([
	["live session takes what HTTP told", { part: GUESSES }, ["whole"]],
	["live session waits for HTTP a while", {}, ["whole", "2500 ms"]],
	["live session with an incomplete list waits for nothing", { kept: incomplete }, ["whole"]],
	[
		"live session with an old and incomplete list waits for HTTP",
		{ kept: { ...old, isComplete: false } },
		["whole", "400 ms"],
	],
	["old list is asked for quickly", { kept: old, part: LIST }, ["quick", "400 ms"]],
	["old list that comes", { kept: old, whole: Promise.resolve(LIST) }, ["quick"]],
	["young list costs nothing", { mode: "print", kept: young }, []],
	["young list costs nothing", { mode: "list", kept: young }, []],
	[
		"printed answer waits for SSH",
		{ mode: "print", part: GUESSES, whole: Promise.resolve(LIST) },
		["whole"],
	],
	[
		"list waits for SSH, and says when it was late",
		{ mode: "list", part: GUESSES },
		["whole", "5000 ms", LATE],
	],
	["printed answer does so too", { mode: "print", part: GUESSES }, ["whole", "5000 ms", LATE]],
	[
		"list of guesses is not taken for young",
		{ mode: "list", kept: incomplete, part: GUESSES },
		["whole", "5000 ms", LATE],
	],
	["server that does not answer is not waited for longer", { mode: "list" }, ["whole", "2500 ms"]],
	[
		"list without windows to guess waits no longer than for them",
		{ mode: "list", part: LIST, whole: Promise.resolve(LIST) },
		["whole"],
	],
])("a %s", async (_what, beginning, expected) => {
	const { log } = await start(beginning);
	expect(log).toEqual(expected);
});

test.each<[StartMode, readonly string[]]>([
	["list", ["whole", "ai-server: no ssh"]],
	["print", ["whole"]], // the session reports it
])("what failed is reported once: %s", async (mode, expected) => {
	const failed = { ...GUESSES, warnings: ["no ssh"] };
	const { log } = await start({ mode, part: GUESSES, whole: Promise.resolve(failed) });
	expect(log).toEqual(expected);
});

test("the rest of a start is what it has begun, or the whole list for a person", async () => {
	const whole = Promise.resolve(LIST);
	const first = await start({ whole });
	expect(await first.rest(true)).toBe(LIST);
	expect(first.log).toEqual(["whole"]);
	const quick = await start({ kept: old, whole });
	expect(await quick.rest(false)).toBe(LIST);
	expect(quick.log).toEqual(["quick", "whole"]);
	const script = await start({ kept: young, whole });
	await script.rest(false);
	expect(script.log).toEqual([]);
	await script.rest(true);
	expect(script.log).toEqual(["whole"]);
});

test("a server that cannot be asked does not stop the start; the rest rejects", async () => {
	const gone = new Error("gone");
	const { rest } = await start({ whole: Promise.reject(gone) });
	await expect(rest(true)).rejects.toBe(gone);
});

const none = { failure: undefined, problems: [], now: 0, names: ENVIRONMENT_NAMES };

test("a start without an error reports nothing, and warnings as they are", () => {
	expect(startReport({ ...LIST, guesses: ["a guess"] }, none)).toEqual([]);
	expect(startReport({ ...LIST, warnings: ["no ssh"] }, none)).toEqual(["no ssh"]);
});

test("a setting that fails every request is reported once, with the age of the list", () => {
	const bad = new AiServerError("settings", "AI_SERVER_URL is not a URL");
	const other = new AiServerError("settings", "Odd port", { hint: "Check it", setting: "sshHost" });
	const report = (failure: Error): readonly string[] =>
		startReport(fallbackDiscovery(), { ...none, failure, problems: [other, bad] });
	expect(report(bad)).toEqual([
		"Odd port. Check it (AI_SERVER_SSH_HOST)",
		"AI_SERVER_URL is not a URL. Built-in list; the server was never reached",
	]);
	expect(report(new Error("gone"))).toEqual([
		"Odd port. Check it (AI_SERVER_SSH_HOST)",
		"AI_SERVER_URL is not a URL",
		"gone. Built-in list; the server was never reached",
	]);
});
