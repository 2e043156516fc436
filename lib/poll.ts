import { setTimeout as sleep } from "node:timers/promises";

export interface PollOptions {
	readonly everyMs: number;
	/** Counted from the first look; a look that is under way is still waited for. */
	readonly limitMs: number;
	readonly signal?: AbortSignal | undefined;
	/** Rejects when the signal aborts. */
	readonly wait?: (milliseconds: number, signal: AbortSignal | undefined) => Promise<void>;
	/** Milliseconds of any clock that never goes back. */
	readonly now?: () => number;
}

/** Looks again and again until something is there; undefined when nothing was in time. */
export async function poll<T>(
	look: () => Promise<T | undefined>,
	options: PollOptions,
): Promise<T | undefined> {
	const { everyMs, limitMs, signal, wait = waitFor, now = () => performance.now() } = options;
	const end = now() + limitMs;
	for (;;) {
		const found = await look();
		if (found !== undefined || now() >= end) return found;
		await wait(everyMs, signal);
	}
}

/** Rejects with the signal's reason. */
export async function waitFor(milliseconds: number, signal?: AbortSignal): Promise<void> {
	try {
		await sleep(milliseconds, undefined, { signal });
	} catch (error) {
		throw signal?.reason ?? error;
	}
}
