import { performance } from "node:perf_hooks";
import { expect, test, vi } from "vitest";
import { createBreather } from "../../../lib/chat/breather.ts";

test("a turn is due only when the event loop has stood still for long", async () => {
	let now = 1000;
	const clock = vi.spyOn(performance, "now").mockImplementation(() => now);
	try {
		const breather = createBreather();
		expect(breather.isDue()).toBe(false);
		now += 5;
		expect(breather.isDue()).toBe(false);
		now += 5;
		expect(breather.isDue()).toBe(true);
		for (let turn = 0; turn < 2; turn += 1) await breather.turn(); // the first ends this round
		expect(breather.isDue()).toBe(false);
		for (let turn = 0; turn < 2; turn += 1) await breather.turn();
		now += 60_000; // nothing came for a minute, but the loop was free
		expect(breather.isDue()).toBe(false);
	} finally {
		clock.mockRestore();
	}
});
