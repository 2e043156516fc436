import type {
	Api,
	AssistantMessage,
	Message,
	Model,
	ToolResultMessage,
	UserMessage,
} from "@earendil-works/pi-ai";
import { CHARACTERS_PER_TOKEN } from "../lib/chat/estimate.ts";
import type { ChatMessage, ChatPart, ChatToolCall } from "../lib/chat/request.ts";
import { clean, cleanDeep, toCallId } from "../lib/chat/text.ts";

/** Tokens of an image, about. */
const IMAGE_TOKENS = 1200;
const THINKING_FIELDS = ["reasoning_content", "reasoning", "reasoning_text"] as const;

/** What becomes of one message of a transcript. */
export interface Fragment {
	readonly messages: readonly ChatMessage[];
	/** Images of a tool result; they follow as a user message after the run of results. */
	readonly images: readonly ChatPart[];
	/** Ids of the calls that wait for a result. */
	readonly calls: readonly string[];
	/** The id of the call that this is the result of. */
	readonly answers: string | undefined;
	/** Estimated. */
	readonly tokens: number;
}

export function toFragment(message: Message, model: Model<Api>): Fragment {
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
): Fragment {
	const pictures = images.length + messages.flatMap(({ content }) => imagesIn(content)).length;
	const text = JSON.stringify(messages, (name, value: unknown) => (name === "url" ? "" : value));
	const tokens = text.length / CHARACTERS_PER_TOKEN + pictures * IMAGE_TOKENS;
	const calls = messages.flatMap(callsOf).map(({ id }) => id);
	return { messages, images, calls, answers, tokens };
}

function callsOf(message: ChatMessage): readonly ChatToolCall[] {
	return message.role === "assistant" ? (message.tool_calls ?? []) : [];
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
	return [{ role: "user", content: joinedText(parts) }];
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
		} else if (joinedText(parts.slice(-1)) !== placeholder) {
			parts.push({ type: "text", text: placeholder });
		}
	}
	return parts;
}

function joinedText(parts: readonly ChatPart[]): string {
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
		// Of an older session: a call without a name cannot be run, and templates raise at it.
		if (block.type === "toolCall" && block.name !== "") {
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

function toToolMessage(message: ToolResultMessage, images: boolean): Fragment {
	const content = message.content ?? [];
	const parts = toParts(content, images, "(tool image omitted: model does not support images)");
	const pictures = imagesIn(parts);
	const text = joinedText(parts);
	const nothing = pictures.length > 0 ? "(see attached image)" : "(no tool output)";
	const result = text.trim() === "" ? nothing : text;
	const answers = toCallId(message.toolCallId);
	const answer = { role: "tool", tool_call_id: answers, content: result } as const;
	return measured([answer], { images: pictures, answers });
}
