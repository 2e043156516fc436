import { randomUUID } from "node:crypto";
import {
	type Api,
	type AssistantMessage,
	type AssistantMessageEventStream,
	type Context,
	calculateCost,
	createAssistantMessageEventStream,
	type Model,
	type SimpleStreamOptions,
	type TextContent,
	type ThinkingContent,
	type ToolCall,
	type TranscriptContext,
} from "@earendil-works/pi-ai";
import {
	type ArgumentsReader,
	createArgumentsReader,
	finishArguments,
} from "./lib/chat/arguments.ts";
import type { CallDelta, Chunk, PromptProgress, Timings, TokenCounts } from "./lib/chat/chunk.ts";
import { wordFailure } from "./lib/chat/error-text.ts";
import { estimateUsage, NO_TOKENS } from "./lib/chat/estimate.ts";
import { createExchange, type ExchangeDeps } from "./lib/chat/exchange.ts";
import { mergeHeaders } from "./lib/chat/headers.ts";
import type { ChatRequest } from "./lib/chat/request.ts";
import type { Thinking } from "./lib/llama-server/thinking.ts";
import { createConverter } from "./messages.ts";

/** What happens beside the answer, for whoever shows it. */
export type ChatProgress =
	/** llama-swap's words while it loads the model. */
	| { readonly kind: "loading"; readonly text: string }
	| ({ readonly kind: "prompt" } & PromptProgress)
	| ({ readonly kind: "speed" } & Timings);

export interface StreamDeps extends ExchangeDeps {
	/**
	 * False on hosts that run a tool whose arguments could not be read (before pi 1.5): there such a
	 * turn ends as an error instead.
	 */
	readonly honoursArgumentsError: boolean;
	/** What a model's template knows of thinking; undefined while nobody has read it. */
	readonly thinkingOf?: (id: string) => Thinking | undefined;
	readonly onProgress?: (progress: ChatProgress, model: string) => void;
}

export type StreamSimple = (
	model: Model<Api>,
	context: TranscriptContext | Context,
	options?: SimpleStreamOptions,
) => AssistantMessageEventStream;

/** `options.onProviderStreamEvent`, which hosts before pi 1.5 do not have. */
type Observer = (data: unknown, model: Model<Api>) => unknown;

/**
 * A chat completion as pi's event stream. The function never throws and the stream always ends with
 * exactly one `done` or `error`, whatever the server does; otherwise pi could not leave the turn.
 */
export function createStreamSimple(deps: StreamDeps): StreamSimple {
	const converter = createConverter(deps.thinkingOf);
	const exchange = createExchange(deps);
	return (model, context, options = {}) => {
		const stream = createAssistantMessageEventStream();
		const answer = createAnswer(model, stream, deps);
		const observe = (options as { onProviderStreamEvent?: Observer }).onProviderStreamEvent;
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
					answer.add(chunk);
					return observe?.(chunk.raw, model);
				},
			});
			answer.finish();
		};
		run().catch((error: unknown) => answer.fail(error, options.signal?.aborted === true));
		return stream;
	};
}

interface Answer {
	sent(request: ChatRequest): void;
	begin(): void;
	add(chunk: Chunk): void;
	/** Ends with `done`, or with `error` when the server did not finish. */
	finish(): void;
	fail(error: unknown, aborted: boolean): void;
}

interface OpenCall {
	readonly block: ToolCall;
	/** Until the server gives one, the id is made up. */
	hasId: boolean;
	readonly index: number;
	readonly reader: ArgumentsReader;
}

/** Builds the one message of a turn, which is also what pi draws while it grows. */
function createAnswer(
	model: Model<Api>,
	stream: AssistantMessageEventStream,
	{ honoursArgumentsError, onProgress }: StreamDeps,
): Answer {
	const partial: AssistantMessage = {
		role: "assistant",
		content: [],
		api: model.api,
		provider: model.provider,
		model: model.id,
		usage: toUsage(model, NO_TOKENS),
		stopReason: "pending",
		timestamp: Date.now(),
	};
	const { content } = partial;
	// As in pi's own provider a message has one text and one thinking block, however they alternate.
	let text: { readonly block: TextContent; readonly index: number } | undefined;
	let thinking: { readonly block: ThinkingContent; readonly index: number } | undefined;
	const calls: OpenCall[] = [];
	const byIndex = new Map<number, OpenCall>();
	let finishReason: string | undefined;
	let counted: TokenCounts | undefined;
	let characters = 0;
	let request: ChatRequest | undefined;
	let begun = false;
	let ended = false;

	const begin = (): void => {
		if (begun) return;
		begun = true;
		stream.push({ type: "start", partial });
	};
	const addText = (delta: string): void => {
		if (text === undefined) {
			text = { block: { type: "text", text: "" }, index: content.length };
			content.push(text.block);
			stream.push({ type: "text_start", contentIndex: text.index, partial });
		}
		text.block.text += delta;
		stream.push({ type: "text_delta", contentIndex: text.index, delta, partial });
	};
	const addThinking = (delta: string, field: string): void => {
		if (thinking === undefined) {
			const block: ThinkingContent = { type: "thinking", thinking: "", thinkingSignature: field };
			thinking = { block, index: content.length };
			content.push(block);
			stream.push({ type: "thinking_start", contentIndex: thinking.index, partial });
		}
		thinking.block.thinking += delta;
		stream.push({ type: "thinking_delta", contentIndex: thinking.index, delta, partial });
	};
	const openCall = (delta: CallDelta): OpenCall => {
		const reader = createArgumentsReader();
		const id = delta.id === "" ? `call_${randomUUID().replaceAll("-", "").slice(0, 24)}` : delta.id;
		// What pi shows while arguments arrive is the reader's own live object.
		const args = reader.value as ToolCall["arguments"];
		const block: ToolCall = { type: "toolCall", id, name: delta.name, arguments: args };
		const call = { block, hasId: delta.id !== "", index: content.length, reader };
		content.push(block);
		calls.push(call);
		stream.push({ type: "toolcall_start", contentIndex: call.index, partial });
		return call;
	};
	const findCall = (delta: CallDelta): OpenCall => {
		const { index, id, name } = delta;
		const known =
			index === undefined
				? (calls.find(({ block }) => id !== "" && block.id === id) ??
					(id === "" && name === "" ? calls.at(-1) : undefined))
				: byIndex.get(index);
		// A new id and a name on an index that is taken: the server reuses it for the next call.
		const isNext = known !== undefined && id !== "" && name !== "" && id !== known.block.id;
		const call = known === undefined || isNext ? openCall(delta) : known;
		if (index !== undefined) byIndex.set(index, call);
		return call;
	};
	const addCall = (delta: CallDelta): void => {
		const call = findCall(delta);
		if (call.block.name === "") call.block.name = delta.name;
		if (!call.hasId && delta.id !== "") call.block.id = delta.id;
		call.hasId ||= delta.id !== "";
		call.reader.push(delta.arguments);
		const { index: contentIndex } = call;
		stream.push({ type: "toolcall_delta", contentIndex, delta: delta.arguments, partial });
	};
	const add = (chunk: Chunk): void => {
		if (chunk.loading !== undefined) {
			onProgress?.({ kind: "loading", text: chunk.loading }, model.id);
			return;
		}
		if (chunk.id !== undefined) partial.responseId ??= chunk.id;
		if (chunk.model !== undefined && chunk.model !== model.id)
			partial.responseModel ??= chunk.model;
		if (chunk.progress !== undefined) onProgress?.({ kind: "prompt", ...chunk.progress }, model.id);
		if (chunk.timings !== undefined) onProgress?.({ kind: "speed", ...chunk.timings }, model.id);
		counted = chunk.usage ?? chunk.timings ?? counted;
		characters += chunk.thinking.length + chunk.text.length;
		if (chunk.thinking !== "") addThinking(chunk.thinking, chunk.thinkingField);
		if (chunk.text !== "") addText(chunk.text);
		for (const delta of chunk.calls) addCall(delta);
		finishReason = chunk.finish ?? finishReason;
	};
	/** Ends every block, in order; returns what is wrong with the arguments of a call. */
	const endBlocks = (complete: boolean): string | undefined => {
		let fault: string | undefined;
		for (const [contentIndex, block] of content.entries()) {
			if (block.type === "text") {
				stream.push({ type: "text_end", contentIndex, content: block.text, partial });
			} else if (block.type === "thinking") {
				stream.push({ type: "thinking_end", contentIndex, content: block.thinking, partial });
			} else {
				const call = calls.find(({ index }) => index === contentIndex);
				const wrong = closeCall(block, call?.reader.text() ?? "", complete);
				fault ??= wrong;
				stream.push({ type: "toolcall_end", contentIndex, toolCall: block, partial });
			}
		}
		return fault;
	};
	/** Servers that report nothing: pi compacts by these numbers, so a guess beats a zero. */
	const guessTokens = (): TokenCounts => {
		const written = characters + calls.reduce((sum, { reader }) => sum + reader.text().length, 0);
		if (request === undefined || finishReason === undefined) return NO_TOKENS;
		return estimateUsage(request, written);
	};
	const settle = (complete: boolean): string | undefined => {
		partial.usage = toUsage(model, counted ?? guessTokens());
		if (finishReason !== undefined) partial.rawStopReason = finishReason;
		const fault = endBlocks(complete);
		ended = true;
		return fault;
	};
	const fail = (error: unknown, aborted: boolean): void => {
		if (ended) return;
		settle(false);
		const reason = aborted ? "aborted" : "error";
		partial.stopReason = reason;
		partial.errorMessage = aborted ? "Request was aborted" : wordFailure(error);
		stream.push({ type: "error", reason, error: partial });
		stream.end(partial);
	};
	const finish = (): void => {
		if (ended) return;
		const reason = toStopReason(finishReason, calls.length > 0);
		if (reason === undefined) {
			const none = "Connection error: the stream ended without finish_reason";
			fail(
				new Error(finishReason === undefined ? none : `Provider finish_reason: ${finishReason}`),
				false,
			);
			return;
		}
		begin();
		const fault = settle(true);
		if (fault !== undefined && !honoursArgumentsError && reason !== "length") {
			partial.stopReason = "error";
			partial.errorMessage = fault;
			stream.push({ type: "error", reason: "error", error: partial });
		} else {
			partial.stopReason = reason;
			stream.push({ type: "done", reason, message: partial });
		}
		stream.end(partial);
	};
	return {
		sent: (sending) => {
			request = sending;
		},
		begin,
		add,
		finish,
		fail,
	};
}

/**
 * Gives a call its final arguments; what was wrong with them goes to the model, not to the tool.
 * No host runs the calls of a turn that broke off, so those go on showing what came.
 */
function closeCall(block: ToolCall, text: string, complete: boolean): string | undefined {
	const finished = finishArguments(text);
	if ("value" in finished) {
		block.arguments = finished.value as ToolCall["arguments"];
		return undefined;
	}
	if (complete) block.arguments = {};
	Object.assign(block, { argumentsError: finished.fault });
	return `Invalid arguments for tool "${block.name}". ${finished.fault}`;
}

/** Undefined for a reason that is no end. A stop with calls is a tool turn, whatever the server says. */
function toStopReason(
	finish: string | undefined,
	hasCalls: boolean,
): "stop" | "length" | "toolUse" | undefined {
	switch (finish) {
		case "stop":
		case "end":
		case "eos":
			return hasCalls ? "toolUse" : "stop";
		case "length":
			return "length";
		case "tool_calls":
		case "function_call":
			return "toolUse";
		default:
			return undefined;
	}
}

function toUsage(model: Model<Api>, counts: TokenCounts): AssistantMessage["usage"] {
	const { input, cached, output, reasoning } = counts;
	const usage: AssistantMessage["usage"] = {
		input,
		output,
		cacheRead: cached,
		cacheWrite: 0,
		...(reasoning === undefined ? {} : { reasoning }),
		totalTokens: input + cached + output,
		cost: { input: 0, output: 0, cacheRead: 0, cacheWrite: 0, total: 0 },
	};
	calculateCost(model, usage);
	return usage;
}
