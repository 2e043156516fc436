import type { Model } from "@earendil-works/pi-ai";
import type { Reply } from "../runner/scenario.ts";
import { OK } from "../runner/wire.ts";

/** pi's transcripts, in the shortest form; all times are 0. */
export const system = (content: string, more: object = {}): unknown => ({
	role: "system",
	content,
	timestamp: 0,
	...more,
});
export const user = (content: unknown): unknown => ({ role: "user", content, timestamp: 0 });
export const says = (text: string): unknown => ({ type: "text", text });
export const thinks = (thinking: string, thinkingSignature = "reasoning_content"): unknown => ({
	type: "thinking",
	thinking,
	thinkingSignature,
});
export const calls = (id: string, args: unknown = {}, more: object = {}): unknown => ({
	type: "toolCall",
	id,
	name: "bash",
	arguments: args,
	...more,
});
export const image = (data = "QUJD"): unknown => ({ type: "image", data, mimeType: "image/png" });
export const result = (id: string, content: unknown, isError = false): unknown => ({
	role: "toolResult",
	toolCallId: id,
	toolName: "bash",
	content,
	isError,
	timestamp: 0,
});
const NOTHING = { input: 0, output: 0, cacheRead: 0, cacheWrite: 0 };
export const assistant = (content: readonly unknown[], more: object = {}): unknown => ({
	role: "assistant",
	content,
	stopReason: "stop",
	timestamp: 0,
	api: "openai-completions",
	provider: "conformance",
	model: "tiny",
	usage: { ...NOTHING, totalTokens: 0, cost: { ...NOTHING, total: 0 } },
	...more,
});
/** A turn of another provider's model. */
export const foreign = (content: readonly unknown[], more: object = {}): unknown =>
	assistant(content, { api: "openai-responses", provider: "openai", model: "gpt-5", ...more });
export const tool = (name: string, more: object = {}): unknown => ({
	name,
	description: `Runs ${name}`,
	parameters: { type: "object", properties: { x: { type: "number" } }, required: ["x"] },
	...more,
});
export const SEES: { input: Model<"openai-completions">["input"] } = { input: ["text", "image"] };
export const replies: readonly Reply[] = OK;
