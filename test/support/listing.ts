import { expect } from "vitest";
import { listedModels } from "./boxed.ts";
import { type PiRun, runPi } from "./pi.ts";

/**
 * The rows of `--list-models` once the box's list has come. On a busy machine the first start may not
 * have it within its deadline and shows the built-in list, as it should; the next start has it.
 */
export async function listWhenKnown(
	run: Omit<PiRun, "args">,
): Promise<readonly (readonly string[])[]> {
	let rows: readonly (readonly string[])[] = [];
	const look = async (): Promise<readonly string[]> => {
		rows = listedModels((await runPi({ ...run, args: ["--list-models"] })).stdout);
		return rows.map(([id, context]) => `${id} ${context}`);
	};
	await expect.poll(look, { timeout: 60_000 }).toContain("small-talk-1B 65.5K");
	return rows;
}
