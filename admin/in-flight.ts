import { untilAborted, waitAtMost } from "../lib/deadline.ts";
import type { InFlight } from "../lib/llama-swap/api/in-flight.ts";
import type { AdminEvents } from "./events.ts";

/** The requests follow the models at once; up to v191 they never do. */
const FOLLOWING_MS = 1000;

/** The requests under way; undefined where the server does not report them. Rejects with the signal's reason only. */
export async function readInFlight(
	events: AdminEvents,
	signal?: AbortSignal,
): Promise<InFlight | undefined> {
	const result = Promise.withResolvers<InFlight | undefined>();
	const stop = events.listen((event) => {
		if (event.kind === "in-flight") result.resolve(event.inFlight);
	});
	try {
		if (!(await events.ready(signal))) return undefined;
		const known = events.known()?.inFlight;
		return known ?? (await waitAtMost(FOLLOWING_MS, untilAborted(result.promise, signal)));
	} finally {
		stop();
		result.resolve(undefined);
	}
}
