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
		await breather.turn();
		expect(breather.isDue()).toBe(false);
		await breather.turn();
		now += 60_000; // nothing came for a minute, but the loop was free
		expect(breather.isDue()).toBe(false);
	} finally {
		clock.mockRestore();
	}
});
