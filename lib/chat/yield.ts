import { setImmediate } from "node:timers/promises";

/** How long the event loop may be kept before others get a turn, in milliseconds. */
const SLICE_MS = 8;
const MAX_BATCH = 256;

export interface YieldDeps {
	/** Milliseconds from any start. */
	readonly now: () => number;
	/** Resolves after one turn of the event loop: the reader of the events, keys, timers. */
	readonly turn: () => Promise<unknown>;
}

/**
 * The function that it returns is called after each event that was handed over. Now and then it
 * returns a promise that must be awaited: one network read holds hundreds of events, pi draws some of
 * them for milliseconds, and a key that is pressed meanwhile would have to wait for all of them. The
 * longer the reader took for the last events, the fewer are handed over without a turn.
 */
export function createYield({ now, turn }: YieldDeps = SYSTEM): () => Promise<void> | undefined {
	let batch = 8;
	let handed = 0;
	const rest = async (): Promise<void> => {
		const from = now();
		await turn();
		const took = now() - from;
		batch = took > SLICE_MS ? Math.max(1, batch >> 1) : Math.min(MAX_BATCH, batch << 1);
		handed = 0;
	};
	return () => {
		handed += 1;
		return handed < batch ? undefined : rest();
	};
}

const SYSTEM: YieldDeps = { now: () => performance.now(), turn: () => setImmediate() };
