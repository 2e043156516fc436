import { AiServerError } from "./errors.ts";

export interface Limits {
	readonly signal?: AbortSignal | undefined;
	readonly deadlineMs: number;
	/** What did not happen in time, as in "The SSH server did not answer". */
	readonly late: string;
}

/** The work's result, unless the signal or the deadline comes first. The work itself goes on. */
export function within<T>(work: Promise<T>, { signal, deadlineMs, late }: Limits): Promise<T> {
	const { promise, resolve, reject } = Promise.withResolvers<T>();
	const abort = (): void => reject(signal?.reason);
	if (signal?.aborted === true) abort();
	signal?.addEventListener("abort", abort, { once: true });
	const timer = setTimeout(() => {
		const hint = "Try again, or look at the machine";
		reject(new AiServerError("timeout", `${late} within ${deadlineMs / 1000} s`, { hint }));
	}, deadlineMs).unref();
	work.then(resolve, reject);
	return promise.finally(() => {
		clearTimeout(timer);
		signal?.removeEventListener("abort", abort);
	});
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
