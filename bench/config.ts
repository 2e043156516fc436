// What reading llama-swap's config costs, in a fresh process for each value, as a start has it.
import { spawnSync } from "node:child_process";
import { isMissed, limitFinding, table } from "./goals.ts";

/** Models in the config, and the milliseconds it may take: an everyday one, and one beyond reason. */
const SIZES = [
	{ models: 200, goal: 150 },
	{ models: 6000, goal: 4000 },
] as const;
const ROUNDS = 5;

const [, program = "", models] = process.argv;
if (models !== undefined && /^\d+$/.test(models)) await measure(Number(models));
else compare();

async function measure(count: number): Promise<void> {
	const { parseConfig } = await import("../lib/llama-swap/config/read.ts");
	const model = (_: unknown, at: number): string => `  model-${at}:
    cmd: \${server} -m /models/model-${at}.gguf -c \${size} -np 2
    ttl: 600`;
	const head = "macros:\n  server: llama-server --port ${PORT}\n  size: 65536\nmodels:\n";
	const yaml = `${head}${Array.from({ length: count }, model).join("\n")}\n`;
	const before = process.cpuUsage();
	if (parseConfig(yaml).models.size !== count) throw new Error("not every model was read");
	const { user, system } = process.cpuUsage(before);
	process.stdout.write(String((user + system) / 1000));
}

function compare(): void {
	const findings = SIZES.map(({ models: count, goal }) => {
		const values = Array.from({ length: ROUNDS }, () => {
			const { stdout } = spawnSync(process.execPath, [program, String(count)]);
			return Number(stdout);
		});
		return limitFinding(`config of ${count} models, CPU`, { values, goal, unit: "ms" });
	});
	process.stdout.write(`${table(findings)}\n`);
	process.exitCode = findings.some(isMissed) ? 1 : 0;
}
