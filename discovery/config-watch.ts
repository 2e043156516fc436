import type { Admin } from "../admin.ts";
import type { Catalog } from "../discovery.ts";

/** A request in the first moments after a reload may meet the old process, and an empty 502. */
const SETTLE_MS = 2000;
/** One stream of events is listened to for this long, then another is opened. */
const LISTEN_MS = 3_600_000;
/** Until the next try with a server that has no events, or is not there; doubled each time. */
const RETRY_MS = 30_000;
const LONGEST_RETRY_MS = 600_000;

export interface FollowDeps {
	readonly admin: Pick<Admin, "watchReload">;
	readonly catalog: Pick<Catalog, "refresh">;
	/** Rejects when the signal aborts. */
	readonly wait: (milliseconds: number, signal: AbortSignal) => Promise<void>;
	readonly signal: AbortSignal;
}

/**
 * Asks for the list again each time llama-swap has taken over another config, or has come back, as
 * its stream of events tells by ending. Resolves when the signal aborts; never rejects.
 */
export async function followConfig(deps: FollowDeps): Promise<void> {
	const { admin, catalog, wait, signal } = deps;
	let retry = RETRY_MS;
	try {
		while (!signal.aborted) {
			const watch = await admin.watchReload(signal);
			if (watch === undefined) {
				await wait(retry, signal);
				retry = Math.min(LONGEST_RETRY_MS, retry * 2);
				continue;
			}
			retry = RETRY_MS;
			const outcome = await watch.outcome(LISTEN_MS).finally(watch.close);
			if (outcome.kind !== "ended") continue;
			await wait(SETTLE_MS, signal);
			// A server that is gone is told by the next thing that needs it.
			await catalog.refresh().catch(() => undefined);
		}
	} catch (error) {
		if (!signal.aborted) throw error;
	}
}
