import {
	type AssistantMessage,
	type AssistantMessageEvent,
	type Context,
	isContextOverflow,
	isRetryableAssistantError,
	type Model,
	type SimpleStreamOptions,
} from "@earendil-works/pi-ai";
import { expect, test } from "vitest";
import { AiServerError } from "../lib/errors.ts";
import type { Http, HttpRequest } from "../lib/tls/http.ts";
import { type ChatProgress, createStreamSimple, type StreamDeps } from "../stream.ts";
import { type ScriptedAnswer, scriptedHttp } from "./support/scripted-http.ts";

const MODEL: Model<"test"> = {
	...{
		id: "tiny",
		name: "tiny",
		api: "test",
		provider: "ai-server",
		baseUrl: "",
		reasoning: false,
	},
	input: ["text"],
	cost: { input: 0, output: 0, cacheRead: 0, cacheWrite: 0 },
	...{ contextWindow: 4096, maxTokens: 4096 },
};
const CONTEXT: Context = { messages: [] };
const HEAD = { id: "c1", model: "tiny.gguf", created: 1 };

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
const frame = (value: unknown): string => `data: ${JSON.stringify(value)}\n\n`;
const delta = (part: unknown, finish: string | null = null): string =>
	frame({ ...HEAD, choices: [{ index: 0, delta: part, finish_reason: finish }] });
const loading = (text: string): string =>
	frame({ choices: [{ delta: { reasoning_content: text } }] });
const DONE = "data: [DONE]\n\n";
const STOP = delta({}, "stop") + DONE;
const sse = (...parts: readonly string[]): ScriptedAnswer => ({
	...{ status: 200, headers: { "content-type": "text/event-stream" } },
	chunks: parts.map(bytes),
});
const answer = (status: number, body: string, type = "application/json"): ScriptedAnswer => ({
	...{ status, headers: { "content-type": type }, chunks: body === "" ? [] : [bytes(body)] },
});

interface Result {
	readonly events: readonly AssistantMessageEvent[];
	readonly types: readonly string[];
	readonly message: AssistantMessage;
}

async function run(
	http: Http,
	options: SimpleStreamOptions = {},
	deps: Partial<StreamDeps> = {},
): Promise<Result> {
	const streamSimple = createStreamSimple({
		http,
		timeoutMs: 60_000,
		honoursArgumentsError: true,
		...deps,
	});
	const stream = streamSimple(MODEL, CONTEXT, options);
	const events: AssistantMessageEvent[] = [];
	for await (const event of stream) events.push(event);
	return { events, types: events.map(({ type }) => type), message: await stream.result() };
}

const play = (...answers: readonly ScriptedAnswer[]): Promise<Result> =>
	run(scriptedHttp(...answers));

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
		...{ stopReason: "stop", rawStopReason: "stop", responseId: "c1", responseModel: "tiny.gguf" },
		...{ api: "test", provider: "ai-server", model: "tiny" },
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

const callDelta = (call: unknown): string => delta({ tool_calls: [call] });

test("tool calls: parallel ones, their arguments live while they arrive", async () => {
	const http = scriptedHttp(
		sse(
			callDelta({
				index: 0,
				id: "a",
				type: "function",
				function: { name: "read", arguments: "{" },
			}),
			callDelta({ index: 0, function: { arguments: '"path":"x' } }),
			callDelta({ index: 1, id: "b", type: "function", function: { name: "bash", arguments: "" } }),
			callDelta({ index: 0, function: { arguments: '.ts"}' } }),
			callDelta({ index: 1, function: { arguments: '{"n":1}' } }),
			delta({}, "tool_calls") + DONE,
		),
	);
	const seen: string[] = [];
	const stream = createStreamSimple({ http, timeoutMs: 60_000, honoursArgumentsError: true })(
		MODEL,
		CONTEXT,
	);
	for await (const event of stream) {
		if (event.type === "toolcall_delta") seen.push(JSON.stringify(event.partial.content));
	}
	expect(seen[1]).toContain('"arguments":{"path":"x"}');
	expect((await stream.result()).content).toEqual([
		{ type: "toolCall", id: "a", name: "read", arguments: { path: "x.ts" } },
		{ type: "toolCall", id: "b", name: "bash", arguments: { n: 1 } },
	]);
	expect((await stream.result()).stopReason).toBe("toolUse");
});

test.each<[string, string[], unknown[]]>([
	[
		"ids and names repeated in every delta, and a second copy in function_call",
		[
			delta({
				tool_calls: [{ index: 0, id: "a", function: { name: "f", arguments: '{"x":' } }],
				function_call: { name: "f", arguments: '{"x":' },
			}),
			delta({
				tool_calls: [{ index: 0, id: "a", function: { name: "f", arguments: "1}" } }],
				function_call: { name: "f", arguments: "1}" },
			}),
		],
		[{ id: "a", name: "f", arguments: { x: 1 } }],
	],
	[
		"a new id and name on a taken index opens the next call",
		[
			callDelta({ index: 0, id: "a", function: { name: "f", arguments: "{}" } }),
			callDelta({ index: 0, id: "b", function: { name: "g", arguments: '{"y":2}' } }),
		],
		[
			{ id: "a", name: "f", arguments: {} },
			{ id: "b", name: "g", arguments: { y: 2 } },
		],
	],
	[
		"arguments as an object",
		[callDelta({ index: 0, id: "a", function: { name: "f", arguments: { x: [1] } } })],
		[{ id: "a", name: "f", arguments: { x: [1] } }],
	],
	[
		"no index: found by id, else the last one",
		[
			callDelta({ id: "a", function: { name: "f", arguments: '{"x"' } }),
			callDelta({ id: "a", function: { arguments: ":" } }),
			callDelta({ function: { arguments: "1}" } }),
		],
		[{ id: "a", name: "f", arguments: { x: 1 } }],
	],
	[
		"no arguments at all",
		[callDelta({ index: 0, id: "a", function: { name: "f" } })],
		[{ id: "a", name: "f", arguments: {} }],
	],
	[
		"the form of before tool_calls",
		[delta({ function_call: { name: "f", arguments: '{"x":1}' } })],
		[{ id: expect.stringMatching(/^call_[0-9a-f]{24}$/), name: "f", arguments: { x: 1 } }],
	],
])("tool calls: %s", async (_name, parts, expected) => {
	const { message } = await play(sse(...parts, STOP));
	expect(message.content).toEqual(
		expected.map((call) => ({ type: "toolCall", ...(call as object) })),
	);
	expect(message.stopReason).toBe("toolUse");
});

test.each([true, false])(
	"arguments that are no JSON (host honours argumentsError: %s)",
	async (honours) => {
		const http = scriptedHttp(
			sse(
				callDelta({ index: 0, id: "a", function: { name: "bash", arguments: '{"command": rm' } }),
				delta({}, "tool_calls") + DONE,
			),
		);
		const { message, types } = await run(http, {}, { honoursArgumentsError: honours });
		expect(message.content).toMatchObject([
			{ arguments: {}, argumentsError: expect.stringContaining("rm") },
		]);
		expect(types.at(-1)).toBe(honours ? "done" : "error");
		if (!honours) {
			expect(message.errorMessage).toContain('Invalid arguments for tool "bash"');
			expect(isRetryableAssistantError(message)).toBe(false);
		}
	},
);

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

test("loading text of llama-swap, prompt progress and speed go beside the message", async () => {
	const progress: ChatProgress[] = [];
	const timings = {
		cache_n: 1,
		prompt_n: 2,
		predicted_n: 3,
		prompt_per_second: 4,
		predicted_per_second: 5,
	};
	const http = scriptedHttp(
		sse(
			loading("━━━━━\nllama-swap loading model: tiny"),
			frame({
				...HEAD,
				choices: [{ delta: { role: "assistant", content: null } }],
				prompt_progress: { total: 10, cache: 2, processed: 5, time_ms: 7 },
			}),
			frame({ ...HEAD, choices: [{ delta: { content: "hi" } }], timings }),
			STOP,
		),
	);
	const { message } = await run(http, {}, { onProgress: (step) => progress.push(step) });
	expect(message.content).toEqual([{ type: "text", text: "hi" }]);
	expect(progress).toEqual([
		{ kind: "loading", text: "━━━━━\nllama-swap loading model: tiny" },
		{ kind: "prompt", total: 10, cached: 2, processed: 5, milliseconds: 7 },
		{
			kind: "speed",
			cached: 1,
			input: 2,
			output: 3,
			reasoning: undefined,
			promptPerSecond: 4,
			outputPerSecond: 5,
		},
	]);
});

interface Ending {
	readonly name: string;
	readonly answers: readonly ScriptedAnswer[];
	readonly error: string | RegExp;
	readonly retry: boolean;
	readonly overflow?: boolean;
}

const OVERFLOW =
	"request (15000 tokens) exceeds the available context size (4096 tokens), try increasing it";
const fault = (message: string, more: object = {}): string =>
	JSON.stringify({ error: { code: 500, message, type: "server_error", ...more } });

const ENDINGS: readonly Ending[] = [
	{
		name: "a stream that just stops",
		answers: [sse(delta({ content: "x" }))],
		error: /Connection error: the stream ended without/,
		retry: true,
	},
	{
		name: "[DONE] without a finish",
		answers: [sse(delta({ content: "x" }), DONE)],
		error: "Provider finish_reason: none",
		retry: false,
	},
	{
		name: "an unknown finish",
		answers: [sse(delta({ content: "x" }, "content_filter"), DONE)],
		error: "Provider finish_reason: content_filter",
		retry: false,
	},
	{
		name: "an error frame",
		answers: [sse(delta({ content: "x" }), frame(JSON.parse(fault("Compute error."))))],
		error: "500: Compute error.",
		retry: true,
	},
	{
		name: "an overflow in mid-stream",
		answers: [sse(frame(JSON.parse(fault("Context size has been exceeded."))))],
		error: "Context size has been exceeded. (context_length_exceeded)",
		retry: false,
		overflow: true,
	},
	{
		name: "an error: line",
		answers: [sse(`error: ${fault("slot crashed")}\n\n`)],
		error: "500: slot crashed",
		retry: true,
	},
	{
		name: "an event named error",
		answers: [sse('event: error\ndata: {"message":"bad"}\n\n')],
		error: "Server error: bad",
		retry: true,
	},
	{
		name: "bare JSON behind the loading text",
		answers: [
			sse(
				loading("loading"),
				'{"src":"llama-swap","error":"unspecific error: group: model unloaded"}',
			),
		],
		error: /could not be loaded \(unspecific error: group: model unloaded\)/,
		retry: false,
	},
	{
		name: "bare text behind the loading text",
		answers: [sse(loading("loading"), "something broke")],
		error: "Server error: something broke",
		retry: true,
	},
	{
		name: "an old llama-swap's error as loading text",
		answers: [
			sse(loading("Unable to swap model err: unable to start process: x\n"), loading("Done! (1s)")),
		],
		error: /could not be loaded \(unable to start process: x\)/,
		retry: false,
	},
	{
		name: "an event that is no JSON",
		answers: [sse("data: {nope\n\n")],
		error: /not JSON: \{nope/,
		retry: false,
	},
	{
		name: "overflow",
		answers: [answer(400, fault(OVERFLOW, { code: 400, type: "exceed_context_size_error" }))],
		error: `400: ${OVERFLOW}`,
		retry: false,
		overflow: true,
	},
	{
		name: "overflow in other words",
		answers: [answer(400, fault("too long", { type: "exceed_context_size_error" }))],
		error: "400: too long (context_length_exceeded)",
		retry: false,
		overflow: true,
	},
	{
		name: "a broken history",
		answers: [answer(500, fault("Failed to parse tool call arguments as JSON: at column 15003"))],
		error: /cannot take this request: Failed to parse/,
		retry: false,
	},
	{
		name: "an unknown model",
		answers: [answer(404, '{"src":"llama-swap","error":"no router for requested model"}')],
		error: /does not know the model tiny .*\/ai-server-refresh/,
		retry: false,
	},
	{
		name: "no key",
		answers: [answer(401, '{"error":"unauthorized: invalid or missing API key"}')],
		error: /AI_SERVER_API_KEY/,
		retry: false,
	},
	{
		name: "busy",
		answers: [answer(429, '{"error":"Too many requests"}')],
		error: "429: Too many requests",
		retry: true,
	},
	{
		name: "loading",
		answers: [answer(503, fault("Loading model", { code: 503 }))],
		error: "503: Loading model",
		retry: true,
	},
	{
		name: "llama-swap is down",
		answers: [answer(502, "", "")],
		error: /^502: the proxy answers/,
		retry: true,
	},
	{
		name: "a proxy's page",
		answers: [
			answer(504, "<html><head><title>504 Gateway Time-out</title></head></html>", "text/html"),
		],
		error: "504: 504 Gateway Time-out",
		retry: true,
	},
	{
		name: "a redirect to a login",
		answers: [answer(302, "", "")],
		error: /redirects the chat elsewhere/,
		retry: false,
	},
	{
		name: "another page instead",
		answers: [answer(200, "<!doctype html><title>Sign in</title>", "text/html")],
		error: /answered with something else: Sign in/,
		retry: false,
	},
	{
		name: "an empty answer, whose reason comes without streaming",
		answers: [
			sse(),
			answer(
				400,
				fault("This model's maximum context length is 1024 tokens. However, you requested 2000", {
					code: "context_length_exceeded",
				}),
			),
		],
		error: /^400: This model's maximum context length is 1024/,
		retry: false,
		overflow: true,
	},
	{
		name: "an empty answer without a reason",
		answers: [sse(), answer(200, "{}")],
		error: /Connection error: .*without a word/,
		retry: true,
	},
];

test.each(ENDINGS.map((ending) => [ending.name, ending] as const))(
	"%s",
	async (_name, { answers, error, retry, overflow = false }) => {
		const { types, message } = await play(...answers);
		expect(types.filter((type) => type === "done" || type === "error")).toEqual(["error"]);
		expect(types.at(-1)).toBe("error");
		if (typeof error === "string") expect(message.errorMessage).toBe(error);
		else expect(message.errorMessage).toMatch(error);
		expect(isContextOverflow(message, MODEL.contextWindow)).toBe(overflow);
		// pi looks for an overflow first, whatever else the words are like.
		if (!overflow) expect(isRetryableAssistantError(message), message.errorMessage).toBe(retry);
	},
);

test("what arrived before an error is kept, and its blocks are ended", async () => {
	const { types, message } = await play(
		sse(delta({ reasoning_content: "hm" }), delta({ content: "half" })),
	);
	expect(types.slice(-3)).toEqual(["thinking_end", "text_end", "error"]);
	expect(message.content).toHaveLength(2);
});

test("a failed load tells what the model's log says", async () => {
	const body =
		'{"src":"llama-swap","error":"unspecific error: upstream command exited prematurely"}';
	const asked: string[] = [];
	const explainLoad = async (model: string): Promise<string> => {
		asked.push(model);
		return "out of memory at 15000 MiB";
	};
	const { message } = await run(scriptedHttp(answer(500, body)), {}, { explainLoad });
	expect(asked).toEqual(["tiny"]);
	expect(message.errorMessage?.replaceAll("\u2060", "")).toContain(
		"Its log says: out of memory at 15000 MiB",
	);
	expect(isRetryableAssistantError(message)).toBe(false);
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

test("an empty answer is asked again without streaming, for one token", async () => {
	const http = scriptedHttp(sse(), answer(400, fault("x")));
	await run(http);
	const [first, second] = http.requests.map(
		({ body }) => JSON.parse(body ?? "") as Record<string, unknown>,
	);
	expect(first).toMatchObject({ stream: true });
	expect(second).toMatchObject({ stream: false, max_tokens: 1, model: "tiny" });
	expect(second).not.toHaveProperty("stream_options");
});

test.each([
	["network", "gone", /^Connection error: gone/, true],
	["tls", "certificate expired 500 days ago", /certificate expired/, false],
	["config", "AI_SERVER_URL is not a URL", /AI_SERVER_URL/, false],
	["protocol", "not a web server", /not a web server/, false],
] as const)("a fault of kind %s on the way", async (code, words, expected, retry) => {
	const http: Http = {
		request: async () => {
			throw new AiServerError(code, words, { hint: "Do this" });
		},
		close: async () => undefined,
	};
	const { types, message } = await run(http);
	expect(types).toEqual(["error"]);
	expect(message.errorMessage).toMatch(expected);
	expect(message.errorMessage).toContain("Do this");
	expect(isRetryableAssistantError(message)).toBe(retry);
});

/** A server whose body goes on until the request is aborted; `parts` come first. */
function endless(...parts: readonly string[]): Http & { readonly aborted: Promise<unknown> } {
	const { promise, resolve } = Promise.withResolvers<unknown>();
	return {
		aborted: promise,
		async request({ signal }: HttpRequest) {
			const gone = new Promise<never>((_, reject) => {
				const end = (): void => {
					resolve(signal?.reason);
					reject(signal?.reason as Error);
				};
				if (signal?.aborted === true) end();
				signal?.addEventListener("abort", end);
			});
			gone.catch(() => undefined);
			if (parts.length === 0) return gone;
			async function* chunks(): AsyncGenerator<Uint8Array> {
				for (const part of parts) yield bytes(part);
				await gone;
			}
			const body = { destroy: () => resolve("destroyed"), [Symbol.asyncIterator]: chunks };
			return { status: 200, headers: { "content-type": "text/event-stream" }, body };
		},
		close: async () => undefined,
	};
}

test.each([
	["before it began", true, [], []],
	["before the head", false, [], []],
	["in mid-stream", false, [delta({ content: "half" })], [{ type: "text", text: "half" }]],
	[
		"in a tool call",
		false,
		[callDelta({ index: 0, id: "a", function: { name: "f", arguments: '{"x":"y' } })],
		[{ type: "toolCall", id: "a" }],
	],
])("an abort %s ends as aborted, with what came", async (_when, early, parts, content) => {
	const http = endless(...parts);
	const controller = new AbortController();
	if (early) controller.abort();
	const stream = createStreamSimple({ http, timeoutMs: 60_000, honoursArgumentsError: true })(
		MODEL,
		CONTEXT,
		{ signal: controller.signal },
	);
	const types: string[] = [];
	const seen = parts.length === 0 ? Promise.resolve().then(() => controller.abort()) : undefined;
	for await (const event of stream) {
		types.push(event.type);
		if (event.type.endsWith("_delta")) controller.abort();
	}
	await seen;
	const message = await stream.result();
	expect(message).toMatchObject({ stopReason: "aborted", content });
	expect(types.filter((type) => type === "done" || type === "error")).toEqual(["error"]);
	await http.aborted;
});

test("silence ends the turn in words that pi tries again by; a total limit there is none", async () => {
	const { message } = await run(endless(delta({ content: "x" })), {}, { timeoutMs: 30 });
	expect(message.errorMessage).toMatch(/silent for 30 ms \(timed out\)/);
	expect(message.content).toEqual([{ type: "text", text: "x" }]);
	expect(isRetryableAssistantError(message)).toBe(true);
});

test("[DONE] ends the turn although the connection stays open", async () => {
	const http = endless(delta({ content: "x" }), STOP);
	const { message } = await run(http);
	expect(message.stopReason).toBe("stop");
	await http.aborted; // dropped a second later, since nothing more came
});

test("hooks: the payload may be replaced, the head is seen before the body, every event is shown", async () => {
	const order: string[] = [];
	const http = scriptedHttp(sse(delta({ content: "x" }), STOP));
	const options = {
		onPayload: async (payload: unknown) => {
			order.push("payload");
			return { ...(payload as object), extra: 1 };
		},
		onResponse: async ({ status }: { status: number }) => {
			await Promise.resolve();
			order.push(`response ${status}`);
		},
		onProviderStreamEvent: async (data: unknown) => {
			order.push(`event ${(data as { id: string }).id}`);
		},
	};
	await run(http, options as SimpleStreamOptions);
	expect(order).toEqual(["payload", "response 200", "event c1", "event c1"]);
	expect(JSON.parse(http.requests[0]?.body ?? "")).toMatchObject({ extra: 1, model: "tiny" });
});

test("headers: the session for llama-swap's own page, the caller's last, null takes one away", async () => {
	const http = scriptedHttp(sse(delta({ content: "x" }), STOP));
	await run(http, { sessionId: "s-1", headers: { "X-Mine": "1", Accept: null } });
	expect(http.requests[0]).toMatchObject({ method: "POST", path: "/v1/chat/completions" });
	expect(http.requests[0]?.headers).toMatchObject({
		"x-session-id": "s-1",
		"x-mine": "1",
		"content-type": "application/json",
	});
	expect(http.requests[0]?.headers).not.toHaveProperty("authorization");
});
