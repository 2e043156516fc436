import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { startIdleTimeout } from "../../../lib/chat/idle-timeout.ts";

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

test("it aborts when the limit is over, and not before", () => {
	const watch = startIdleTimeout(1000, undefined);
	vi.advanceTimersByTime(999);
	expect(watch.signal.aborted).toBe(false);
	vi.advanceTimersByTime(1);
	expect(watch.signal.reason).toMatchObject({ code: "timeout", message: /1 s \(timed out\)/ });
});

test("whatever is heard starts the clock again, and there is no limit on the whole", () => {
	const watch = startIdleTimeout(1000, undefined);
	for (let at = 0; at < 1000; at += 1) {
		vi.advanceTimersByTime(900);
		watch.restart();
	}
	expect(watch.signal.aborted).toBe(false);
	vi.advanceTimersByTime(999);
	expect(watch.signal.aborted).toBe(false);
	vi.advanceTimersByTime(1);
	expect(watch.signal.aborted).toBe(true);
});

test("once stopped it aborts no more, and leaves no timer", () => {
	const watch = startIdleTimeout(1000, undefined);
	vi.advanceTimersByTime(1500);
	const second = startIdleTimeout(1000, undefined);
	second.restart();
	vi.advanceTimersByTime(600);
	second.restart();
	vi.advanceTimersByTime(500);
	second.stop();
	expect(vi.getTimerCount()).toBe(0);
	vi.advanceTimersByTime(5000);
	expect(second.signal.aborted).toBe(false);
	watch.stop();
});

test("the caller's reason comes through", () => {
	const caller = new AbortController();
	const watch = startIdleTimeout(1000, caller.signal);
	caller.abort(new Error("enough"));
	expect(watch.signal.reason).toMatchObject({ message: "enough" });
	watch.stop();
});

test.each([
	[300_000, "300 s"],
	[1500, "2 s"],
	[30, "30 ms"],
])("%i ms are called %s", (limit, words) => {
	const watch = startIdleTimeout(limit, undefined);
	vi.advanceTimersByTime(limit);
	expect((watch.signal.reason as Error).message).toContain(words);
});
