import { performance } from "node:perf_hooks";

/** Longer than this a key press should not wait behind a burst; in milliseconds. */
const HOLD_MS = 8;

/**
 * Lets the event loop turn while data pours in. Node reads a busy socket up to 32 times in a row
 * before it looks at anything else, a pressed Escape among it.
 */
export interface Breather {
	/** Whether the event loop has stood still for so long that it should turn. */
	isDue(): boolean;
	/** Resolves once it has turned. */
	turn(): Promise<void>;
}

export function createBreather(): Breather {
	let turns = -1;
	let since = 0;
	return {
		isDue() {
			const now = performance.now();
			// Asking costs next to nothing; a timer or an immediate of our own would wake the loop up.
			const { loopCount } = performance.nodeTiming.uvMetricsInfo;
			if (loopCount !== turns) {
				turns = loopCount;
				since = now;
			}
			return now - since > HOLD_MS;
		},
		turn: () => new Promise((resolve) => setImmediate(resolve)),
	};
}
