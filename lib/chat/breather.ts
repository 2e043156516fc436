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
	let since: number | undefined;
	return {
		isDue() {
			const now = performance.now();
			if (since !== undefined) return now - since > HOLD_MS;
			since = now;
			setImmediate(() => {
				since = undefined;
			});
			return false;
		},
		turn: () => new Promise((resolve) => setImmediate(resolve)),
	};
}
