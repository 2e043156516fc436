import { type Context, isRetryableAssistantError } from "@earendil-works/pi-ai";
import { expect, test } from "vitest";
import { AiServerError } from "../../lib/errors.ts";
import { createStreamSimple } from "../../stream.ts";
import { readTurn, spiedHttp } from "../support/chat.ts";
import {
	answer,
	CONTEXT,
	checked,
	DONE,
	delta,
	endless,
	frame,
	HEAD,
	MODEL,
	play,
	STOP,
	sse,
} from "../support/chat-stream.ts";
import { scriptedHttp } from "../support/scripted-http.ts";

test("text: start, one block, the end of it, done", async () => {
	const { types, message } = await play(
		sse(
			delta({ role: "assistant", content: null }),
			delta({ content: "Hel" }),
			delta({ content: "lo" }),
			STOP,
		),
	);
	expect(types).toEqual(["start", "text_start", "text_delta", "text_delta", "text_end", "done"]);
	expect(message).toMatchObject({
		content: [{ type: "text", text: "Hello" }],
		stopReason: "stop",
		rawStopReason: "stop",
		responseId: "c1",
		responseModel: "tiny.gguf",
		api: "test",
		provider: "ai-server",
		model: "tiny",
	});
});

test("thinking comes before text, even in one chunk, and alternating parts share two blocks", async () => {
	const both = (a: string, b: string): string => delta({ content: b, reasoning_content: a });
	const { types, message } = await play(sse(both("r1", "t1"), both("r2", "t2"), STOP));
	expect(message.content).toEqual([
		{ type: "thinking", thinking: "r1r2", thinkingSignature: "reasoning_content" },
		{ type: "text", text: "t1t2" },
	]);
	expect(types.slice(-3)).toEqual(["thinking_end", "text_end", "done"]);
});

test("usage: the cached part apart, timings as they go, an estimate where a server reports none", async () => {
	const usage = {
		prompt_tokens: 100,
		completion_tokens: 7,
		prompt_tokens_details: { cached_tokens: 90 },
	};
	const counted = await play(
		sse(delta({ content: "x" }, "stop"), frame({ ...HEAD, choices: [], usage }), DONE),
	);
	expect(counted.message.usage).toMatchObject({
		input: 10,
		cacheRead: 90,
		output: 7,
		totalTokens: 107,
	});
	const silent = await play(sse(delta({ content: "x".repeat(35) }), STOP));
	expect(silent.message.usage.output).toBe(10);
});

test("what arrived before an error is kept, and its blocks are ended", async () => {
	const { types, message } = await play(
		sse(delta({ reasoning_content: "hm" }), delta({ content: "half" })),
	);
	expect(types.slice(-3)).toEqual(["thinking_end", "text_end", "error"]);
	expect(message.content).toHaveLength(2);
});

test("a whole completion is as good as a stream", async () => {
	const body = {
		...HEAD,
		choices: [
			{
				finish_reason: "stop",
				message: { role: "assistant", content: "all", reasoning_content: "hm" },
			},
		],
		usage: { prompt_tokens: 3, completion_tokens: 2 },
	};
	const { message } = await play(answer(200, JSON.stringify(body)));
	expect(message).toMatchObject({ stopReason: "stop", usage: { input: 3, output: 2 } });
	expect(message.content.map(({ type }) => type)).toEqual(["thinking", "text"]);
});

const TIMED = { cache_n: 1, prompt_n: 2, predicted_n: 3 };
const timed = (part: unknown): string =>
	frame({ ...HEAD, choices: [{ index: 0, delta: part }], timings: TIMED });
const TIMED_USAGE = { input: 2, cacheRead: 1, output: 3, totalTokens: 6 };

test("an aborted turn has the usage of its timings", async () => {
	const http = endless(timed({ content: "half" }));
	const controller = new AbortController();
	const stream = createStreamSimple({ http, timeoutMs: 60_000 })(MODEL, CONTEXT, {
		signal: controller.signal,
	});
	for await (const { type } of stream) if (type === "text_delta") controller.abort();
	const message = await stream.result();
	expect(message).toMatchObject({ stopReason: "aborted", usage: TIMED_USAGE });
	expect(isRetryableAssistantError(message)).toBe(false);
});

test("so has a failed one", async () => {
	const failure = new AiServerError("network", "reset");
	const { message, broken } = await checked(spiedHttp([timed({ content: "half" })], { failure }));
	expect(broken).toEqual([]);
	expect(message).toMatchObject({ stopReason: "error", usage: TIMED_USAGE });
	expect(message.content).toEqual([{ type: "text", text: "half" }]);
	expect(isRetryableAssistantError(message)).toBe(true);
});

test("the last usage wins over the timings that came with it", async () => {
	const usage = { prompt_tokens: 30, completion_tokens: 7 };
	const last = frame({ ...HEAD, choices: [], usage, timings: TIMED });
	const { message } = await checked(
		scriptedHttp(sse(timed({ content: "x" }), delta({}, "stop"), last, DONE)),
	);
	expect(message.usage).toMatchObject({ input: 30, output: 7, totalTokens: 37 });
});

test("the estimate for a server without usage counts the prompt too, since pi compacts by the total", async () => {
	const http = scriptedHttp(sse(delta({ content: "x" }), STOP));
	const stream = createStreamSimple({ http, timeoutMs: 60_000 });
	const context: Context = {
		messages: [{ role: "user", content: "word ".repeat(2000), timestamp: 0 }],
	};
	const { message, broken } = await readTurn(stream(MODEL, context));
	expect(broken).toEqual([]);
	expect(message.usage.totalTokens).toBeGreaterThan(1500);
	expect(message.usage.totalTokens).toBeLessThan(5000);
});
