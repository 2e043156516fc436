// All benchmarks, one after the other; the exit code tells whether one of them missed a goal.
import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";

const failed = ["start.ts", "config.ts", "stream.ts"].filter((name) => {
	const program = fileURLToPath(new URL(name, import.meta.url));
	const { status } = spawnSync(process.execPath, [program, ...process.argv.slice(2)], {
		stdio: "inherit",
	});
	return status !== 0;
});
process.exitCode = failed.length === 0 ? 0 : 1;
