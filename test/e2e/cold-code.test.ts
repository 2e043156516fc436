import { readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { type Box, startBox } from "../../demo/box.ts";
import { boxEnv } from "../support/boxed.ts";
import { HOSTS } from "../support/hosts.ts";
import { type Isolated, isolate, runPi } from "../support/pi.ts";

let box: Box;
let place: Isolated;
beforeEach(async () => {
	box = await startBox();
	place = await isolate();
});
afterEach(async () => {
	await box.close();
	await place.remove();
});

/** As if the kept list were of last year, so that the start looks quickly and goes on beside. */
async function makeOld(): Promise<void> {
	const folder = join(place.agentDir, "ai-server");
	for (const name of await readdir(folder)) {
		const list = JSON.parse(await readFile(join(folder, name), "utf8")) as object;
		await writeFile(join(folder, name), JSON.stringify({ ...list, seenAt: 1_760_000_000_000 }));
	}
}

test.each(HOSTS)(
	"pi %s: what the start and a command both need is loaded once it is whole",
	async (host) => {
		// Without jiti's cache each file takes long enough for the two to meet in the middle of it.
		const env = { ...boxEnv(box), JITI_FS_CACHE: "false" };
		const print = (args: string) => runPi({ host, place, env, args: ["--no-session", "-p", args] });
		expect((await print("/ai-server-status")).code).toBe(0);
		await makeOld();
		const shown = await print("/ai-server-preset small-talk-1B");
		expect([shown.stderr, shown.code]).toEqual(["", 0]);
		expect(shown.stdout).toContain("-c 65536");
		await makeOld();
		const answer = await print("Say hello");
		expect([answer.stderr, answer.code]).toEqual(["", 0]);
	},
);
