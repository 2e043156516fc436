import type { AdminEvents } from "../admin/events.ts";
import type { Catalog } from "./catalog.ts";

/** A request in the first moments after a reload may meet the old process, and an empty 502. */
const SETTLE_MS = 1000;

export interface ConfigWatchDeps {
	readonly events: Pick<AdminEvents, "listen">;
	readonly catalog: Pick<Catalog, "refresh">;
	/** Rejects when the signal aborts. */
	readonly wait: (milliseconds: number, signal: AbortSignal) => Promise<void>;
	readonly signal: AbortSignal;
}

/**
 * Asks for the list again each time llama-swap has taken over another config, or has come back: its
 * stream of events ended, and another one is there. Stops when the signal aborts.
 */
export function followConfig({ events, catalog, wait, signal }: ConfigWatchDeps): void {
	if (signal.aborted) return;
	let hasEnded = false;
	const refresh = async (): Promise<void> => {
		try {
			await wait(SETTLE_MS, signal);
			await catalog.refresh();
		} catch {
			// A server that is gone is reported by the next thing that needs it.
		}
	};
	const stop = events.listen(({ kind }) => {
		if (kind === "ended") hasEnded = true;
		if (kind !== "connected" || !hasEnded) return;
		hasEnded = false;
		void refresh();
	});
	signal.addEventListener("abort", stop, { once: true });
}
