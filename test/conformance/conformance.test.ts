import { afterAll, beforeAll, expect, test } from "vitest";
import { HOSTS, type Host } from "../../hosts/hosts.ts";
import { ROWS } from "./rows/all.ts";
import { readRecorded } from "./rows/recorded.ts";
import { judge } from "./runner/judge.ts";
import type { Outcome, Row } from "./runner/scenario.ts";
import { type ScriptServer, startScript } from "./runner/server.ts";
import { runHost, runOurs } from "./runner/sides.ts";

const RECORDED = await readRecorded();
const ALL = [...ROWS, ...RECORDED];
const RECORDED_AT = RECORDED.map(({ name }, at) => [name, ROWS.length + at] as const);
const [NEWEST, OLDEST] = HOSTS;

let server: ScriptServer;
let ours: readonly Outcome[];
const theirs = new Map<Host, readonly Outcome[]>();

beforeAll(async () => {
	server = await startScript(ALL);
	const [own, ...hosts] = await Promise.all([
		runOurs(ALL, server),
		...HOSTS.map((host) => runHost(host, ALL, server)),
	]);
	ours = own;
	for (const [at, host] of HOSTS.entries()) theirs.set(host, hosts[at] ?? []);
}, 90_000);

afterAll(() => server.close());

const seenOf = (host: Host, at: number): Outcome => theirs.get(host)?.[at] as Outcome;

/** What each side must come to; what a row says nothing of is as on our side. */
function expectedOf({ ours: own, newest = {}, oldest = {} }: Row, body: readonly string[]) {
	const first: Outcome = { wire: "", body, ...own };
	const second: Outcome = { ...first, ...newest };
	return { ours: first, [NEWEST]: second, [OLDEST]: { ...second, ...oldest } };
}

test.each(ROWS.map((row, at) => [row.name, row, at] as const))("%s", (_name, row, at) => {
	const expected = expectedOf(row, ours[at]?.body ?? []);
	expect(ours[at], "ours").toEqual(expected.ours);
	for (const host of HOSTS) expect(seenOf(host, at), `pi ${host}`).toEqual(expected[host]);
	if (row.better === undefined) expect(expected[NEWEST], "a row that is same").toEqual(ours[at]);
	else expect(expected[NEWEST], "a row that is better").not.toEqual(ours[at]);
});

test.each(RECORDED_AT)("%s: the same on all sides, or better in a known way", (_name, at) => {
	for (const host of HOSTS) {
		const seen = { pi: seenOf(host, at), ours: ours[at] as Outcome };
		expect(judge(seen.ours, seen.pi), JSON.stringify(seen, null, 2)).toBeDefined();
	}
});

/** What the checklist of the chat stream asks for: its sections, and the usable files of pi-ai's tests. */
const SECTIONS: readonly (readonly [RegExp, number])[] = [
	[/^A\.[1-6] /, 18],
	[/^C\.[1-7] /, 55],
	...["A.1", "A.2", "A.3", "A.4", "A.5", "A.6", "B.1", "B.2", "B.3"].map(startOf),
	...["C.1", "C.2", "C.3", "C.4", "C.5", "C.6", "C.7"].map(startOf),
	...[
		"stream",
		"abort",
		"tokens",
		"total-tokens",
		"empty",
		"tool-call-without-result",
		"tool-call-id-normalization",
		"image-tool-result",
		"unicode-surrogate",
		"context-overflow",
		"cross-provider-handoff",
		"transform-messages",
		"openai-completions-tool-choice",
		"openai-completions-tool-result-images",
		"openai-codex-stream",
	].map((file) => [new RegExp(`^D ${file}:|\\(D (?:.*, )?${file}[,)]`), 1] as const),
];

function startOf(section: string): readonly [RegExp, number] {
	return [new RegExp(`^${section} `), 2];
}

test.each(SECTIONS)("rows like %s: at least %i", (section, least) => {
	expect(ROWS.filter(({ name }) => section.test(name)).length).toBeGreaterThanOrEqual(least);
});

test("every row has a unique name, ran on every side, and is counted", () => {
	expect(new Set(ALL.map(({ name }) => name)).size).toBe(ALL.length);
	const ran = [ours, ...theirs.values()].map((side) => side.filter(({ events }) => events !== ""));
	expect(ran.map(({ length }) => length)).toEqual([ALL.length, ALL.length, ALL.length]);

	const better = ROWS.filter((row) => row.better !== undefined).length;
	const reasons = RECORDED_AT.map(
		([, at]) => judge(ours[at] as Outcome, seenOf(NEWEST, at)) ?? ["unknown"],
	);
	const explained = reasons.filter(({ length }) => length > 0).length;
	const line = (what: string, more: number, all: number): string =>
		`${what}: ${all - more} same, ${more} better, ${all} rows`;
	console.log(line("conformance, scripted", better, ROWS.length));
	console.log(line("conformance, recorded", explained, RECORDED.length));
	for (const [why, rows] of Map.groupBy(reasons.flat(), (reason) => reason)) {
		console.log(`  ${rows.length} times: ${why}`);
	}
	console.log(line("conformance", better + explained, ALL.length));
	expect(RECORDED.length).toBeGreaterThan(200);
});
