import type { Http } from "../../http/types.ts";
import { awaitReload, type InFlight, type ReloadOutcome, readServerEvents } from "./events.ts";

const PATH = "/api/events";
/** What a stream begins with comes at once. */
const START_MS = 3000;

/** Looks out for a reload from the moment on that it is there. */
export interface ReloadWatch {
	/** What has happened until now, or happens within the time. */
	outcome(limitMs: number): Promise<ReloadOutcome>;
	close(): void;
}

/** Undefined where the server has no stream of events. Rejects with the signal's reason only. */
export async function watchReload(
	http: Http,
	signal?: AbortSignal,
): Promise<ReloadWatch | undefined> {
	signal?.throwIfAborted();
	const stop = new AbortController();
	const both = signal === undefined ? stop.signal : AbortSignal.any([signal, stop.signal]);
	const late = setTimeout(() => stop.abort(), START_MS);
	const ready = Promise.withResolvers<boolean>();
	const follow = async (): Promise<ReloadOutcome> => {
		const { status, body } = await http.request({ path: PATH, signal: both });
		if (status === 200) return awaitReload(readServerEvents(body), () => ready.resolve(true));
		body.destroy();
		return { kind: "silent" };
	};
	const done = follow().catch((): ReloadOutcome => ({ kind: "silent" }));
	void done.then(() => ready.resolve(false));
	const isReady = await ready.promise;
	clearTimeout(late);
	signal?.throwIfAborted();
	if (!isReady) return undefined;
	return {
		async outcome(limitMs) {
			const silence = Promise.withResolvers<ReloadOutcome>();
			const timer = setTimeout(() => silence.resolve({ kind: "silent" }), limitMs);
			const outcome = await Promise.race([done, silence.promise]);
			clearTimeout(timer);
			signal?.throwIfAborted();
			return outcome;
		},
		close: () => stop.abort(),
	};
}

/** The requests under way; undefined where the server does not say. Never rejects. */
export async function readInFlight(
	http: Http,
	signal?: AbortSignal,
): Promise<InFlight | undefined> {
	const limit = AbortSignal.timeout(START_MS);
	try {
		const both = signal === undefined ? limit : AbortSignal.any([signal, limit]);
		const { status, body } = await http.request({ path: PATH, signal: both });
		try {
			if (status !== 200) return undefined;
			for await (const event of readServerEvents(body)) {
				if (event.kind === "in-flight") return event.requests;
			}
		} finally {
			body.destroy();
		}
	} catch {
		// Too slow, too old or not there: then nothing is known about requests.
	}
	return undefined;
}
