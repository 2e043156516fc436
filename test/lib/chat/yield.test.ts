import { expect, test } from "vitest";
import { createYield } from "../../../lib/chat/yield.ts";

/** How many events go by before each of the next turns, with a reader that takes so long for one. */
async function batches(msPerEvent: readonly number[], count: number): Promise<readonly number[]> {
	let time = 0;
	let since = 0;
	let cost = 0;
	const pace = createYield({
		now: () => time,
		turn: async () => {
			time += since * cost;
		},
	});
	const seen: number[] = [];
	while (seen.length < count) {
		cost = msPerEvent[Math.min(seen.length, msPerEvent.length - 1)] ?? 0;
		since += 1;
		const rest = pace();
		if (rest === undefined) continue;
		await rest;
		seen.push(since);
		since = 0;
	}
	return seen;
}

test("a reader that is quick is hardly interrupted", async () => {
	expect(await batches([0], 8)).toEqual([8, 16, 32, 64, 128, 256, 256, 256]);
});

test("a reader that draws for long gives way after every event", async () => {
	expect(await batches([20], 6)).toEqual([8, 4, 2, 1, 1, 1]);
});

test("a reader that gets slower, and quick again", async () => {
	expect(await batches([0, 0, 1, 1, 1, 0], 8)).toEqual([8, 16, 32, 16, 8, 16, 32, 64]);
});

test("the event loop really turns", async () => {
	const pace = createYield();
	let turned = false;
	setImmediate(() => {
		turned = true;
	});
	while (!turned) await pace();
	expect(turned).toBe(true);
});
