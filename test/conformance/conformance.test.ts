import { writeFileSync } from "node:fs";
import { afterAll, beforeAll, expect, test } from "vitest";
import { HOSTS, type Host } from "../../hosts/hosts.ts";
import { ROWS } from "./rows.ts";
import type { Outcome, Row } from "./scenario.ts";
import { type ScriptServer, startScript } from "./server.ts";
import { runHost, runOurs } from "./sides.ts";

let server: ScriptServer;
let ours: Outcome[];
const theirs = new Map<Host, Outcome[]>();

beforeAll(async () => {
	server = await startScript(ROWS);
	const [own, ...hosts] = await Promise.all([
		runOurs(ROWS, server),
		...HOSTS.map((host) => runHost(host, ROWS, server)),
	]);
	ours = own;
	for (const [at, host] of HOSTS.entries()) theirs.set(host, hosts[at] ?? []);
	const dump = process.env["CONFORMANCE_DUMP"];
	if (dump !== undefined)
		writeFileSync(
			dump,
			JSON.stringify(
				ROWS.map((row, at) => ({
					row,
					ours: ours[at],
					newest: theirs.get(HOSTS[0])?.[at],
					oldest: theirs.get("0.87.1")?.[at],
				})),
			),
		);
}, 90_000);

afterAll(() => server.close());

/** Facets that a row says nothing of are as on our side. */
function expectedOf({ ours: own, newest = {}, oldest = {} }: Row, seen: Outcome | undefined) {
	const unsaid = { body: seen?.body ?? [], wire: "" };
	const first = { ...unsaid, ...own };
	const second = { ...first, ...newest };
	return { ours: first, "1.5.2": second, "0.87.1": { ...second, ...oldest } };
}

test.each(ROWS.map((row, at) => [row.name, row, at] as const))("%s", (_name, row, at) => {
	const expected = expectedOf(row, ours[at]);
	expect(ours[at], "ours").toEqual(expected.ours);
	for (const host of HOSTS) expect(theirs.get(host)?.[at], host).toEqual(expected[host]);
	if (row.better === undefined) expect(expected["1.5.2"], "tagged same").toEqual(expected.ours);
	else expect(expected["1.5.2"], "tagged better").not.toEqual(expected.ours);
});
