// node test/run.ts [suite] [--except suite] [arguments of Vitest]: runs a suite of test/suites.ts, or
// the tests that the arguments name. The last line is for people and for CI: "N passed, M failed, K skipped".
import { spawn } from "node:child_process";
import { chmod, mkdir, mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { partsOf, SUITES, type Suite } from "./suites.ts";

interface Counts {
	readonly numPassedTests: number;
	readonly numFailedTests: number;
	readonly numPendingTests: number;
}

const root = fileURLToPath(new URL("..", import.meta.url));
const args = process.argv.slice(2);
const suite = takeSuite() ?? "some";
const except = args[0] === "--except" ? takeSuite(args.shift()) : undefined;
const projects = partsOf(suite, except).map(({ name }) => `--project=${name}`);

const folder = await mkdtemp(join(tmpdir(), "ai-server-test-"));
const report = join(folder, "report.json");
// pi keeps caches in the temporary folder, and a test that is killed leaves its own files there.
const temporary = join(folder, "tmp");
await mkdir(temporary);
// Some tests log in over SSH as another user, who has files there.
await chmod(folder, 0o711);
await chmod(temporary, 0o1777);
const vitest = join(root, "node_modules/vitest/vitest.mjs");
const options = ["--reporter=default", "--reporter=json", `--outputFile.json=${report}`];
const child = spawn(
	process.execPath,
	["--env-file=test/support/loopback.env", vitest, "run", ...options, ...projects, ...args],
	{
		cwd: root,
		stdio: ["ignore", "inherit", "inherit"],
		env: { ...process.env, TMPDIR: temporary },
	},
);
// Ctrl-C ends the tests, which are in the same process group; the temporary files are still removed.
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

/** The first argument, if it names a suite; behind `--except` it has to. */
function takeSuite(option?: string): Suite | undefined {
	const found = SUITES.find((name) => name === args[0]);
	if (found !== undefined) args.shift();
	else if (option !== undefined) throw new Error(`${option} takes one of ${SUITES.join(", ")}`);
	return found;
}
