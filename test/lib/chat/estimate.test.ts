import { expect, test } from "vitest";
import { estimateUsage } from "../../../lib/chat/estimate.ts";
import type { ChatRequest } from "../../../lib/chat/request.ts";

const request = (content: ChatRequest["messages"][number]["content"]): ChatRequest => ({
	model: "m",
	stream: true,
	max_tokens: 1,
	messages: [{ role: "user", content }],
	tools: [{ type: "function" }],
});

test("prompt and tools count as input, what was written as output", () => {
	const short = estimateUsage(request("a"), 0);
	const long = estimateUsage(request("a".repeat(3501)), 36);
	expect(long.input - short.input).toBe(1000);
	expect([short.output, long.output]).toEqual([0, 11]);
	expect(long).toMatchObject({ cached: 0, reasoning: undefined });
});

test("the bytes of an image do not count", () => {
	const image = (url: string): ChatRequest => request([{ type: "image_url", image_url: { url } }]);
	expect(estimateUsage(image("data:".padEnd(100_000, "A")), 0)).toEqual(
		estimateUsage(image("data:"), 0),
	);
});
