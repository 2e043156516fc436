import { errorFrom } from "../error-body.ts";
import { AiServerError } from "../errors.ts";
import { readText } from "../http/read-text.ts";
import type { Http, HttpResponse } from "../http/types.ts";
import { oneLine } from "../text.ts";
import type { Chunk } from "./chunk.ts";
import { openBody } from "./detect-stream.ts";
import {
	ChatError,
	draftStatus,
	draftStreamError,
	isLoadError,
	isLoadFailure,
	StreamError,
} from "./errors/error-text.ts";
import { startIdleTimeout } from "./idle-timeout.ts";
import { parseChunk, readStream } from "./read-stream.ts";

const CHAT_PATH = "/v1/chat/completions";
/** How long a request waits for the connection of the last answer; a new one takes a handshake. */
const FREE_MS = 100;
const MAX_BODY = 8 * 1024 * 1024;

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
	 * complete; rejects with ChatError, AiServerError, or the signal's reason.
	 */
	run(request: ExchangeRequest, options: ExchangeOptions): Promise<void>;
}

export function createExchange({ http, timeoutMs, explainLoad }: ExchangeDeps): Exchange {
	/** Answers that are complete, on connections that are not free yet. */
	const draining = new Set<Promise<void>>();
	const onDrain = (drained: Promise<void>): void => {
		draining.add(drained);
		void drained.then(() => draining.delete(drained));
	};
	const refusal = async (response: HttpResponse, model: string): Promise<ChatError> => {
		const { status } = response;
		const body = await readText(response, MAX_BODY);
		const log = isLoadFailure(status, body) ? await explainLoad?.(model) : undefined;
		return new ChatError(draftStatus(status, body, model, log));
	};
	const explained = async ({ error }: StreamError, model: string): Promise<ChatError> => {
		const log = isLoadError(error) ? await explainLoad?.(model) : undefined;
		return new ChatError(draftStreamError(error, model, log));
	};
	return {
		async run(request, { headers, signal, onHead, onChunk }) {
			const idle = startIdleTimeout(timeoutMs, signal);
			try {
				if (draining.size > 0) await settled(draining);
				const response = await post(http, request, headers, idle.signal);
				idle.restart();
				const { status } = response;
				if (status < 200 || status >= 300) throw await refusal(response, request.model);
				try {
					await onHead({ status, headers: { ...response.headers } });
				} catch (error) {
					response.body.destroy();
					throw error;
				}
				const opened = await openBody(response);
				const bytes = opened.isStream
					? await readStream(opened.response, { idle, onChunk, onDrain })
					: await readWhole(opened.response, onChunk);
				if (bytes === 0) throw await reasonOfEmptyAnswer(http, request, headers, idle.signal);
			} catch (error) {
				throw error instanceof StreamError ? await explained(error, request.model) : error;
			} finally {
				idle.stop();
			}
		},
	};
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

/** Resolves when all of them are done, or when waiting for them would cost more than it saves. */
function settled(draining: ReadonlySet<Promise<void>>): Promise<void> {
	const { promise, resolve } = Promise.withResolvers<void>();
	const timer = setTimeout(resolve, FREE_MS);
	void Promise.all(draining).then(() => {
		clearTimeout(timer);
		resolve();
	});
	return promise;
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
): Promise<ChatError> {
	const { stream: _stream, stream_options: _options, ...rest } = request;
	const plain: ExchangeRequest = { ...rest, model: request.model, stream: false, max_tokens: 1 };
	const response = await post(http, plain, { ...headers, accept: "application/json" }, signal);
	const body = await readText(response, MAX_BODY);
	if (response.status >= 200 && response.status < 300) {
		return new ChatError("Connection error: the server closed the stream without sending data");
	}
	return new ChatError(draftStatus(response.status, body, request.model, undefined));
}
