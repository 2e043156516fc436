import { type AdminEvent, type AdminEvents, createEvents } from "../../admin/events.ts";
// Loaded at its first use otherwise, which takes a test longer than a few turns.
import "../../lib/llama-swap/api/events.ts";
import type { HttpBody, HttpRequest, HttpResponse } from "../../lib/http/types.ts";

/** One stream of events, as a server sends it. */
export interface OpenStream {
	readonly request: HttpRequest;
	/** Sends messages, and resolves when they have been read. */
	send(...messages: readonly string[]): Promise<void>;
	/** The server ends it. */
	end(): Promise<void>;
	/** The connection breaks. */
	cut(): Promise<void>;
	/** True when the client has given it up. */
	readonly isClosed: () => boolean;
}

export const message = (type: string, data: unknown): string =>
	JSON.stringify({ type, data: JSON.stringify(data) });
export const MODELS: string = message("modelStatus", [{ id: "m", state: "ready" }]);

export type Reaction = "stream" | "down" | { readonly status: number; readonly type?: string };

export interface EventServer {
	readonly events: AdminEvents;
	/** Every stream that was opened. */
	readonly streams: readonly OpenStream[];
	/** How often the server was asked. */
	readonly asked: () => number;
	/** How the server reacts from now on. */
	react(reaction: Reaction): void;
	/** The pauses that were waited for, in ms. */
	readonly pauses: readonly number[];
	/** Ends the present pause, and moves the clock by it. */
	pass(): Promise<void>;
	/** Moves the clock. */
	advance(milliseconds: number): void;
	/** Listens, and lists the kinds of events. */
	record(): { readonly kinds: readonly string[]; readonly stop: () => void };
}

/** Lets everything happen that does not wait for a clock or a server. */
export async function settled(): Promise<void> {
	for (let turn = 0; turn < 5; turn += 1) await new Promise(setImmediate);
}

/** A server with events, and a clock that stands still. */
export function eventServer(): EventServer {
	const streams: OpenStream[] = [];
	const pauses: number[] = [];
	let reaction: Reaction = "stream";
	let asked = 0;
	let now = 0;
	let endPause = (): void => undefined;
	const request = async (given: HttpRequest): Promise<HttpResponse> => {
		asked += 1;
		if (reaction === "down") throw new Error("connection refused");
		if (reaction !== "stream") {
			const { status, type = "text/plain" } = reaction;
			return { status, headers: { "content-type": type }, body: bodyOf([]).body };
		}
		const { stream, body } = openStream(given);
		streams.push(stream);
		return { status: 200, headers: { "content-type": "text/event-stream" }, body };
	};
	const wait = async (milliseconds: number, signal: AbortSignal): Promise<void> => {
		pauses.push(milliseconds);
		const { promise, resolve, reject } = Promise.withResolvers<void>();
		signal.addEventListener("abort", () => reject(signal.reason), { once: true });
		endPause = resolve;
		await promise;
	};
	const events = createEvents({ request }, { now: () => now, wait });
	return {
		events,
		streams,
		asked: () => asked,
		react(next) {
			reaction = next;
		},
		pauses,
		async pass() {
			now += pauses.at(-1) ?? 0;
			endPause();
			await settled();
		},
		advance(milliseconds) {
			now += milliseconds;
		},
		record() {
			const kinds: string[] = [];
			const name = (event: AdminEvent): string =>
				event.kind === "unavailable" ? event.reason : event.kind;
			return { kinds, stop: events.listen((event) => void kinds.push(name(event))) };
		},
	};
}

function openStream(request: HttpRequest): { stream: OpenStream; body: HttpBody } {
	const { body, push, isClosed } = bodyOf();
	request.signal?.addEventListener("abort", () => push(new Error("aborted")), { once: true });
	const stream: OpenStream = {
		request,
		async send(...messages) {
			for (const data of messages) push(`event:message\ndata:${data}\n\n`);
			await settled();
		},
		async end() {
			push(undefined);
			await settled();
		},
		async cut() {
			push(new Error("reset"));
			await settled();
		},
		isClosed,
	};
	return { stream, body };
}

/** A body whose pieces come when they are pushed; undefined ends it, an error breaks it. */
function bodyOf(pieces: (string | Error | undefined)[] = []): {
	readonly body: HttpBody;
	readonly push: (piece: string | Error | undefined) => void;
	readonly isClosed: () => boolean;
} {
	let wake = (): void => undefined;
	let closed = false;
	const body: HttpBody = {
		destroy() {
			closed = true;
		},
		async *[Symbol.asyncIterator]() {
			for (;;) {
				while (pieces.length === 0) {
					await new Promise<void>((resolve) => {
						wake = resolve;
					});
				}
				const piece = pieces.shift();
				if (piece === undefined) return;
				if (piece instanceof Error) throw piece;
				yield new TextEncoder().encode(piece);
			}
		},
	};
	const push = (piece: string | Error | undefined): void => {
		pieces.push(piece);
		wake();
	};
	return { body, push, isClosed: () => closed };
}
