import { faultFrom, parseFault, type ServerFault } from "../error-body.ts";
import { AiServerError } from "../errors.ts";
import { readText } from "../http/read-text.ts";
import type { Http, HttpResponse } from "../http/types.ts";
import { createEventReader, errorEvent } from "../sse.ts";
import { plainText } from "../text.ts";
import { type Chunk, readChunk } from "./chunk.ts";
import { openBody } from "./detect-stream.ts";
import { isLoadFailure, isLoadFault, wordStatus, wordStreamFault } from "./error-text.ts";
import { type SilenceWatch, watchSilence } from "./idle-timeout.ts";
import { createPace } from "./yield.ts";

const CHAT_PATH = "/v1/chat/completions";
/** How long the end of a body may follow its [DONE]. */
const DRAIN_MS = 1000;
/** How long a request waits for the connection of the last answer; another one takes a handshake. */
const FREE_MS = 100;
const BODY_LIMIT = 8 * 1024 * 1024;

export interface ExchangeDeps {
	readonly http: Http;
	/** Milliseconds without a byte after which an exchange is given up. */
	readonly timeoutMs: number;
	/** The last lines of a model's log, for a load that failed; short, and never rejects. */
	readonly explainLoad?: (model: string) => Promise<string | undefined>;
}

/** A chat request as far as the exchange looks into it. */
export interface ExchangeRequest {
	readonly model: string;
	readonly [parameter: string]: unknown;
}

export interface ExchangeOptions {
	readonly headers: Readonly<Record<string, string>>;
	readonly signal?: AbortSignal | undefined;
	/** Awaited before the body is read. */
	readonly onHead: (head: { status: number; headers: Record<string, string> }) => Promise<void>;
	/** Awaited when it returns a promise. */
	readonly onChunk: (chunk: Chunk) => unknown;
}

export interface Exchange {
	/**
	 * Posts a chat request and hands over the chunks of its answer. Resolves when the answer is
	 * complete; rejects with the fault, worded for pi, or with the signal's reason.
	 */
	run(request: ExchangeRequest, options: ExchangeOptions): Promise<void>;
}

/** An error whose text is final: pi reads it, so nothing may be put around it. */
class WordedError extends Error {}

/** An error that the server told inside a stream. */
class StreamFault extends Error {
	readonly fault: ServerFault;

	constructor(fault: ServerFault) {
		super(fault.message);
		this.fault = fault;
	}
}

export function createExchange({ http, timeoutMs, explainLoad }: ExchangeDeps): Exchange {
	/** Answers that are complete, on connections that are not free yet. */
	const draining = new Set<Promise<void>>();
	const onDrain = (drained: Promise<void>): void => {
		draining.add(drained);
		void drained.then(() => draining.delete(drained));
	};
	const post = (
		request: ExchangeRequest,
		headers: Readonly<Record<string, string>>,
		signal: AbortSignal,
	): Promise<HttpResponse> =>
		http.request({
			method: "POST",
			path: CHAT_PATH,
			headers: {
				accept: "text/event-stream",
				"content-type": "application/json",
				...headers,
			},
			body: JSON.stringify(request),
			signal,
		});
	const refuse = async (response: HttpResponse, model: string): Promise<never> => {
		const body = await readText(response, BODY_LIMIT);
		const failedLoad = isLoadFailure(response.status, body);
		const why = failedLoad ? await explainLoad?.(model) : undefined;
		throw new WordedError(wordStatus(response.status, body, model, why));
	};
	const told = async ({ fault }: StreamFault, model: string): Promise<WordedError> => {
		const why = isLoadFault(fault) ? await explainLoad?.(model) : undefined;
		return new WordedError(wordStreamFault(fault, model, why));
	};
	return {
		async run(request, { headers, signal, onHead, onChunk }) {
			const watch = watchSilence(timeoutMs, signal);
			try {
				if (draining.size > 0) await settled(draining);
				const response = await post(request, headers, watch.signal);
				watch.heard();
				const { status } = response;
				if (status < 200 || status >= 300) await refuse(response, request.model);
				try {
					await onHead({ status, headers: { ...response.headers } });
				} catch (error) {
					response.body.destroy();
					throw error;
				}
				const opened = await openBody(response);
				const bytes = opened.isStream
					? await readStream(opened.response, watch, onChunk, onDrain)
					: await readWhole(opened.response, onChunk);
				if (bytes > 0) return;
				const reason = await askForReason(request, headers, watch.signal, post);
				throw new WordedError(reason);
			} catch (error) {
				throw error instanceof StreamFault ? await told(error, request.model) : error;
			} finally {
				watch.stop();
			}
		},
	};
}

/** Number of bytes read. Rejects unless the answer came to its end. */
async function readStream(
	response: HttpResponse,
	{ heard, signal }: SilenceWatch,
	onChunk: (chunk: Chunk) => unknown,
	onDrain: (drained: Promise<void>) => void,
): Promise<number> {
	const reader = createEventReader();
	const pace = createPace();
	let bytes = 0;
	let finished = false;
	let loading = "";
	const take = async (events: readonly string[]): Promise<boolean> => {
		for (const data of events) {
			if (data.startsWith("[DONE]")) return true;
			if (data.trim() === "") continue;
			const chunk = parseChunk(data);
			if (chunk === undefined) continue;
			if (chunk.fault !== undefined) throw new StreamFault(chunk.fault);
			if (chunk.loading !== undefined) loading += chunk.loading;
			finished ||= chunk.finish !== undefined;
			const observed = onChunk(chunk);
			if (observed instanceof Promise) await observed;
			const others = pace();
			if (others === undefined) continue;
			await others;
			signal.throwIfAborted();
		}
		return false;
	};
	const parts = response.body[Symbol.asyncIterator]();
	try {
		for (let part = await parts.next(); part.done !== true; part = await parts.next()) {
			heard();
			bytes += part.value.byteLength;
			const events = reader.feed(part.value);
			if (events.length > 0 && (await take(events))) {
				onDrain(drain(parts, response));
				return bytes;
			}
		}
		if (bytes === 0 || (await take(reader.end().filter(isWhole)))) return bytes;
	} catch (error) {
		response.body.destroy();
		throw error;
	}
	if (!finished) throw unfinished(reader.stray(), loading);
	return bytes;
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

/** Resolves when all of them are through, or when waiting for them would cost more than it saves. */
function settled(draining: ReadonlySet<Promise<void>>): Promise<void> {
	const { promise, resolve } = Promise.withResolvers<void>();
	const timer = setTimeout(resolve, FREE_MS);
	void Promise.all(draining).then(() => {
		clearTimeout(timer);
		resolve();
	});
	return promise;
}

/** Why a stream stopped without a finish: what stood between the events, else that it was cut. */
function unfinished(stray: string, loading: string): Error {
	const braces = stray.indexOf("{");
	const text = /^(?:error|data): ?/.test(stray)
		? stray.slice(stray.indexOf(":") + 1)
		: stray.slice(Math.max(0, braces));
	// v218 to v220 write the next frame onto the same line.
	const said = text.replace(/\}data: \{[\s\S]*$/, "}");
	// Older llama-servers write the error without the object around it.
	const fault = parseFault(/^error: ?\{/.test(stray) ? errorEvent(said) : said);
	if (fault !== undefined) return new StreamFault(fault);
	const told = /Unable to swap model err: (.*?)(?=Done!|\n|$)/.exec(loading)?.[1];
	if (told !== undefined) {
		const message = told.trim();
		return new StreamFault({ message, type: undefined, code: undefined, fromProxy: true });
	}
	if (loading !== "" && !loading.includes("Done!")) {
		return new WordedError(
			"Connection error: the stream ended without finish_reason while the model was loading",
		);
	}
	return new WordedError(
		"Connection error: the stream ended without finish_reason; the model's server stopped, or was stopped",
	);
}

/** A 200 that is no event stream: a whole completion is as good, anything else is quoted. */
async function readWhole(
	response: HttpResponse,
	onChunk: (chunk: Chunk) => unknown,
): Promise<number> {
	const body = await readText(response, BODY_LIMIT);
	if (body.trim() === "") return 0;
	const chunk = body.trimStart().startsWith("{") ? parseChunk(body) : undefined;
	if (chunk?.finish === undefined) throw notAnAnswer(body);
	await onChunk(chunk);
	return body.length;
}

function notAnAnswer(body: string): AiServerError {
	const hint = "Check that AI_SERVER_URL leads to llama-swap";
	const parsed = parseJson(body);
	const said = faultFrom(parsed)?.message;
	if (said === undefined && typeof parsed === "object" && parsed !== null) {
		const fields = Object.keys(parsed).slice(0, 5).join(", ");
		const words = `The server answered with JSON that is no chat completion (its fields: ${fields})`;
		return new AiServerError("protocol", words, { hint });
	}
	const text = plainText((said ?? body).replace(/<[^>]*>/g, " "))
		.replace(/\s+/g, " ")
		.trim();
	const words = `The server answered with something else: ${text.slice(0, 200)}`;
	return new AiServerError("protocol", words, { hint });
}

/**
 * An empty 200: llama_cpp.server hides every fault of a streamed request so, llama-swap a cancelled
 * one. The same question without streaming, for one token, brings the server's own reason.
 */
async function askForReason(
	request: ExchangeRequest,
	headers: Readonly<Record<string, string>>,
	signal: AbortSignal,
	post: (
		request: ExchangeRequest,
		headers: Readonly<Record<string, string>>,
		signal: AbortSignal,
	) => Promise<HttpResponse>,
): Promise<string> {
	const { stream: _stream, stream_options: _options, ...rest } = request;
	const plain = { ...rest, stream: false, max_tokens: 1 } as ExchangeRequest;
	const response = await post(plain, { ...headers, accept: "application/json" }, signal);
	const body = await readText(response, BODY_LIMIT);
	if (response.status >= 200 && response.status < 300) {
		return "Connection error: the server ended the stream without a word";
	}
	return wordStatus(response.status, body, request.model, undefined);
}

/** A last event may have been cut in its middle; then it says nothing. */
function isWhole(data: string): boolean {
	return data.startsWith("[DONE]") || parseJson(data) !== undefined;
}

function parseJson(text: string): unknown {
	try {
		return JSON.parse(text);
	} catch {
		return undefined;
	}
}

function parseChunk(data: string): Chunk | undefined {
	try {
		return readChunk(data);
	} catch (error) {
		const start = plainText(data).slice(0, 100);
		throw new AiServerError("protocol", `The server sent an event that is not JSON: ${start}`, {
			hint: "Look at the server's log",
			cause: error,
		});
	}
}
