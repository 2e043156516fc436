import {
	type Api,
	type AssistantMessage,
	type AssistantMessageEventStream,
	calculateCost,
	type Model,
	type TextContent,
	type ThinkingContent,
} from "@earendil-works/pi-ai";
import type { CallDelta, Chunk, TokenCounts } from "../lib/chat/chunk.ts";
import { ChatError, unfinishedText } from "../lib/chat/errors/error-text.ts";
import { estimateUsage, NO_TOKENS } from "../lib/chat/estimate.ts";
import type { ChatRequest } from "../lib/chat/request.ts";
import type { Outcome } from "./advice.ts";
import { closeCall, ToolCalls } from "./tool-calls.ts";

interface Open<Block> {
	readonly block: Block;
	readonly contentIndex: number;
}

/** Builds the one message of a turn, which is also what pi draws while it grows. */
export class Answer {
	private readonly model: Model<Api>;
	private readonly stream: AssistantMessageEventStream;
	private readonly partial: AssistantMessage;
	// As in pi's own provider a message has one text and one thinking block, however they alternate.
	private text: Open<TextContent> | undefined;
	private thinking: Open<ThinkingContent> | undefined;
	private readonly calls = new ToolCalls();
	private finishReason: string | undefined;
	private counted: TokenCounts | undefined;
	private characters = 0;
	private request: ChatRequest | undefined;
	private hasBegun = false;
	private hasEnded = false;

	constructor(model: Model<Api>, stream: AssistantMessageEventStream) {
		this.model = model;
		this.stream = stream;
		this.partial = {
			role: "assistant",
			content: [],
			api: model.api,
			provider: model.provider,
			model: model.id,
			usage: toUsage(model, NO_TOKENS),
			stopReason: "pending",
			timestamp: Date.now(),
		};
	}

	/** Remembers the request, from which tokens are estimated where the server does not count them. */
	sent(request: ChatRequest): void {
		this.request = request;
	}

	begin(): void {
		if (this.hasBegun) return;
		this.hasBegun = true;
		this.stream.push({ type: "start", partial: this.partial });
	}

	/** Adds what a chunk holds of the answer itself. */
	add(chunk: Chunk): void {
		if (chunk.loading !== undefined) return;
		const { partial } = this;
		if (chunk.id !== undefined) partial.responseId ??= chunk.id;
		if (chunk.model !== undefined && chunk.model !== this.model.id) {
			partial.responseModel ??= chunk.model;
		}
		this.counted = chunk.usage ?? countedIn(chunk.timings) ?? this.counted;
		this.characters += chunk.thinking.length + chunk.text.length;
		if (chunk.thinking !== "") this.addThinking(chunk.thinking, chunk.thinkingField);
		if (chunk.text !== "") this.addText(chunk.text);
		for (const delta of chunk.calls) this.addCall(delta);
		this.finishReason = chunk.finish ?? this.finishReason;
	}

	/** Ends with `done`. Throws ChatError when the server did not finish. */
	finish(): void {
		if (this.hasEnded) return;
		const reason = toStopReason(this.finishReason, !this.calls.isEmpty);
		if (reason === undefined) throw new ChatError(unfinishedText(this.finishReason));
		if (this.calls.isNameless) {
			throw new ChatError("The model's server sent a tool call without a name");
		}
		this.begin();
		this.settle(true);
		this.partial.stopReason = reason;
		this.stream.push({ type: "done", reason, message: this.partial });
		this.stream.end(this.partial);
	}

	fail(reason: "error" | "aborted", text: string): void {
		if (this.hasEnded) return;
		this.settle(false);
		this.partial.stopReason = reason;
		this.partial.errorMessage = text;
		this.stream.push({ type: "error", reason, error: this.partial });
		this.stream.end(this.partial);
	}

	private addText(delta: string): void {
		const { partial, stream } = this;
		if (this.text === undefined) {
			const block: TextContent = { type: "text", text: "" };
			this.text = { block, contentIndex: partial.content.push(block) - 1 };
			stream.push({ type: "text_start", contentIndex: this.text.contentIndex, partial });
		}
		const { block, contentIndex } = this.text;
		block.text += delta;
		stream.push({ type: "text_delta", contentIndex, delta, partial });
	}

	private addThinking(delta: string, field: string): void {
		const { partial, stream } = this;
		if (this.thinking === undefined) {
			const block: ThinkingContent = { type: "thinking", thinking: "", thinkingSignature: field };
			this.thinking = { block, contentIndex: partial.content.push(block) - 1 };
			stream.push({ type: "thinking_start", contentIndex: this.thinking.contentIndex, partial });
		}
		const { block, contentIndex } = this.thinking;
		block.thinking += delta;
		stream.push({ type: "thinking_delta", contentIndex, delta, partial });
	}

	private addCall(delta: CallDelta): void {
		const { partial, stream } = this;
		const known = this.calls.find(delta);
		// Nothing of a call yet: some servers end with an empty one.
		if (known === undefined && delta.name + delta.id + delta.arguments === "") return;
		const call = known ?? this.openCall(delta);
		this.calls.add(call, delta);
		const { contentIndex } = call;
		stream.push({ type: "toolcall_delta", contentIndex, delta: delta.arguments, partial });
	}

	private openCall(delta: CallDelta): ReturnType<ToolCalls["open"]> {
		const { partial, stream } = this;
		const call = this.calls.open(delta, partial.content.length);
		partial.content.push(call.block);
		stream.push({ type: "toolcall_start", contentIndex: call.contentIndex, partial });
		return call;
	}

	/** Its text and what else it has, for a look at the whole. */
	get outcome(): Outcome {
		return {
			text: this.text?.block.text ?? "",
			hasThoughts: this.thinking !== undefined,
			hasCalls: !this.calls.isEmpty,
		};
	}

	/** Usage and the ends of all blocks, once. */
	private settle(isComplete: boolean): void {
		this.partial.usage = toUsage(this.model, this.counted ?? this.estimateTokens());
		if (this.finishReason !== undefined) this.partial.rawStopReason = this.finishReason;
		this.endBlocks(isComplete);
		this.hasEnded = true;
	}

	private endBlocks(isComplete: boolean): void {
		const { partial, stream } = this;
		for (const [contentIndex, block] of partial.content.entries()) {
			if (block.type === "text") {
				stream.push({ type: "text_end", contentIndex, content: block.text, partial });
			} else if (block.type === "thinking") {
				stream.push({ type: "thinking_end", contentIndex, content: block.thinking, partial });
			} else {
				const call = this.calls.at(contentIndex);
				if (call !== undefined) closeCall(call, isComplete);
				stream.push({ type: "toolcall_end", contentIndex, toolCall: block, partial });
			}
		}
	}

	/** For servers that report no usage: pi compacts by these numbers, so an estimate beats a zero. */
	private estimateTokens(): TokenCounts {
		if (this.request === undefined || this.finishReason === undefined) return NO_TOKENS;
		return estimateUsage(this.request, this.characters + this.calls.length);
	}
}

/** As servers write them; case and the separator do not count. */
const STOP_REASONS: readonly string[] = [
	"stop",
	"end",
	"eos",
	"eos_token",
	"stop_token",
	"stop_sequence",
	"stop_str",
	"end_turn",
	"complete",
	"completed",
	"finished",
];
const LENGTH_REASONS: readonly string[] = [
	"length",
	"max_tokens",
	"max_new_tokens",
	"max_length",
	"max_output_tokens",
	"model_length",
	"token_limit",
];
const TOOL_REASONS: readonly string[] = [
	"tool_calls",
	"tool_call",
	"tool_use",
	"function_call",
	"function_calls",
];

/** Undefined for a reason that is not an end. A stop with calls is a tool turn for every server. */
function toStopReason(
	finish: string | undefined,
	hasCalls: boolean,
): "stop" | "length" | "toolUse" | undefined {
	const reason = finish?.toLowerCase().replaceAll("-", "_") ?? "";
	if (STOP_REASONS.includes(reason)) return hasCalls ? "toolUse" : "stop";
	if (LENGTH_REASONS.includes(reason)) return "length";
	return TOOL_REASONS.includes(reason) ? "toolUse" : undefined;
}

/** Timings of a server that has not counted the prompt are of no use. */
function countedIn(timings: TokenCounts | undefined): TokenCounts | undefined {
	return timings === undefined || timings.input + timings.cached === 0 ? undefined : timings;
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
