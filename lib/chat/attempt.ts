import { errorFrom, parseErrorBody, type ServerError } from "../error-body.ts";
import { AiServerError } from "../errors.ts";
import { readText } from "../http/read-text.ts";
import type { Http, HttpResponse } from "../http/types.ts";
import { waitFor } from "../poll.ts";
import { oneLine } from "../text.ts";
import type { Chunk } from "./chunk.ts";
import { openBody } from "./detect-stream.ts";
import { ChatError, StreamError } from "./errors/error-text.ts";
import type { IdleTimeout } from "./idle-timeout.ts";
import { parseChunk, readStream } from "./read-stream.ts";
import { MAX_WAIT_MS, waitAskedFor } from "./remedies/retry-after.ts";

const CHAT_PATH = "/v1/chat/completions";
const MAX_BODY = 8 * 1024 * 1024;

export interface AttemptDeps {
	readonly http: Http;
	/** Milliseconds without a byte after which an exchange is given up. */
	readonly timeoutMs: number;
	/** Takes what is still to come of an answer that is complete. */
	readonly onDrain: (drained: Promise<void>) => void;
	readonly wait?: ((milliseconds: number, signal: AbortSignal) => Promise<void>) | undefined;
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

/** What a server says against a request. */
export type Refusal = HttpRefusal | StreamRefusal;

export interface HttpRefusal {
	readonly status: number;
	readonly body: string;
	/** Undefined for an empty body. */
	readonly error: ServerError | undefined;
	readonly isLate: false;
}

/** An error inside a stream whose status was 200. */
export interface StreamRefusal {
	readonly status: undefined;
	readonly body: string;
	readonly error: ServerError;
	/** True when a part of the answer has been handed over: then nothing can be asked again. */
	readonly isLate: boolean;
}

/** Undefined when the answer came to its end. Throws what is no word of the server. */
export type Attempt = (
	request: ExchangeRequest,
	options: ExchangeOptions,
	idle: IdleTimeout,
) => Promise<Refusal | undefined>;

/** One request and its answer; one more only where the server was busy, or hid its reason. */
export function createAttempt(deps: AttemptDeps): Attempt {
	const { http, onDrain } = deps;
	return async (request, { headers, onHead, onChunk }, idle) => {
		const response = await postPatiently(deps, request, headers, idle);
		const { status } = response;
		if (status < 200 || status >= 300)
			return refusalFrom(status, await readText(response, MAX_BODY));
		try {
			await onHead({ status, headers: { ...response.headers } });
		} catch (error) {
			response.body.destroy();
			throw error;
		}
		try {
			const opened = await openBody(response);
			const bytes = opened.isStream
				? await readStream(opened.response, { idle, onChunk, onDrain })
				: await readWhole(opened.response, onChunk);
			if (bytes > 0) return undefined;
			return await reasonOfEmptyAnswer(http, request, headers, idle.signal);
		} catch (thrown) {
			if (!(thrown instanceof StreamError)) throw thrown;
			const { error, isLate } = thrown;
			return { status: undefined, body: JSON.stringify({ error }), error, isLate };
		}
	};
}

function refusalFrom(status: number, body: string): HttpRefusal {
	return { status, body, error: parseErrorBody(body), isLate: false };
}

/** Waits as long as a busy server asks for, unless that is longer than anybody should wait. */
async function postPatiently(
	{ http, timeoutMs, wait = waitFor }: AttemptDeps,
	request: ExchangeRequest,
	headers: Readonly<Record<string, string>>,
	idle: IdleTimeout,
): Promise<HttpResponse> {
	let left = Math.min(MAX_WAIT_MS, timeoutMs - 1);
	for (;;) {
		const response = await post(http, request, headers, idle.signal);
		idle.restart();
		const pause = waitAskedFor(response, left, Date.now());
		if (pause === undefined) return response;
		await readText(response, MAX_BODY);
		await wait(pause, idle.signal);
		idle.signal.throwIfAborted();
		idle.restart();
		left -= pause;
	}
}

function post(
	http: Http,
	request: ExchangeRequest,
	headers: Readonly<Record<string, string>>,
	signal: AbortSignal,
): Promise<HttpResponse> {
	return http.request({
		method: "POST",
		path: CHAT_PATH,
		headers: { accept: "text/event-stream", "content-type": "application/json", ...headers },
		body: JSON.stringify(request),
		signal,
	});
}

/** A 200 that is not an event stream: a whole completion is as good, anything else is quoted. */
async function readWhole(
	response: HttpResponse,
	onChunk: (chunk: Chunk) => unknown,
): Promise<number> {
	const body = await readText(response, MAX_BODY);
	if (body.trim() === "") return 0;
	const chunk = body.trimStart().startsWith("{") ? parseChunk(body) : undefined;
	if (chunk?.finish === undefined) throw notAnAnswer(body, chunk?.raw);
	await onChunk(chunk);
	return body.length;
}

function notAnAnswer(body: string, json: unknown): AiServerError {
	const message = errorFrom(json)?.message;
	const what =
		message === undefined && typeof json === "object" && json !== null
			? `JSON with the fields ${Object.keys(json).slice(0, 5).join(", ")}`
			: oneLine((message ?? body).replace(/<[^>]*>/g, " ")).slice(0, 200);
	return new AiServerError("protocol", `The server's answer is not a chat completion: ${what}`, {
		hint: "Check that the URL leads to llama-swap",
		setting: "url",
	});
}

/**
 * An empty 200: llama_cpp.server hides every error of a streamed request so, llama-swap a cancelled
 * one. The same question without streaming, for one token, brings the server's own reason.
 */
async function reasonOfEmptyAnswer(
	http: Http,
	request: ExchangeRequest,
	headers: Readonly<Record<string, string>>,
	signal: AbortSignal,
): Promise<HttpRefusal> {
	const { stream: _stream, stream_options: _options, ...rest } = request;
	const plain: ExchangeRequest = { ...rest, model: request.model, stream: false, max_tokens: 1 };
	const response = await post(http, plain, { ...headers, accept: "application/json" }, signal);
	const body = await readText(response, MAX_BODY);
	if (response.status >= 200 && response.status < 300) {
		throw new ChatError("Connection error: the server closed the stream without sending data");
	}
	return refusalFrom(response.status, body);
}
