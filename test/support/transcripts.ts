import type { AssistantMessage, Context, Message, Model } from "@earendil-works/pi-ai";
import type { ChatRequest } from "../../lib/chat/request.ts";
import { createConverter } from "../../messages.ts";

export const MODEL: Model<"test"> = {
	id: "m",
	name: "m",
	api: "test",
	provider: "ai-server",
	baseUrl: "",
	reasoning: false,
	input: ["text"],
	cost: { input: 0, output: 0, cacheRead: 0, cacheWrite: 0 },
	contextWindow: 65_536,
	maxTokens: 65_536,
};
export const SEES: Model<"test"> = { ...MODEL, input: ["text", "image"] };
export const THINKS: Model<"test"> = { ...MODEL, reasoning: true };

export const request = (
	messages: unknown[],
	model: Model<"test"> = MODEL,
	options = {},
): ChatRequest =>
	createConverter().request(model, { messages: messages as Message[] } as Context, options);
export const sent = (messages: unknown[], model: Model<"test"> = MODEL): unknown =>
	request(messages, model).messages;

export const user = (content: unknown): unknown => ({ role: "user", content, timestamp: 0 });
export const text = (value: string): unknown => ({ type: "text", text: value });
export const image = { type: "image", data: "QUJD", mimeType: "image/png" };
export const call = (id: string, args: unknown = {}, name = "bash"): unknown => ({
	type: "toolCall",
	id,
	name,
	arguments: args,
});
export const assistant = (content: unknown[], more: Partial<AssistantMessage> = {}): unknown => ({
	role: "assistant",
	content,
	api: "test",
	provider: "ai-server",
	model: "m",
	stopReason: "stop",
	timestamp: 0,
	...more,
});
export const result = (id: string, content: unknown[]): unknown => ({
	role: "toolResult",
	toolCallId: id,
	toolName: "bash",
	content,
	isError: false,
	timestamp: 0,
});
export const calls = (...ids: readonly string[]): unknown =>
	ids.map((id) => ({ id, type: "function", function: { name: "bash", arguments: "{}" } }));
export const tool = (id: string, content: string): unknown => ({
	role: "tool",
	tool_call_id: id,
	content,
});
export const url = { type: "image_url", image_url: { url: "data:image/png;base64,QUJD" } };

export const thought = (signature?: string): unknown => ({
	type: "thinking",
	thinking: "hm",
	...(signature === undefined ? {} : { thinkingSignature: signature }),
});
