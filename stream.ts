import {
	type Api,
	type AssistantMessage,
	type AssistantMessageEventStream,
	createAssistantMessageEventStream,
	isContextOverflow,
	isRetryableAssistantError,
	type Model,
	type SimpleStreamOptions,
} from "@earendil-works/pi-ai";
import type { Chunk, PromptProgress, Timings } from "./lib/chat/chunk.ts";
import { draftFailure } from "./lib/chat/errors/error-text.ts";
import { type ErrorJudge, settleError } from "./lib/chat/errors/verdict.ts";
import { createExchange, type ExchangeDeps } from "./lib/chat/exchange.ts";
import { mergeHeaders } from "./lib/chat/headers.ts";
import type { ChatRequest } from "./lib/chat/request.ts";
import type { Names } from "./lib/errors.ts";
import { createConverter, type ModelFacts, type Transcript } from "./messages.ts";
import { createAdviser } from "./stream/advice.ts";
import { Answer } from "./stream/answer.ts";

/** What happens besides the answer, for display. */
export type ChatProgress =
	/** llama-swap's text while it loads the model. */
	| { readonly kind: "loading"; readonly text: string }
	| ({ readonly kind: "prompt" } & PromptProgress)
	| ({ readonly kind: "speed" } & Timings);

export interface StreamDeps extends ExchangeDeps {
	/** What the user calls the settings and commands, for the hints of errors. */
	readonly names?: Names;
	/** What is known of a model besides pi's own description. */
	readonly factsOf?: (id: string) => ModelFacts | undefined;
	readonly onProgress?: (progress: ChatProgress, model: string) => void;
	/**
	 * Takes sentences for the user: advice about a server's settings, what requests go without, and the
	 * full text of an error whose message had to leave some of it out, because pi would have taken it
	 * for a reason to try again or to compact.
	 */
	readonly notice?: (text: string) => void;
}

export type StreamSimple = (
	model: Model<Api>,
	context: Transcript,
	options?: SimpleStreamOptions,
) => AssistantMessageEventStream;

/** What pi itself concludes from the text of an error. */
const PI: ErrorJudge = {
	isOverflow: (text) => isContextOverflow(failedMessage(text)),
	isRetryable: (text) => isRetryableAssistantError(failedMessage(text)),
};

/**
 * A chat completion as pi's event stream. The function never throws and the stream always ends with
 * exactly one `done` or `error`, whatever the server does; otherwise pi could not leave the turn.
 */
export function createStreamSimple(deps: StreamDeps): StreamSimple {
	const { names, factsOf, onProgress, notice } = deps;
	const converter = createConverter(factsOf);
	const exchange = createExchange(deps);
	const advise = createAdviser(notice);
	return (model, context, options = {}) => {
		const stream = createAssistantMessageEventStream();
		const answer = new Answer(model, stream);
		const run = async (): Promise<void> => {
			const request = converter.request(model, context, options);
			answer.sent(request);
			const replaced = (await options.onPayload?.(request, model)) as ChatRequest | undefined;
			await exchange.run(replaced ?? request, {
				headers: mergeHeaders(
					options.sessionId === undefined ? {} : { "x-session-id": options.sessionId },
					model.headers,
					options.headers,
				),
				signal: options.signal,
				onHead: async (head) => {
					await options.onResponse?.(head, model);
					answer.begin();
				},
				onChunk: (chunk) => {
					if (onProgress !== undefined) reportProgress(chunk, model.id, onProgress);
					answer.add(chunk);
					return options.onProviderStreamEvent?.(chunk.raw, model);
				},
			});
			answer.finish();
			advise(answer.outcome, model.id, request["tools"] !== undefined);
		};
		run().catch((error: unknown) => {
			if (options.signal?.aborted === true) answer.fail("aborted", "Request was aborted");
			else {
				const { text, full } = settleError(draftFailure(error), PI, names);
				if (full !== undefined) notice?.(`The full error message: ${full}`);
				answer.fail("error", text);
			}
		});
		return stream;
	};
}

function reportProgress(
	{ loading, progress, timings }: Chunk,
	model: string,
	report: NonNullable<StreamDeps["onProgress"]>,
): void {
	if (loading !== undefined) {
		report({ kind: "loading", text: loading }, model);
		return;
	}
	if (progress !== undefined) report({ kind: "prompt", ...progress }, model);
	if (timings !== undefined) report({ kind: "speed", ...timings }, model);
}

/** The least that pi's predicates look at. */
function failedMessage(errorMessage: string): AssistantMessage {
	return {
		role: "assistant",
		content: [],
		api: "",
		provider: "",
		model: "",
		usage: {
			input: 0,
			output: 0,
			cacheRead: 0,
			cacheWrite: 0,
			totalTokens: 0,
			cost: { input: 0, output: 0, cacheRead: 0, cacheWrite: 0, total: 0 },
		},
		stopReason: "error",
		errorMessage,
		timestamp: 0,
	};
}
