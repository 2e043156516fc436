import { AiServerError } from "./errors.ts";

export interface Limits {
	readonly signal?: AbortSignal | undefined;
	readonly deadlineMs: number;
	/** What did not happen in time, as in "The SSH server did not answer". */
	readonly late: string;
	/** What to do then. */
	readonly hint?: string | undefined;
}

/** The work's result, unless the signal or the deadline comes first. The work itself goes on. */
export function within<T>(work: Promise<T>, limits: Limits): Promise<T> {
	const { signal, deadlineMs } = limits;
	const { promise, resolve, reject } = Promise.withResolvers<T>();
	const abort = (): void => reject(signal?.reason);
	if (signal?.aborted === true) abort();
	signal?.addEventListener("abort", abort, { once: true });
	const timer = setTimeout(() => reject(tooLate(limits)), deadlineMs).unref();
	work.then(resolve, reject);
	return promise.finally(() => {
		clearTimeout(timer);
		signal?.removeEventListener("abort", abort);
	});
}

/** The same for work that ends when it is told to: its signal aborts at the deadline too. */
export async function withDeadline<T>(
	limits: Limits,
	run: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
	const { signal, deadlineMs } = limits;
	const deadline = AbortSignal.timeout(deadlineMs);
	try {
		return await run(signal === undefined ? deadline : AbortSignal.any([signal, deadline]));
	} catch (error) {
		if (!deadline.aborted || signal?.aborted === true) throw error;
		throw tooLate(limits, error);
	}
}

function tooLate({ deadlineMs, late, hint }: Limits, cause?: unknown): AiServerError {
	return new AiServerError("timeout", `${late} within ${deadlineMs / 1000} s`, {
		hint: hint ?? "Try again, or look at the machine",
		cause,
	});
}

/** Waits for the work to end, however it ends, but no longer than this. True when it has ended. */
export async function waitAtMost(milliseconds: number, work: Promise<unknown>): Promise<boolean> {
	const late = Promise.withResolvers<boolean>();
	const timer = setTimeout(() => late.resolve(false), milliseconds);
	const ended = work.then(
		() => true,
		() => true,
	);
	try {
		return await Promise.race([ended, late.promise]);
	} finally {
		clearTimeout(timer);
	}
}

/** The work's result, unless the signal comes first. */
export function untilAborted<T>(work: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
	if (signal === undefined) return work;
	const { promise, resolve, reject } = Promise.withResolvers<T>();
	const abort = (): void => reject(signal.reason);
	if (signal.aborted) abort();
	signal.addEventListener("abort", abort, { once: true });
	work.then(resolve, reject);
	return promise.finally(() => signal.removeEventListener("abort", abort));
}

/** A Node callback as a promise; a call that throws rejects. */
export function callback<T>(
	call: (done: (error: Error | undefined | null, value: T) => void) => void,
): Promise<T> {
	return new Promise((resolve, reject) => {
		call((error, value) =>
			error === undefined || error === null ? resolve(value) : reject(error),
		);
	});
}
