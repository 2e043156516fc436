import type { Reader } from "../sample.ts";

const WARM_UPS = 40;
const TURNS = 100;

/** Median milliseconds from the call to the first delta, over warm connections, in turns. */
export async function firstEvents(
	readers: Readonly<Record<string, Reader>>,
): Promise<Readonly<Record<string, number>>> {
	const times = Object.keys(readers).map((name) => [name, [] as number[]] as const);
	for (let turn = 0; turn < WARM_UPS + TURNS; turn += 1) {
		for (const [name, own] of times) {
			const started = performance.now();
			let first = 0;
			await readers[name]?.("text-1", () => {
				first ||= performance.now() - started;
			});
			if (turn >= WARM_UPS) own.push(first);
		}
	}
	return Object.fromEntries(
		times.map(([name, own]) => [name, own.toSorted((a, b) => a - b)[TURNS / 2] ?? 0]),
	);
}
