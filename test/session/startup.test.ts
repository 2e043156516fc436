import { expect, test } from "vitest";
import { ENVIRONMENT_NAMES } from "../../config.ts";
import { fallbackDiscovery } from "../../discovery/fallback.ts";
import type { Discovery } from "../../discovery.ts";
import { AiServerError } from "../../lib/errors.ts";
import { startReport, waitForModels } from "../../session/startup.ts";

const LIST: Discovery = { ...fallbackDiscovery(), source: "server", seenAt: 0 };
const MINUTE = 60_000;

/** Starts with a kept list of this age, and tells what was asked and how long the start waited. */
async function start(
	age: number | undefined,
	refresh: () => Promise<Discovery> = async () => LIST,
): Promise<{
	readonly log: readonly string[];
	readonly rest: (hasUI: boolean) => Promise<unknown>;
}> {
	const log: string[] = [];
	const catalog = {
		restore: async () => age,
		refresh: ({ quick = false } = {}) => {
			log.push(quick ? "quick" : "whole");
			return refresh();
		},
	};
	const rest = await waitForModels(catalog, async (milliseconds, work) => {
		log.push(`${milliseconds} ms`);
		await work;
	});
	return { log, rest: (hasUI) => rest({ hasUI }) };
}

test("without a kept list the whole of it is asked for once", async () => {
	const { log, rest } = await start(undefined);
	expect(await rest(true)).toBe(LIST);
	expect(log).toEqual(["whole", "2500 ms"]);
});

test("with an older list the start is quick, and the config file is read afterwards", async () => {
	const { log, rest } = await start(11 * MINUTE);
	expect(await rest(false)).toBe(LIST);
	expect(log).toEqual(["quick", "400 ms", "whole"]);
});

test.each([
	[true, ["whole"]],
	[false, []],
])(
	"a young list is taken as it is; with a user (%s) it is asked for again",
	async (hasUI, asked) => {
		const { log, rest } = await start(9 * MINUTE);
		expect(log).toEqual([]);
		await rest(hasUI);
		expect(log).toEqual(asked);
	},
);

test("a server that cannot be asked does not stop the start; the rest rejects", async () => {
	const gone = new Error("gone");
	const { rest } = await start(undefined, () => Promise.reject(gone));
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
