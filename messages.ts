import {
	type Api,
	type AssistantMessage,
	type Context,
	getCurrentSystemPrompt,
	getCurrentTools,
	type Message,
	type Model,
	type SimpleStreamOptions,
	type Tool,
	type ToolResultMessage,
	type TranscriptContext,
	type UserMessage,
} from "@earendil-works/pi-ai";
import type {
	ChatMessage,
	ChatPart,
	ChatRequest,
	ChatTool,
	ChatToolCall,
} from "./lib/chat/request.ts";
import { clean, cleanDeep, toCallId } from "./lib/chat/text.ts";
import { thinkingSwitch } from "./lib/chat/thinking.ts";
import type { Thinking } from "./lib/llama-server/thinking.ts";

/** Turns pi's transcripts into chat requests; one per provider, since it remembers what it converted. */
export interface Converter {
	/** `context` in either of pi's shapes: with system messages, or (before 0.86) with a prompt beside them. */
	request(
		model: Model<Api>,
		context: TranscriptContext | Context,
		options?: SimpleStreamOptions,
	): ChatRequest;
}

/** Less than this is no answer, however full the window seems by our estimate. */
const LEAST_OUTPUT = 1024;
/** Characters a token has at least, in code; pi 1.5 reckons the same. */
const CHARACTERS_PER_TOKEN = 3.5;
/** Tokens of an image, about. */
const IMAGE_TOKENS = 1200;
/** Kept free for what the estimate misses: chat template, tool grammar. */
const MARGIN = 0.15;
const THINKING_FIELDS = ["reasoning_content", "reasoning", "reasoning_text"] as const;

interface Fragment {
	/** What the conversion depends on beside the message itself. */
	readonly key: string;
	readonly messages: readonly ChatMessage[];
	/** Images of a tool result; they follow as a user message behind the run of results. */
	readonly images: readonly ChatPart[];
	/** Ids of the calls that wait for a result, and of the call that this is the result of. */
	readonly calls: readonly string[];
	readonly answers: string | undefined;
	readonly tokens: number;
}

export function createConverter(
	thinkingOf: (id: string) => Thinking | undefined = () => undefined,
): Converter {
	// pi's messages are immutable objects, so what was converted once need not be converted again.
	const fragments = new WeakMap<Message, Fragment>();
	const converterFor = (model: Model<Api>): ((message: Message) => Fragment) => {
		const key = `${model.provider}\n${model.api}\n${model.id}\n${model.input.includes("image")}`;
		return (message) => {
			const known = fragments.get(message);
			if (known?.key === key) return known;
			const fragment = { key, ...toFragment(message, model) };
			fragments.set(message, fragment);
			return fragment;
		};
	};
	return {
		request: (model, context, options) => {
			const { messages, tokens } = toChatMessages(context, converterFor(model));
			const tools = toChatTools(context);
			const used = tokens + JSON.stringify(tools).length / CHARACTERS_PER_TOKEN;
			const facts = thinkingOf(model.id);
			return toRequest(model, { messages, tools, used, thinking: facts }, options ?? {});
		},
	};
}

interface Conversation {
	readonly messages: readonly ChatMessage[];
	readonly tools: readonly ChatTool[];
	/** Tokens of all that, estimated. */
	readonly used: number;
	readonly thinking: Thinking | undefined;
}

/** Sampling parameters come last, so that they win over everything, as in pi's own provider. */
function toRequest(
	model: Model<Api>,
	{ messages, tools, used, thinking: facts }: Conversation,
	options: SimpleStreamOptions,
): ChatRequest {
	const output = outputLimit(model, used, options.maxTokens);
	return {
		model: model.id,
		messages,
		stream: true,
		stream_options: { include_usage: true },
		max_tokens: output,
		...(options.temperature === undefined ? {} : { temperature: options.temperature }),
		...(tools.length === 0 ? {} : { tools }),
		...(options.toolChoice === undefined ? {} : { tool_choice: options.toolChoice }),
		...thinking(model, { messages, output, facts }, options),
		cache_prompt: true,
		timings_per_token: true,
		return_progress: true,
		...model.samplingParams,
		...options.samplingParams,
	};
}

interface ThinkingTurn {
	readonly messages: readonly ChatMessage[];
	/** Tokens that the whole answer may have. */
	readonly output: number;
	readonly facts: Thinking | undefined;
}

function thinking(
	model: Model<Api>,
	{ messages, output, facts }: ThinkingTurn,
	{ reasoning, thinkingBudgets }: SimpleStreamOptions,
): Readonly<Record<string, unknown>> {
	if (!model.reasoning) return {};
	// A template cannot continue an answer that has begun and think first.
	const level = messages.at(-1)?.role === "assistant" ? undefined : reasoning;
	const budgets = thinkingBudgets as Readonly<Record<string, number>> | undefined;
	// Words of a template are in its facts; the map then only tells pi which levels there are.
	const word =
		level === undefined || facts !== undefined ? undefined : model.thinkingLevelMap?.[level];
	return thinkingSwitch(
		{
			level,
			word: word ?? undefined,
			budget: level === undefined ? undefined : budgets?.[level],
			room: output - LEAST_OUTPUT,
		},
		facts,
	);
}

/** What the window leaves after the input, and at most what was asked for. */
function outputLimit(model: Model<Api>, used: number, asked: number | undefined): number {
	const room = Math.floor(model.contextWindow - used * (1 + MARGIN));
	return Math.min(
		asked ?? model.maxTokens,
		Math.max(room, Math.min(LEAST_OUTPUT, model.contextWindow)),
	);
}

/** The prompt first, since templates refuse a later one; then the turns, with every call answered. */
function toChatMessages(
	context: TranscriptContext | Context,
	convert: (message: Message) => Fragment,
): { readonly messages: readonly ChatMessage[]; readonly tokens: number } {
	const prompt = clean(promptOf(context));
	const out: ChatMessage[] = prompt === "" ? [] : [{ role: "system", content: prompt }];
	let tokens = prompt.length / CHARACTERS_PER_TOKEN;
	const open = new Set<string>();
	const images: ChatPart[] = [];

	const closeRun = (): void => {
		for (const id of open) {
			out.push({ role: "tool", tool_call_id: id, content: "No result provided" });
		}
		open.clear();
		if (images.length > 0) {
			const caption = { type: "text", text: "Attached image(s) from tool result:" } as const;
			out.push({ role: "user", content: [caption, ...images.splice(0)] });
		}
	};
	for (const message of context.messages) {
		if (message.role === "system") continue;
		const fragment = convert(message);
		// A result without its call (of a turn that failed) makes some templates raise.
		if (fragment.answers === undefined) closeRun();
		else if (!open.delete(fragment.answers)) continue;
		out.push(...fragment.messages);
		images.push(...fragment.images);
		tokens += fragment.tokens;
		for (const id of fragment.calls) open.add(id);
	}
	closeRun();
	return { messages: out, tokens };
}

function callsOf(message: ChatMessage): readonly ChatToolCall[] {
	return message.role === "assistant" ? (message.tool_calls ?? []) : [];
}

function promptOf(context: TranscriptContext | Context): string {
	const beside = "systemPrompt" in context ? (context.systemPrompt ?? "") : "";
	const inside = getCurrentSystemPrompt(context.messages);
	return [beside, inside].filter((text) => text !== "").join("\n\n");
}

function toChatTools(context: TranscriptContext | Context): readonly ChatTool[] {
	const beside: readonly Tool[] = "tools" in context ? (context.tools ?? []) : [];
	return [...beside, ...getCurrentTools(context.messages)].map(
		({ name, description, parameters }) => ({
			type: "function",
			function: cleanDeep({ name, description, parameters }),
		}),
	);
}

function toFragment(message: Message, model: Model<Api>): Omit<Fragment, "key"> {
	const images = model.input.includes("image");
	switch (message.role) {
		case "system":
			return measured([]);
		case "user":
			return measured(toUserMessages(message, images));
		case "assistant":
			return measured(toAssistantMessages(message, model));
		case "toolResult":
			return toToolMessage(message, images);
		default:
			return message satisfies never;
	}
}

function measured(
	messages: readonly ChatMessage[],
	{ images = [], answers }: { images?: readonly ChatPart[]; answers?: string } = {},
): Omit<Fragment, "key"> {
	const pictures = images.length + messages.flatMap(({ content }) => imagesIn(content)).length;
	const text = JSON.stringify(messages, (name, value: unknown) => (name === "url" ? "" : value));
	const tokens = text.length / CHARACTERS_PER_TOKEN + pictures * IMAGE_TOKENS;
	const calls = messages.flatMap(callsOf).map(({ id }) => id);
	return { messages, images, calls, answers, tokens };
}

function imagesIn(content: string | readonly ChatPart[]): readonly ChatPart[] {
	return typeof content === "string" ? [] : content.filter(({ type }) => type === "image_url");
}

/** Text alone goes out as a string: some servers take nothing else. */
function toUserMessages({ content }: UserMessage, images: boolean): readonly ChatMessage[] {
	if (typeof content === "string") return [{ role: "user", content: clean(content) }];
	const parts = toParts(content ?? [], images, "(image omitted: model does not support images)");
	if (parts.length === 0) return [];
	if (imagesIn(parts).length > 0) return [{ role: "user", content: parts }];
	return [{ role: "user", content: textOf(parts) }];
}

function toParts(
	content: UserMessage["content"] & object,
	images: boolean,
	placeholder: string,
): readonly ChatPart[] {
	const parts: ChatPart[] = [];
	for (const part of content) {
		if (part.type === "text") {
			if (part.text !== "") parts.push({ type: "text", text: clean(part.text) });
		} else if (images) {
			const url = `data:${part.mimeType};base64,${part.data}`;
			parts.push({ type: "image_url", image_url: { url } });
		} else if (textOf(parts.slice(-1)) !== placeholder) {
			parts.push({ type: "text", text: placeholder });
		}
	}
	return parts;
}

function textOf(parts: readonly ChatPart[]): string {
	return parts.flatMap((part) => (part.type === "text" ? [part.text] : [])).join("\n");
}

/**
 * Nothing of a turn that failed or was aborted; thinking only of this very model, in the field it
 * came in. The content is never null: some servers refuse that.
 */
function toAssistantMessages(message: AssistantMessage, model: Model<Api>): readonly ChatMessage[] {
	if (message.stopReason === "error" || message.stopReason === "aborted") return [];
	const texts: string[] = [];
	const calls: ChatToolCall[] = [];
	for (const block of message.content ?? []) {
		if (block.type === "text" && block.text.trim() !== "") texts.push(clean(block.text));
		if (block.type === "toolCall") {
			const name = clean(block.name);
			const args = JSON.stringify(cleanDeep(block.arguments ?? {}));
			calls.push({
				id: toCallId(block.id),
				type: "function",
				// llama-server answers 500 to every later request when stored arguments are no object.
				function: { name, arguments: args.startsWith("{") ? args : "{}" },
			});
		}
	}
	if (texts.length === 0 && calls.length === 0) return [];
	return [
		{
			role: "assistant",
			content: texts.join(""),
			...replayedThinking(message, model),
			...(calls.length === 0 ? {} : { tool_calls: calls }),
		},
	];
}

function replayedThinking(
	message: AssistantMessage,
	model: Model<Api>,
): Partial<Record<(typeof THINKING_FIELDS)[number], string>> {
	const same =
		message.provider === model.provider && message.api === model.api && message.model === model.id;
	if (!same) return {};
	const thoughts = message.content.flatMap((block) => {
		const known = block.type === "thinking" && block.thinking.trim() !== "";
		const field = known && THINKING_FIELDS.find((name) => name === block.thinkingSignature);
		return field ? [{ field, text: clean(block.thinking) }] : [];
	});
	const [first] = thoughts;
	// A server reads one of the fields, so thoughts that came in two go back together.
	return first === undefined
		? {}
		: { [first.field]: thoughts.map((thought) => thought.text).join("\n") };
}

function toToolMessage(message: ToolResultMessage, images: boolean): Omit<Fragment, "key"> {
	const content = message.content ?? [];
	const parts = toParts(content, images, "(tool image omitted: model does not support images)");
	const pictures = imagesIn(parts);
	const text = textOf(parts);
	const nothing = pictures.length > 0 ? "(see attached image)" : "(no tool output)";
	const result = text.trim() === "" ? nothing : text;
	const answers = toCallId(message.toolCallId);
	const answer = { role: "tool", tool_call_id: answers, content: result } as const;
	return measured([answer], { images: pictures, answers });
}
