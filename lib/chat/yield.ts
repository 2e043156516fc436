import { setImmediate } from "node:timers/promises";

/** How long the event loop may be kept before others get a turn, in milliseconds. */
const SLICE_MS = 8;
const LARGEST_BATCH = 256;

export interface PaceDeps {
	/** Milliseconds from any start. */
	readonly now: () => number;
	/** Resolves when everybody else had a turn: whoever takes the events, keys, timers. */
	readonly turn: () => Promise<unknown>;
}

/**
 * Called after each event that was handed over. Now and then it returns a promise that must be
 * awaited: one network read holds hundreds of events, pi draws some of them for milliseconds, and
 * a key that is pressed meanwhile has to wait for all of them. How many events go without a turn
 * follows from how long the last ones took whoever reads them.
 */
export function createPace({ now, turn }: PaceDeps = SYSTEM): () => Promise<void> | undefined {
	let batch = 8;
	let handed = 0;
	const rest = async (): Promise<void> => {
		const from = now();
		await turn();
		const took = now() - from;
		batch = took > SLICE_MS ? Math.max(1, batch >> 1) : Math.min(LARGEST_BATCH, batch << 1);
		handed = 0;
	};
	return () => {
		handed += 1;
		return handed < batch ? undefined : rest();
	};
}

const SYSTEM: PaceDeps = { now: () => performance.now(), turn: () => setImmediate() };
