import { untilAborted, waitAtMost } from "../lib/deadline.ts";
import type { AdminEvents } from "./events.ts";

/** What llama-swap did about a changed config. */
export type ReloadOutcome =
	/** Its event stream ended, as it does when a new config or a new process takes over. */
	| { readonly kind: "ended" }
	/** It keeps the old config; `line` is its log's. */
	| { readonly kind: "rejected"; readonly line: string }
	| { readonly kind: "silent" };

/** Watches for a reload from the moment on that it is there. */
export interface ReloadWatch {
	/** What has happened until now, or happens within the time. Rejects with the signal's reason only. */
	outcome(limitMs: number): Promise<ReloadOutcome>;
	close(): void;
}

/** Undefined where the server has no events. Rejects with the signal's reason only. */
export async function watchReload(
	events: AdminEvents,
	signal?: AbortSignal,
): Promise<ReloadWatch | undefined> {
	const result = Promise.withResolvers<ReloadOutcome>();
	const stop = events.listen((event) => {
		if (event.kind === "ended") result.resolve({ kind: "ended" });
		if (event.kind === "config-rejected") result.resolve({ kind: "rejected", line: event.line });
	});
	const close = (): void => {
		stop();
		result.resolve({ kind: "silent" });
	};
	try {
		if (await events.ready(signal)) {
			return {
				outcome: async (limitMs) =>
					(await waitAtMost(limitMs, untilAborted(result.promise, signal))) ?? { kind: "silent" },
				close,
			};
		}
		close();
		return undefined;
	} catch (error) {
		close();
		throw error;
	}
}
