import { parseErrorBody, type ServerError } from "../error-body.ts";
import { AiServerError } from "../errors.ts";
import type { HttpResponse } from "../http/types.ts";
import { parseJson } from "../json.ts";
import { createEventReader, errorEvent } from "../sse.ts";
import { plainText } from "../text.ts";
import { type Chunk, readChunk } from "./chunk.ts";
import { ChatError, StreamError, unfinishedText } from "./errors/error-text.ts";
import type { IdleTimeout } from "./idle-timeout.ts";
import { createYield } from "./yield.ts";

/** How long the end of a body may follow its [DONE]. */
const DRAIN_MS = 1000;

export interface StreamReading {
	readonly idle: IdleTimeout;
	/** Awaited when it returns a promise. */
	readonly onChunk: (chunk: Chunk) => unknown;
	/** Takes what is still to come after [DONE], which keeps the connection busy. */
	readonly onDrain: (drained: Promise<void>) => void;
}

/** Number of bytes read. Rejects unless the answer came to its end. */
export async function readStream(
	response: HttpResponse,
	{ idle, onChunk, onDrain }: StreamReading,
): Promise<number> {
	const reader = createEventReader();
	const frames = new Frames(idle.signal, onChunk);
	const parts = response.body[Symbol.asyncIterator]();
	let bytes = 0;
	try {
		for (let part = await parts.next(); part.done !== true; part = await parts.next()) {
			idle.restart();
			bytes += part.value.byteLength;
			const events = reader.feed(part.value);
			if (events.length > 0 && (await frames.take(events))) {
				onDrain(drain(parts, response));
				return bytes;
			}
		}
		if (bytes === 0 || (await frames.take(reader.end().filter(isWhole)))) return bytes;
	} catch (error) {
		response.body.destroy();
		throw error;
	}
	if (!frames.isFinished) throw unfinished(reader.stray(), frames);
	return bytes;
}

/** Hands over the events of one stream and remembers how far they have come. */
class Frames {
	isFinished = false;
	/** True when a part of the answer has been handed over. */
	hasBegun = false;
	/** llama-swap's text while it loads the model. */
	loading = "";
	private readonly signal: AbortSignal;
	private readonly onChunk: (chunk: Chunk) => unknown;
	private readonly yieldNow = createYield();

	constructor(signal: AbortSignal, onChunk: (chunk: Chunk) => unknown) {
		this.signal = signal;
		this.onChunk = onChunk;
	}

	/** True at [DONE]. */
	async take(events: readonly string[]): Promise<boolean> {
		for (const data of events) {
			if (isDone(data)) return true;
			if (data.trim() === "") continue;
			const chunk = this.isFinished ? parseLate(data) : parseChunk(data);
			if (chunk === undefined) continue;
			if (chunk.error !== undefined) throw new StreamError(chunk.error, this.hasBegun);
			if (chunk.loading !== undefined) this.loading += chunk.loading;
			else this.hasBegun = true;
			this.isFinished ||= chunk.finish !== undefined;
			const observed = this.onChunk(chunk);
			if (observed instanceof Promise) await observed;
			const others = this.yieldNow();
			if (others === undefined) continue;
			await others;
			this.signal.throwIfAborted();
		}
		return false;
	}
}

/** Behind a finish an event that is no JSON takes nothing from the answer. */
function parseLate(data: string): Chunk | undefined {
	try {
		return parseChunk(data);
	} catch {
		return undefined;
	}
}

/**
 * [DONE] ends the answer at once. What is left is the end of the body, which frees the connection
 * for the next turn; a server that never sends it loses the connection.
 */
async function drain(parts: AsyncIterator<Uint8Array>, { body }: HttpResponse): Promise<void> {
	const timer = setTimeout(() => body.destroy(), DRAIN_MS).unref();
	try {
		while ((await parts.next()).done !== true);
	} catch {
		// The answer was complete before the connection broke.
	} finally {
		clearTimeout(timer);
	}
}

/** Why a stream stopped without a finish: the text between its events, else that it was cut off. */
function unfinished(
	stray: string,
	{ loading, hasBegun }: Pick<Frames, "loading" | "hasBegun">,
): Error {
	const braces = stray.indexOf("{");
	const text = /^(?:error|data): ?/.test(stray)
		? stray.slice(stray.indexOf(":") + 1)
		: stray.slice(Math.max(0, braces));
	// v218 to v220 write the next frame onto the same line.
	const body = text.replace(/\}data: \{[\s\S]*$/, "}");
	// Older llama-servers write the error without the object around it.
	const error = parseErrorBody(/^error: ?\{/.test(stray) ? errorEvent(body) : body);
	if (error !== undefined) return new StreamError(error, hasBegun);
	const reason = /Unable to swap model err: (.*?)(?=Done!|\n|$)/.exec(loading)?.[1];
	if (reason !== undefined) {
		const message = reason.trim();
		const error: ServerError = { message, type: undefined, code: undefined, fromProxy: true };
		return new StreamError(error, hasBegun);
	}
	const isLoading = loading !== "" && !loading.includes("Done!");
	return new ChatError(
		`${unfinishedText(undefined)}${
			isLoading ? " while the model was loading" : "; the model's server stopped, or was stopped"
		}`,
	);
}

/** A last event may have been cut in its middle; then it is ignored. */
function isWhole(data: string): boolean {
	return isDone(data) || parseJson(data) !== undefined;
}

/** Some servers put more than one blank before it. */
function isDone(data: string): boolean {
	return !data.startsWith("{") && data.trimStart().startsWith("[DONE]");
}

/** Undefined for JSON that is not an object. Throws AiServerError "protocol" for what is not JSON. */
export function parseChunk(data: string): Chunk | undefined {
	try {
		return readChunk(data);
	} catch (error) {
		const start = plainText(data).slice(0, 100);
		throw new AiServerError("protocol", `The server sent an event that is not JSON: ${start}`, {
			hint: "Check the server's log",
			cause: error,
		});
	}
}
