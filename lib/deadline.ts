import { AiServerError } from "./errors.ts";

export interface DeadlineOptions {
	/** Ends the run as well; its reason is what the caller then gets. */
	readonly signal?: AbortSignal | undefined;
	/** What did not happen in time; the message goes on with "within 15 s". */
	readonly late?: string | undefined;
	readonly hint?: string | undefined;
}

/**
 * What `run` gives, unless the deadline or the caller's signal comes first. Then it rejects at once,
 * whatever `run` does, and the signal that `run` got aborts: both with AiServerError "timeout" or
 * with the caller's reason. A signal that has aborted already starts nothing.
 */
export async function withDeadline<T>(
	milliseconds: number,
	run: (signal: AbortSignal) => Promise<T>,
	{ signal, late = "No answer", hint = "Try again, or check the server" }: DeadlineOptions = {},
): Promise<T> {
	signal?.throwIfAborted();
	const limit = new AbortController();
	const { promise: over, reject } = Promise.withResolvers<never>();
	const end = (reason: unknown): void => {
		reject(reason);
		limit.abort(reason);
	};
	const abort = (): void => end(signal?.reason);
	const timer = setTimeout(() => {
		end(new AiServerError("timeout", `${late} within ${milliseconds / 1000} s`, { hint }));
	}, milliseconds).unref();
	signal?.addEventListener("abort", abort, { once: true });
	try {
		return await Promise.race([over, run(limit.signal)]);
	} finally {
		clearTimeout(timer);
		signal?.removeEventListener("abort", abort);
	}
}

/** The work's result, unless the signal comes first: then its reason. The work itself goes on. */
export async function untilAborted<T>(
	work: Promise<T>,
	signal: AbortSignal | undefined,
): Promise<T> {
	if (signal === undefined) return work;
	const { promise: aborted, reject } = Promise.withResolvers<never>();
	const abort = (): void => reject(signal.reason);
	if (signal.aborted) abort();
	signal.addEventListener("abort", abort, { once: true });
	try {
		return await Promise.race([aborted, work]);
	} finally {
		signal.removeEventListener("abort", abort);
	}
}

/** The work's result; undefined when it takes longer. The work itself goes on. */
export async function waitAtMost<T>(
	milliseconds: number,
	work: Promise<T>,
): Promise<T | undefined> {
	const { promise: over, resolve } = Promise.withResolvers<undefined>();
	const timer = setTimeout(resolve, milliseconds, undefined);
	try {
		return await Promise.race([work, over]);
	} finally {
		clearTimeout(timer);
	}
}
