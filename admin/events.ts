import { setTimeout as sleep } from "node:timers/promises";
import { untilAborted, waitAtMost } from "../lib/deadline.ts";
import type { Http, HttpResponse } from "../lib/http/types.ts";
import { lazy } from "../lib/lazy.ts";
import type { ModelStatus, ServerEvent } from "../lib/llama-swap/api/events.ts";
import type { InFlight } from "../lib/llama-swap/api/in-flight.ts";

// Not needed before there is a listener.
const eventReader = lazy(() => import("../lib/llama-swap/api/events.ts"));

/** What happens to the stream of events itself. */
export type LinkEvent =
	/** A stream is there, and the states of all models follow. Logs before it are of the past. */
	| { readonly kind: "connected" }
	/** The stream is over, as it is when a new config or a new process takes over. */
	| { readonly kind: "ended" }
	/** No stream could be had: the server has none ("missing"), or does not answer as it should. */
	| { readonly kind: "unavailable"; readonly reason: "missing" | "unreachable" };

export type AdminEvent = ServerEvent | LinkEvent;

/** The newest state that the present stream has reported. */
export interface KnownState {
	readonly models: readonly ModelStatus[];
	/** Undefined up to v191. */
	readonly inFlight: InFlight | undefined;
}

/** The one subscription to a server's events. It is open while there are listeners. */
export interface AdminEvents {
	/** Calls back with every event from now on; returns the way to stop that. */
	listen(listener: (event: AdminEvent) => void): () => void;
	/** Undefined while there is no stream. */
	known(): KnownState | undefined;
	/**
	 * Makes sure of a stream that is alive, for a caller that listens: one that has been silent for
	 * long may have died with a sleeping machine, so another is opened. False when none is to be had
	 * in a few seconds. Rejects with the signal's reason only.
	 */
	ready(signal?: AbortSignal): Promise<boolean>;
}

export interface EventClock {
	/** Milliseconds of any clock that never goes back. */
	now(): number;
	/** Rejects when the signal aborts. Must not keep the process alive. */
	wait(milliseconds: number, signal: AbortSignal): Promise<void>;
}

const REAL_CLOCK: EventClock = {
	now: () => performance.now(),
	wait: (milliseconds, signal) => sleep(milliseconds, undefined, { signal, ref: false }),
};

const PATH = "/api/events";
/** What a stream begins with comes at once, even over a slow line. */
const OPENING_MS = 10_000;
const READY_MS = 3000;
/** Events this young prove that the stream is alive. */
const FRESH_MS = 10_000;
/** Between two tries; doubled each time. Up to v217 the old process still answers right after a reload. */
const FIRST_RETRY_MS = 1000;
const MAX_RETRY_MS = 600_000;
/** An update of the server may bring events. */
const MISSING_RETRY_MS = 3_600_000;

type Phase = "opening" | "live" | "pausing" | "missing";

/** Why one stream is over. */
type End = "ended" | "unreachable" | "missing";

/** The subscription from its first listener to its last. */
interface Link {
	readonly closing: AbortController;
	phase: Phase;
	/** True while the listeners know of a stream and not of its end. */
	isLive: boolean;
	known: KnownState | undefined;
	/** When the last event came. */
	heardAt: number;
	/** Ends the present stream, or the present pause. */
	current: AbortController;
}

export function createEvents(
	http: Pick<Http, "request">,
	clock: EventClock = REAL_CLOCK,
): AdminEvents {
	const listeners = new Set<(event: AdminEvent) => void>();
	let link: Link | undefined;
	const publish = (event: AdminEvent): void => {
		for (const listener of [...listeners]) listener(event);
	};
	const listen: AdminEvents["listen"] = (listener) => {
		listeners.add(listener);
		if (link === undefined) {
			link = newLink();
			void keepOpen(link, http, clock, publish);
		}
		return () => {
			listeners.delete(listener);
			if (listeners.size > 0) return;
			link?.closing.abort();
			link = undefined;
		};
	};
	return {
		listen,
		known: () => link?.known,
		async ready(signal) {
			signal?.throwIfAborted();
			if (link === undefined || link.phase === "missing") return false;
			if (link.phase === "live" && clock.now() - link.heardAt < FRESH_MS) return true;
			if (link.phase !== "opening") openAgain(link);
			const result = Promise.withResolvers<boolean>();
			const stop = listen(({ kind }) => {
				if (kind === "connected" || kind === "unavailable") result.resolve(kind === "connected");
			});
			try {
				const isReady = await waitAtMost(READY_MS, untilAborted(result.promise, signal));
				return isReady ?? false;
			} finally {
				stop();
				result.resolve(false);
			}
		},
	};
}

function newLink(): Link {
	return {
		closing: new AbortController(),
		phase: "opening",
		isLive: false,
		known: undefined,
		heardAt: 0,
		current: new AbortController(),
	};
}

function openAgain(link: Link): void {
	link.phase = "opening";
	link.current.abort();
}

/** Opens one stream after the other until the link closes. Never rejects. */
async function keepOpen(
	link: Link,
	http: Pick<Http, "request">,
	clock: EventClock,
	publish: (event: AdminEvent) => void,
): Promise<void> {
	const { closing } = link;
	let retry = FIRST_RETRY_MS;
	while (!closing.signal.aborted) {
		link.phase = "opening";
		const end = await readStream(link, http, clock, publish);
		if (closing.signal.aborted) return;
		// Another stream was asked for; the listeners hear of the old one's end only if that fails.
		if (isReplaced(link)) continue;
		link.known = undefined;
		if (link.isLive) {
			link.isLive = false;
			retry = FIRST_RETRY_MS;
			publish({ kind: "ended" });
		}
		if (end !== "ended") publish({ kind: "unavailable", reason: end });
		link.phase = end === "missing" ? "missing" : "pausing";
		await pause(link, end === "missing" ? MISSING_RETRY_MS : retry, clock);
		retry = Math.min(MAX_RETRY_MS, retry * 2);
	}
}

/** True when ready() has ended a live stream in favour of a new one. */
function isReplaced({ phase, current }: Link): boolean {
	return phase === "opening" && current.signal.aborted;
}

async function pause(link: Link, milliseconds: number, clock: EventClock): Promise<void> {
	link.current = new AbortController();
	const signal = AbortSignal.any([link.closing.signal, link.current.signal]);
	// It ends early when the link closes, or when a listener wants a stream now.
	await clock.wait(milliseconds, signal).catch(() => undefined);
}

/** Publishes what one stream reports until it is over. Never rejects. */
async function readStream(
	link: Link,
	http: Pick<Http, "request">,
	clock: EventClock,
	publish: (event: AdminEvent) => void,
): Promise<End> {
	const current = new AbortController();
	link.current = current;
	const slow = new AbortController();
	const signal = AbortSignal.any([link.closing.signal, current.signal, slow.signal]);
	// Not a deadline of the whole: it ends with the first message about the models.
	const timer = setTimeout(() => slow.abort(), OPENING_MS).unref();
	let hasBegun = false;
	try {
		const { readServerEvents } = await eventReader();
		signal.throwIfAborted();
		const response = await http.request({ path: PATH, signal });
		try {
			if (isMissing(response)) return "missing";
			if (response.status !== 200) return "unreachable";
			for await (const event of readServerEvents(response.body)) {
				if (signal.aborted) break;
				if (event.kind === "models" && !hasBegun) {
					hasBegun = true;
					clearTimeout(timer);
					link.phase = "live";
					link.isLive = true;
					link.known = undefined;
					publish({ kind: "connected" });
				}
				link.heardAt = clock.now();
				link.known = nextKnown(link.known, event);
				publish(event);
			}
		} finally {
			response.body.destroy();
		}
	} catch {
		// A proxy that loses its server cuts the stream; for a listener it is over all the same.
	} finally {
		clearTimeout(timer);
	}
	return hasBegun ? "ended" : "unreachable";
}

/** True for a server that has no such page, and for one that has some other page there. */
function isMissing({ status, headers }: HttpResponse): boolean {
	if (status !== 200) return [404, 405, 501].includes(status);
	const type = headers["content-type"];
	return type !== undefined && !type.startsWith("text/event-stream");
}

function nextKnown(known: KnownState | undefined, event: ServerEvent): KnownState | undefined {
	switch (event.kind) {
		case "models":
			return { models: event.models, inFlight: known?.inFlight };
		case "in-flight":
			return known && { models: known.models, inFlight: event.inFlight };
		default:
			return known;
	}
}
