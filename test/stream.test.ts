import {
	type Context,
	isRetryableAssistantError,
	type SimpleStreamOptions,
} from "@earendil-works/pi-ai";
import { expect, test } from "vitest";
import type { Http } from "../lib/http/types.ts";
import { type ChatProgress, createStreamSimple } from "../stream.ts";
import { readTurn, spiedHttp } from "./support/chat.ts";
import {
	answer,
	CONTEXT,
	callDelta,
	delta,
	endless,
	fault,
	frame,
	HEAD,
	loading,
	MODEL,
	run,
	STOP,
	sse,
} from "./support/chat-stream.ts";
import { scriptedHttp } from "./support/scripted-http.ts";

test("loading text of llama-swap, prompt progress and speed are reported besides the message", async () => {
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
		role: "assistant",
		api: "test",
		provider: "ai-server",
		model: "tiny",
		stopReason: "stop",
		content: [{ type: "toolCall", id: "a", name: "f", arguments: loop }],
	};
	const stream = createStreamSimple({
		http: scriptedHttp(),
		timeoutMs: 60_000,
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
		accept: "text/event-stream",
		"content-type": "application/json",
		"x-a": "caller",
		"x-b": "model",
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
