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
import { AiServerError, type Names } from "../lib/errors.ts";
import type { Http, HttpRequest } from "../lib/http/types.ts";
import { type ChatProgress, createStreamSimple, type StreamDeps } from "../stream.ts";
import { CUT_SEED, everyCut, linesOf, readTurn, spiedHttp, type Turn } from "./support/chat.ts";
import { type ScriptedAnswer, scriptedHttp, seeded } from "./support/scripted-http.ts";

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
const NAMES: Names = {
	setting: (setting) => setting.replace(/[A-Z]/g, "_$&").toUpperCase(),
	command: (name) => `/${name}`,
};
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
		names: NAMES,
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
	const stream = createStreamSimple({ http, timeoutMs: 60_000 })(MODEL, CONTEXT);
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
		"the id comes later",
		[
			callDelta({ index: 0, function: { name: "f", arguments: "{" } }),
			callDelta({ index: 0, id: "a", function: { arguments: '"x":1' } }),
			callDelta({ index: 0, id: "a", function: { arguments: "}" } }),
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

test("arguments that are not JSON are reported to the model, and the tool does not run", async () => {
	const { message, types } = await play(
		sse(
			callDelta({ index: 0, id: "a", function: { name: "bash", arguments: '{"command": rm' } }),
			delta({}, "tool_calls") + DONE,
		),
	);
	expect(message.content).toMatchObject([
		{ arguments: {}, argumentsError: expect.stringContaining("rm") },
	]);
	expect(types.at(-1)).toBe("done");
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
		error: "Connection error: the stream ended without finish_reason",
		retry: true,
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
		name: "an error: line without the object around it",
		answers: [sse('error: {"code":500,"message":"slot crashed","type":"server_error"}\n\n')],
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
		error: /was unloaded while it was loading \(group: model unloaded\)/,
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
		answers: [answer(500, fault("Failed to parse tool call arguments as JSON: at column 13"))],
		error: /rejected this request: Failed to parse/,
		retry: false,
	},
	{
		name: "an unknown model",
		answers: [answer(404, '{"src":"llama-swap","error":"no router for requested model"}')],
		error: /does not know the model tiny .*List the models again: \/refresh$/,
		retry: false,
	},
	{
		name: "no key",
		answers: [answer(401, '{"error":"unauthorized: invalid or missing API key"}')],
		error: /Check the API key \(API_KEY\)$/,
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
		error: /redirects chat requests/,
		retry: false,
	},
	{
		name: "another page instead",
		answers: [answer(200, "<!doctype html><title>Sign in</title>", "text/html")],
		error: /is not a chat completion: Sign in/,
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
		error: /Connection error: .*without sending data/,
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
		return "out of memory at 16384 MiB";
	};
	const { message } = await run(scriptedHttp(answer(500, body)), {}, { explainLoad });
	expect(asked).toEqual(["tiny"]);
	expect(message.errorMessage).toContain("Its log: out of memory at 16384 MiB");
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
	["tls", "certificate expired", /certificate expired/, false],
	["settings", "AI_SERVER_URL is not a URL", /AI_SERVER_URL/, false],
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
	const stream = createStreamSimple({ http, timeoutMs: 60_000 })(MODEL, CONTEXT, {
		signal: controller.signal,
	});
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
	expect(message.errorMessage).toMatch(/sent nothing for 30 ms \(timed out\)/);
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

interface Scene {
	readonly name: string;
	readonly body: string;
	readonly lines: readonly string[];
	/** How the whole ends, where it is an error. */
	readonly error?: string;
}

const calling = (index: number, id: string, name: string, args: unknown): string =>
	callDelta({ index, id, type: "function", function: { name, arguments: args } });
const textLines = (...deltas: readonly string[]): readonly string[] => [
	...["start", "text_start 0", ...deltas.map((part) => `text_delta 0 ${part}`)],
	`text_end 0 ${deltas.join("")}`,
];
const callEnd = (at: number, id: string, name: string, args: object): string =>
	`toolcall_end ${at} ${JSON.stringify({ type: "toolCall", id, name, arguments: args })}`;
const CUT_OFF =
	"Connection error: the stream ended without finish_reason; the model's server stopped, or was stopped";
const RULE = "━━━━━";

const SCENES: readonly Scene[] = [
	{
		name: "text of several bytes a character",
		body: delta({ content: "é━" }) + delta({ content: "🎉" }) + STOP,
		lines: [...textLines("é━", "🎉"), "done stop"],
	},
	{
		name: "CRLF, comments, no blank behind the colon, a byte order mark",
		body: `\ufeff: ping\r\n\r\n${(delta({ content: "a" }) + delta({ content: "b" }) + STOP)
			.replaceAll("data: ", "data:")
			.replaceAll("\n", "\r\n")}`,
		lines: [...textLines("a", "b"), "done stop"],
	},
	{
		name: "thinking and text that alternate, first both in one chunk",
		body:
			delta({ content: "t1", reasoning: "r1" }) +
			delta({ reasoning: "r2" }) +
			delta({ content: "t2" }) +
			STOP,
		lines: [
			...["start", "thinking_start 0", "thinking_delta 0 r1", "text_start 1", "text_delta 1 t1"],
			...["thinking_delta 0 r2", "text_delta 1 t2", "thinking_end 0 r1r2", "text_end 1 t1t2"],
			"done stop",
		],
	},
	{
		name: "events that are no objects, chunks without choices, empty deltas",
		body: `data: 1\n\ndata: null\n\n${frame({ ...HEAD })}${frame({ ...HEAD, choices: null })}${delta(
			{
				content: "",
			},
		)}${delta({ content: "a" })}${STOP}`,
		lines: [...textLines("a"), "done stop"],
	},
	{
		name: "text behind the finish, and a last event without its end",
		body: `${delta({ content: "a" }, "length")}${delta({ content: "b" })}`.trimEnd(),
		lines: [...textLines("a", "b"), "done length"],
	},
	{
		name: "more behind [DONE]",
		body: `${delta({ content: "a" })}${STOP}${delta({ content: "b" })}data: {nope\n\n`,
		lines: [...textLines("a"), "done stop"],
	},
	{
		name: "text and two parallel calls in pieces",
		body:
			delta({ content: "so" }) +
			calling(0, "a", "f", "") +
			callDelta({ index: 0, function: { arguments: '{"x":"é' } }) +
			calling(1, "b", "g", '{"y":') +
			callDelta({ index: 0, function: { arguments: '"}' } }) +
			callDelta({ index: 1, function: { arguments: "2}" } }) +
			delta({}, "tool_calls") +
			DONE,
		lines: [
			...["start", "text_start 0", "text_delta 0 so"],
			...["toolcall_start 1", "toolcall_delta 1 ", 'toolcall_delta 1 {"x":"é'],
			...[
				"toolcall_start 2",
				'toolcall_delta 2 {"y":',
				'toolcall_delta 1 "}',
				"toolcall_delta 2 2}",
			],
			...["text_end 0 so", callEnd(1, "a", "f", { x: "é" }), callEnd(2, "b", "g", { y: 2 })],
			"done toolUse",
		],
	},
	{
		name: "a call without an id",
		body: calling(0, "", "f", "{}") + STOP,
		lines: [
			...["start", "toolcall_start 0", "toolcall_delta 0 {}", callEnd(0, "call_*", "f", {})],
			"done toolUse",
		],
	},
	{
		name: "a name that comes late",
		body: calling(0, "a", "", "{") + calling(0, "", "f", "}") + STOP,
		lines: [
			...["start", "toolcall_start 0", "toolcall_delta 0 {", "toolcall_delta 0 }"],
			...[callEnd(0, "a", "f", {}), "done toolUse"],
		],
	},
	{
		name: "the next call on the same index",
		body: calling(0, "a", "f", "{}") + calling(0, "b", "f", { z: "é" }) + STOP,
		lines: [
			...["start", "toolcall_start 0", "toolcall_delta 0 {}"],
			...["toolcall_start 1", 'toolcall_delta 1 {"z":"é"}'],
			...[callEnd(0, "a", "f", {}), callEnd(1, "b", "f", { z: "é" }), "done toolUse"],
		],
	},
	{
		name: "arguments that the limit cut off",
		body: calling(0, "a", "f", '{"x":"half') + delta({}, "length") + DONE,
		lines: [
			...["start", "toolcall_start 0", 'toolcall_delta 0 {"x":"half'],
			`toolcall_end 0 ${JSON.stringify({
				...{ type: "toolCall", id: "a", name: "f", arguments: {} },
				argumentsError: 'The arguments are not a JSON object: {"x":"half',
			})}`,
			"done length",
		],
	},
	{
		name: "loading frames, then the answer",
		body:
			loading(RULE) +
			loading("llama-swap") +
			loading(" ") +
			delta({ reasoning_content: "r" }) +
			STOP,
		lines: ["start", "thinking_start 0", "thinking_delta 0 r", "thinking_end 0 r", "done stop"],
	},
	{
		name: "loading frames, then bare JSON",
		body: `${loading(RULE)}{"src":"llama-swap","error":"unspecific error: é"}`,
		lines: ["start"],
		error: "Server error: é",
	},
	{
		name: "bare JSON with a frame behind it on the same line",
		body: `${loading(RULE)}{"src":"llama-swap","error":"boom"}${loading("Done!")}`,
		lines: ["start"],
		error: "Server error: boom",
	},
	{
		name: "loading frames, then bare text",
		body: `${loading(RULE)}upstream is gone\n`,
		lines: ["start"],
		error: "Server error: upstream is gone",
	},
	{
		name: "an old error line in mid-stream",
		body: `${delta({ content: "a" })}error: ${fault("slot crashed")}\n\n`,
		lines: textLines("a"),
		error: "500: slot crashed",
	},
	{
		name: "an error frame whose error is a string",
		body: delta({ content: "a" }) + frame({ error: "words" }) + STOP,
		lines: textLines("a"),
		error: "Server error: words",
	},
	{
		name: "an event named error",
		body: `${delta({ content: "a" })}event: error\ndata: plain words\n\n`,
		lines: textLines("a"),
		error: "Server error: plain words",
	},
	{
		name: "an event named error whose type says so too",
		body: `${delta({ content: "a" })}event: error\ndata: {"type":"error","message":"words"}\n\n`,
		lines: textLines("a"),
		error: "Server error: words",
	},
	{
		name: "an end in the middle of an event",
		body: delta({ content: "a" }) + delta({ content: "b" }).slice(0, -9),
		lines: textLines("a"),
		error: CUT_OFF,
	},
	{
		name: "an end without a finish",
		body: delta({ content: "a" }),
		lines: textLines("a"),
		error: CUT_OFF,
	},
	{ name: "nothing but pings", body: ": ping\n\n: ping\n\n", lines: ["start"], error: CUT_OFF },
];

const checked = (http: Http, deps: Partial<StreamDeps> = {}): Promise<Turn> =>
	readTurn(createStreamSimple({ http, timeoutMs: 60_000, ...deps })(MODEL, CONTEXT));

test.each(SCENES.map((scene) => [scene.name, scene] as const))(
	"the same events however it is cut: %s",
	async (_name, { body, lines, error }) => {
		for (const chunks of everyCut(bytes(body))) {
			const http = scriptedHttp({ ...sse(), chunks });
			const { events, broken } = await checked(http);
			const got = linesOf(events);
			const words = `seed ${CUT_SEED}, ${chunks.length} pieces`;
			expect(broken, words).toEqual([]);
			if (error === undefined) expect(got, words).toEqual(lines);
			else {
				expect(got.slice(0, -1), words).toEqual(lines);
				expect(got.at(-1)?.startsWith(`error error: ${error}`), `${words}: ${got.at(-1)}`).toBe(
					true,
				);
			}
		}
	},
);

test("a long stream that is cut off says only that, wherever the network cut it", async () => {
	const body = bytes(delta({ content: "0123456789" }).repeat(1500));
	for (const chunks of everyCut(body).slice(2, 5)) {
		const { message } = await checked(scriptedHttp({ ...sse(), chunks }));
		expect(message.errorMessage, `seed ${CUT_SEED}`).toBe(CUT_OFF);
		expect(isRetryableAssistantError(message)).toBe(true);
	}
});

test("a stream that ends in [DONE] without a finish is tried again, like any that was cut off", async () => {
	const { message, broken } = await checked(scriptedHttp(sse(delta({ content: "x" }), DONE)));
	expect(broken).toEqual([]);
	expect(message).toMatchObject({ stopReason: "error", content: [{ type: "text", text: "x" }] });
	expect(isRetryableAssistantError(message), message.errorMessage).toBe(true);
});

interface Refusal {
	readonly status: number;
	readonly body: string;
	readonly retry: boolean;
	readonly overflow?: boolean;
}

const REFUSALS: readonly Refusal[] = [
	{ status: 400, body: fault("bad field at 15003"), retry: false },
	{ status: 401, body: "", retry: false },
	{ status: 403, body: '{"detail":"Invalid API key"}', retry: false },
	{ status: 404, body: "404 page not found", retry: false },
	{ status: 404, body: '{"error":"no local server found for requested model"}', retry: false },
	{ status: 408, body: "slow", retry: false },
	{ status: 421, body: "", retry: false },
	{ status: 429, body: "", retry: true },
	{ status: 500, body: "", retry: true },
	{ status: 500, body: fault("Compute error."), retry: true },
	{ status: 500, body: fault("image input is not supported - hint: mmproj"), retry: false },
	{ status: 502, body: "", retry: true },
	{ status: 502, body: "<html><title>502 Bad Gateway</title></html>", retry: true },
	{ status: 502, body: "unable to start process: exit status 1", retry: false },
	{ status: 503, body: fault("Loading model"), retry: true },
	{ status: 504, body: "", retry: true },
	{ status: 400, body: fault(OVERFLOW), retry: false, overflow: true },
	{ status: 500, body: fault(OVERFLOW), retry: false, overflow: true },
	{
		...{ status: 500, retry: false, overflow: true },
		body: fault("Context size has been exceeded.", { type: "server_error" }),
	},
];

test.each(REFUSALS)("a refusal %j", async ({ status, body, retry, overflow = false }) => {
	const { message, events, broken } = await checked(scriptedHttp(answer(status, body)));
	expect(broken).toEqual([]);
	expect(events).toHaveLength(1);
	expect(isContextOverflow(message, MODEL.contextWindow)).toBe(overflow);
	if (!overflow) expect(isRetryableAssistantError(message), message.errorMessage).toBe(retry);
});

test("no number in a final error makes pi try again; the user still sees the whole message", async () => {
	const random = seeded(CUT_SEED);
	const parts = ["429", "500", "502", "503", "504", "520", "524", "50", "5", "2", "4", "29", "0"];
	for (let round = 0; round < 200; round += 1) {
		const number = Array.from({ length: 4 }, () => parts.at(Math.floor(random() * parts.length)));
		const said = `bad field at ${number.join("")}`;
		const notices: string[] = [];
		const { message } = await checked(scriptedHttp(answer(400, fault(said))), {
			notice: (text) => notices.push(text),
		});
		const words = `seed ${CUT_SEED}: ${said}`;
		expect(isRetryableAssistantError(message), words).toBe(false);
		expect([message.errorMessage, ...notices].join(), words).toContain(said);
	}
});

test.each([
	["health check timed out after 120s", "it was not healthy within 120s"],
	[
		"unable to start process: upstream command exited prematurely: signal: terminated",
		"unable to start process: upstream command exited prematurely: signal: ended",
	],
])("a failed load is not tried again, whatever its message: %s", async (said, shown) => {
	const { message } = await checked(scriptedHttp(answer(502, said)));
	expect(message.errorMessage).toContain(`(${shown})`);
	expect(isRetryableAssistantError(message), message.errorMessage).toBe(false);
});

test("nor for the words of its log", async () => {
	const explainLoad = async (): Promise<string> => "CUDA error: internal error; terminated";
	const http = scriptedHttp(answer(502, "unable to start process: exit status 1"));
	const { message } = await checked(http, { explainLoad });
	expect(message.errorMessage).toContain("CUDA error: error inside the server; ended");
	expect(isRetryableAssistantError(message), message.errorMessage).toBe(false);
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

test("a body is read only when onResponse is through, the next event only when the last was observed", async () => {
	const log: string[] = [];
	const http = spiedHttp([delta({ content: "a" }), delta({ content: "b" }), STOP], { log });
	const step = async (name: string): Promise<void> => {
		log.push(`${name} begins`);
		await new Promise((resolve) => setImmediate(resolve));
		log.push(`${name} ends`);
	};
	const options = {
		onResponse: () => step("head"),
		onProviderStreamEvent: () => step("event"),
	} as SimpleStreamOptions;
	const stream = createStreamSimple({ http, timeoutMs: 60_000 });
	await readTurn(stream(MODEL, CONTEXT, options));
	const event = ["read", "event begins", "event ends"];
	expect(log.slice(0, 11)).toEqual(["head begins", "head ends", ...event, ...event, ...event]);
});

test.each(["onPayload", "onResponse", "onProviderStreamEvent"])(
	"a %s that fails ends the turn, once, in its own words",
	async (hook) => {
		const http = scriptedHttp(sse(delta({ content: "a" }), delta({ content: "b" }), STOP));
		const options = { [hook]: () => Promise.reject(new Error("mine")) } as SimpleStreamOptions;
		const stream = createStreamSimple({ http, timeoutMs: 60_000 });
		const { message, broken } = await readTurn(stream(MODEL, CONTEXT, options));
		expect(broken).toEqual([]);
		expect(message).toMatchObject({ stopReason: "error", errorMessage: "mine" });
	},
);

test("what cannot be converted is an error of the turn, not of the call", async () => {
	const loop: Record<string, unknown> = {};
	loop["self"] = loop;
	const turn = {
		...{ role: "assistant", api: "test", provider: "ai-server", model: "tiny", stopReason: "stop" },
		content: [{ type: "toolCall", id: "a", name: "f", arguments: loop }],
	};
	const stream = createStreamSimple({
		...{ http: scriptedHttp(), timeoutMs: 60_000 },
	});
	const { message, broken } = await readTurn(
		stream(MODEL, { messages: [turn] } as unknown as Context),
	);
	expect(broken).toEqual([]);
	expect(message.stopReason).toBe("error");
});

test("headers: the caller's over the model's over our own, and null takes any away", async () => {
	const http = scriptedHttp(sse(delta({ content: "x" }), STOP));
	const stream = createStreamSimple({ http, timeoutMs: 60_000 });
	const model = { ...MODEL, headers: { "X-A": "model", "X-B": "model", "X-C": "model" } };
	const headers = { "x-a": "caller", "x-c": null, "X-Session-Id": null };
	await readTurn(stream(model, CONTEXT, { sessionId: "s", headers }));
	expect(http.requests[0]?.headers).toEqual({
		...{ accept: "text/event-stream", "content-type": "application/json" },
		...{ "x-a": "caller", "x-b": "model" },
	});
});

test("an abort while the reason of an empty answer is asked for", async () => {
	const controller = new AbortController();
	let asked = 0;
	const http: Http = {
		async request({ signal }) {
			asked += 1;
			if (asked === 1) {
				const body = { destroy: () => undefined, async *[Symbol.asyncIterator]() {} };
				return { status: 200, headers: { "content-type": "text/event-stream" }, body };
			}
			controller.abort();
			throw signal?.reason as Error;
		},
		close: async () => undefined,
	};
	const stream = createStreamSimple({ http, timeoutMs: 60_000 });
	const { message, broken } = await readTurn(stream(MODEL, CONTEXT, { signal: controller.signal }));
	expect(broken).toEqual([]);
	expect(asked).toBe(2);
	expect(message.stopReason).toBe("aborted");
});
