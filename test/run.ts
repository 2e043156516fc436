// Runs the whole suite on both hosts and ends with one line for people and for CI:
// "N passed, M failed, K skipped".
import { spawn } from "node:child_process";
import { chmod, mkdir, mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

interface Counts {
	readonly numPassedTests: number;
	readonly numFailedTests: number;
	readonly numPendingTests: number;
	readonly success: boolean;
}

const root = fileURLToPath(new URL("..", import.meta.url));
const folder = await mkdtemp(join(tmpdir(), "ai-server-test-"));
const report = join(folder, "report.json");
// pi keeps caches in the temporary folder, and a test that is killed its own one: both go with ours.
const temporary = join(folder, "tmp");
await mkdir(temporary);
// Some tests log in over SSH as another user, who has files there.
await chmod(folder, 0o711);
await chmod(temporary, 0o1777);
const vitest = join(root, "node_modules/vitest/vitest.mjs");
const options = ["--reporter=default", "--reporter=json", `--outputFile.json=${report}`];
const child = spawn(
	process.execPath,
	["--env-file=test/support/loopback.env", vitest, "run", ...options, ...process.argv.slice(2)],
	{
		cwd: root,
		stdio: ["ignore", "inherit", "inherit"],
		env: { ...process.env, TMPDIR: temporary },
	},
);
// Ctrl-C ends the tests, which are in the same process group; then there is still to tidy up.
process.on("SIGINT", () => undefined);
const status = await new Promise<number>((resolve) => {
	child.once("close", (code) => resolve(code ?? 1));
});
try {
	const counts = JSON.parse(await readFile(report, "utf8")) as Counts;
	const { numPassedTests: passed, numFailedTests: failed, numPendingTests: skipped } = counts;
	// A file that does not even load has no failed test, and must not look like success.
	const broken = failed === 0 && status !== 0 ? 1 : failed;
	console.log(`${passed} passed, ${broken} failed, ${skipped} skipped`);
} catch {
	console.log("0 passed, 1 failed, 0 skipped");
} finally {
	await rm(folder, { recursive: true, force: true });
}
process.exitCode = status;
