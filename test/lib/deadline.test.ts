import { getEventListeners } from "node:events";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { untilAborted, waitAtMost, withDeadline } from "../../lib/deadline.ts";
import { AiServerError } from "../../lib/errors.ts";

beforeEach(() => {
	vi.useFakeTimers();
});
afterEach(() => {
	expect(vi.getTimerCount(), "timers left behind").toBe(0);
	vi.useRealTimers();
});

const never = (): Promise<never> => new Promise(() => undefined);

/** Counts as a leak when it is not 0 once the work is over. */
const listenersOf = (signal: AbortSignal): number => getEventListeners(signal, "abort").length;

describe("a run with a deadline", () => {
	test("gives its result, and its signal stays as it is", async () => {
		let limit: AbortSignal | undefined;
		const result = withDeadline(1000, async (signal) => {
			limit = signal;
			return "done";
		});
		expect(await result).toBe("done");
		await vi.advanceTimersByTimeAsync(2000);
		expect(limit?.aborted).toBe(false);
	});

	test("passes its error on", async () => {
		const failure = new Error("no");
		await expect(withDeadline(1000, () => Promise.reject(failure))).rejects.toBe(failure);
	});

	test("rejects when the run throws before it gives a promise", async () => {
		const failure = new Error("no");
		const run = (): Promise<never> => {
			throw failure;
		};
		await expect(withDeadline(1000, run)).rejects.toBe(failure);
	});

	test("rejects at the deadline, with the words of the caller", async () => {
		const facts = { late: "The SSH server did not answer", hint: "Check the server" };
		const result = withDeadline(1500, never, facts).catch((error: unknown) => error);
		await vi.advanceTimersByTimeAsync(1500);
		const error = await result;
		expect(error).toBeInstanceOf(AiServerError);
		expect(error).toMatchObject({
			code: "timeout",
			message: "The SSH server did not answer within 1.5 s",
			hint: "Check the server",
		});
	});

	test("aborts the run at the deadline, for the same reason", async () => {
		let limit: AbortSignal | undefined;
		const result = withDeadline(1000, (signal) => {
			limit = signal;
			return never();
		}).catch((error: unknown) => error);
		await vi.advanceTimersByTimeAsync(999);
		expect(limit?.aborted).toBe(false);
		await vi.advanceTimersByTimeAsync(1);
		expect(limit?.reason).toBe(await result);
	});

	test("an error that the run gives after the deadline is heard by nobody and does no harm", async () => {
		const result = withDeadline(1000, async (signal) => {
			await untilAborted(never(), signal).catch(() => undefined);
			throw new Error("too late");
		}).catch((error: unknown) => error);
		await vi.advanceTimersByTimeAsync(1000);
		expect(await result).toMatchObject({ message: "No answer within 1 s" });
	});

	test("rejects with the caller's reason, and aborts the run with it", async () => {
		const caller = new AbortController();
		const reason = new Error("the user pressed Escape");
		let limit: AbortSignal | undefined;
		const result = withDeadline(
			1000,
			(signal) => {
				limit = signal;
				return never();
			},
			{ signal: caller.signal },
		).catch((error: unknown) => error);
		caller.abort(reason);
		expect(await result).toBe(reason);
		expect(limit?.reason).toBe(reason);
		expect(listenersOf(caller.signal)).toBe(0);
	});

	test("starts nothing for a caller that has given up", async () => {
		const run = vi.fn(never);
		const reason = new Error("gone");
		const signal = AbortSignal.abort(reason);
		await expect(withDeadline(1000, run, { signal })).rejects.toBe(reason);
		expect(run).not.toHaveBeenCalled();
	});

	test("leaves no listener at a signal that lives on", async () => {
		const { signal } = new AbortController();
		await withDeadline(1000, async () => "done", { signal });
		expect(listenersOf(signal)).toBe(0);
	});
});

describe("work until a signal", () => {
	test("is passed on without a signal", async () => {
		expect(await untilAborted(Promise.resolve(1), undefined)).toBe(1);
	});

	test("gives its result, and leaves no listener", async () => {
		const { signal } = new AbortController();
		expect(await untilAborted(Promise.resolve(1), signal)).toBe(1);
		expect(listenersOf(signal)).toBe(0);
	});

	test("rejects with the signal's reason", async () => {
		const caller = new AbortController();
		const result = untilAborted(never(), caller.signal).catch((error: unknown) => error);
		caller.abort("stop");
		expect(await result).toBe("stop");
		expect(listenersOf(caller.signal)).toBe(0);
	});

	test("rejects for a signal that has aborted, although the work is done", async () => {
		const work = Promise.resolve(1);
		await expect(untilAborted(work, AbortSignal.abort("stop"))).rejects.toBe("stop");
	});

	test("a failure that follows the signal's does no harm", async () => {
		const work = Promise.reject(new Error("later"));
		await expect(untilAborted(work, AbortSignal.abort("stop"))).rejects.toBe("stop");
	});
});

describe("work within a time", () => {
	test("gives its result", async () => {
		expect(await waitAtMost(1000, Promise.resolve(1))).toBe(1);
	});

	test("passes its error on", async () => {
		const failure = new Error("no");
		await expect(waitAtMost(1000, Promise.reject(failure))).rejects.toBe(failure);
	});

	test("gives nothing when the time is up", async () => {
		const result = waitAtMost(1000, never());
		await vi.advanceTimersByTimeAsync(1000);
		expect(await result).toBeUndefined();
	});
});
