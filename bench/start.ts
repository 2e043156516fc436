// What the extension adds to pi's start, against an empty extension in the same run, and how soon
// `pi -p` exits after its answer. Medians; every sample is a process of its own, in turns.
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { type Box, startBox } from "../demo/box.ts";
import { HOSTS, type Host } from "../hosts/hosts.ts";
import { boxEnv } from "../test/support/boxed.ts";
import { type Isolated, isolate, ROOT, runPi } from "../test/support/pi.ts";

const SAMPLES = 9;
/** What the start may cost, and the exit, in ms. */
const GOALS = { start: 80, exit: 200 };

const box = await startBox();
const place = await isolate();
const empty = join(place.folder, "empty");
await mkdir(empty);
await writeFile(join(empty, "index.ts"), "export default function () {}\n");
let missed = false;
try {
	console.log(
		`${"pi".padEnd(8)} ${"empty".padStart(9)} ${"ai-server".padStart(10)} ${"added".padStart(9)} ${"exit".padStart(9)}`,
	);
	for (const host of HOSTS) await measure(host, box, place);
} finally {
	await box.close();
	await place.remove();
}
process.exitCode = missed ? 1 : 0;

async function measure(host: Host, server: Box, home: Isolated): Promise<void> {
	const list = async (extension: string): Promise<number> => {
		const run = { host, place: home, env: boxEnv(server), extension, args: ["--list-models"] };
		return (await runPi(run)).elapsed;
	};
	await list(empty);
	await list(ROOT); // fills the list's cache and pi's own cache of transpiled sources
	const base: number[] = [];
	const ours: number[] = [];
	for (let sample = 0; sample < SAMPLES; sample += 1) {
		base.push(await list(empty));
		ours.push(await list(ROOT));
	}
	const exits: number[] = [];
	for (let sample = 0; sample < SAMPLES; sample += 1) {
		const args = ["--no-session", "--model", "ai-server/small-talk-1B", "-p", "Say hello"];
		exits.push((await runPi({ host, place: home, env: boxEnv(server), args })).tail);
	}
	const added = median(ours) - median(base);
	const exit = median(exits);
	missed ||= added > GOALS.start || exit > GOALS.exit;
	const cells = [median(base), median(ours), added, exit].map((value) => `${value.toFixed(0)} ms`);
	const [first = "", second = "", third = "", fourth = ""] = cells;
	console.log(
		`${host.padEnd(8)} ${first.padStart(9)} ${second.padStart(10)} ${third.padStart(9)} ${fourth.padStart(9)}`,
	);
}

function median(values: readonly number[]): number {
	return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0;
}
