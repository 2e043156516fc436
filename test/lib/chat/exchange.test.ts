import { expect, test } from "vitest";
import type { ExchangeOptions } from "../../../lib/chat/attempt.ts";
import { createExchange } from "../../../lib/chat/exchange.ts";
import { AiServerError } from "../../../lib/errors.ts";
import type { Http } from "../../../lib/http/types.ts";
import { spiedHttp } from "../../support/chat.ts";
import { cutAt, type ScriptedAnswer, scriptedHttp } from "../../support/scripted-http.ts";

const REQUEST = { model: "m", stream: true, stream_options: {}, max_tokens: 50, messages: [] };
const STOP = 'data: {"id":"1","choices":[{"delta":{"content":"x"},"finish_reason":"stop"}]}\n\n';
const OPEN = 'data: {"id":"1","choices":[{"delta":{"content":"x"}}]}\n\n';
const DONE = "data: [DONE]\n\n";

interface Tried {
	readonly texts: readonly string[];
	readonly error: Error | undefined;
}

async function attempt(
	http: Http,
	options: Partial<ExchangeOptions> = {},
	explainLoad?: (model: string) => Promise<string | undefined>,
): Promise<Tried> {
	const texts: string[] = [];
	const exchange = createExchange({
		http,
		timeoutMs: 60_000,
		...(explainLoad === undefined ? {} : { explainLoad }),
	});
	try {
		await exchange.run(REQUEST, {
			headers: {},
			onHead: async () => undefined,
			onChunk: ({ text }) => void texts.push(text),
			...options,
		});
		return { texts, error: undefined };
	} catch (error) {
		return { texts, error: error as Error };
	}
}

const answer = (status: number, body: string, type = "application/json"): ScriptedAnswer => ({
	status,
	headers: { "content-type": type },
	chunks: body === "" ? [] : [new TextEncoder().encode(body)],
});

test("a posted request, and the chunks of its answer", async () => {
	const http = scriptedHttp(answer(200, STOP + DONE, "text/event-stream; charset=utf-8"));
	expect(await attempt(http, { headers: { "x-a": "1" } })).toEqual({
		texts: ["x"],
		error: undefined,
	});
	expect(http.requests[0]).toMatchObject({ method: "POST", path: "/v1/chat/completions" });
	expect(http.requests[0]?.headers).toEqual({
		accept: "text/event-stream",
		"content-type": "application/json",
		"x-a": "1",
	});
	expect(JSON.parse(http.requests[0]?.body ?? "")).toEqual(REQUEST);
});

test("no more is read than up to [DONE] before the answer is complete, and the rest is not looked at", async () => {
	const http = spiedHttp([STOP, `${DONE}data: {nope\n\n`, "data: {nope\n\n"]);
	expect(await attempt(http)).toEqual({ texts: ["x"], error: undefined });
	await expect.poll(() => http.log).toEqual(["read", "read", "read", "end"]);
});

test("a connection that breaks behind [DONE] breaks nothing", async () => {
	const failure = new AiServerError("network", "reset");
	const http = spiedHttp([STOP + DONE], { failure });
	expect(await attempt(http)).toEqual({ texts: ["x"], error: undefined });
	await expect.poll(() => http.log).toEqual(["read", "end"]);
});

test("a connection that breaks before keeps what came, and the fault", async () => {
	const failure = new AiServerError("network", "reset");
	const { texts, error } = await attempt(spiedHttp([STOP], { failure }));
	expect(texts).toEqual(["x"]);
	expect(error).toBe(failure);
});

test.each<[string, Partial<ExchangeOptions>]>([
	["the head", { onHead: () => Promise.reject(new Error("mine")) }],
	["a chunk", { onChunk: () => Promise.reject(new Error("mine")) }],
	[
		"a chunk, at once",
		{
			onChunk: () => {
				throw new Error("mine");
			},
		},
	],
])(
	"an exception of the caller at %s is passed on, and the connection is dropped",
	async (_at, options) => {
		const http = spiedHttp([STOP, STOP, DONE]);
		expect((await attempt(http, options)).error?.message).toBe("mine");
		expect(http.log).toContain("destroyed");
	},
);

test("a body that is no chat event drops the connection", async () => {
	const http = spiedHttp([OPEN, "data: {nope\n\n", STOP]);
	expect((await attempt(http)).error).toMatchObject({ code: "protocol" });
	expect(http.log).toEqual(["read", "read", "destroyed"]);
});

test("only a failed load is explained", async () => {
	const asked: string[] = [];
	const explain = async (model: string): Promise<undefined> => void asked.push(model);
	await attempt(scriptedHttp(answer(500, '{"error":"Compute error."}')), {}, explain);
	await attempt(scriptedHttp(answer(404, '{"error":"failed to load"}')), {}, explain);
	expect(asked).toEqual([]);
	await attempt(scriptedHttp(answer(502, "unable to start process: x")), {}, explain);
	expect(asked).toEqual(["m"]);
});

test("a refusal is seen as one, and the head is not handed over", async () => {
	const heads: number[] = [];
	const onHead = async ({ status }: { status: number }): Promise<void> => void heads.push(status);
	const { error } = await attempt(scriptedHttp(answer(400, '{"error":"no"}')), { onHead });
	expect(error?.message).toBe("400: no");
	expect(heads).toEqual([]);
});

test.each([
	["text/event-stream", 500],
	["application/json", 500],
	["", 400],
])("an empty %j is asked again, once, for its reason", async (type, status) => {
	const http = scriptedHttp(answer(200, "", type), answer(status, '{"detail":"why"}'));
	expect((await attempt(http)).error?.message).toBe(`${status}: why`);
	expect(http.requests.map(({ body }) => JSON.parse(body ?? "") as unknown)).toEqual([
		REQUEST,
		{ model: "m", stream: false, max_tokens: 1, messages: [] },
	]);
	expect(http.requests[1]?.headers).toMatchObject({ accept: "application/json" });
});

test("a 200 with an error in JSON says what the error says", async () => {
	const { error } = await attempt(
		scriptedHttp(answer(200, '{"error":{"message":"no such thing"}}')),
	);
	expect(error?.message).toContain("no such thing");
});

const LETTER = 'data: {"id":"1","choices":[{"delta":{"content":"x"}}]}\n\n';

test("everybody has a turn while a large read is handed over", async () => {
	let seen = 0;
	const turns: number[] = [];
	const turn = (): void => {
		turns.push(seen);
		if (seen < 1000) setImmediate(turn);
	};
	const onChunk = (): void => {
		if (seen === 0) setImmediate(turn);
		seen += 1;
	};
	const body = LETTER.repeat(999) + STOP + DONE;
	const { error } = await attempt(scriptedHttp(answer(200, body, "text/event-stream")), {
		onChunk,
	});
	expect(error).toBeUndefined();
	expect(seen).toBe(1000);
	expect(turns.filter((at) => at < 1000).length).toBeGreaterThan(2);
});

test("an abort stops in the middle of a large read", async () => {
	const stop = new AbortController();
	let seen = 0;
	const onChunk = (): void => {
		if (seen === 0) setImmediate(() => stop.abort());
		seen += 1;
	};
	const body = LETTER.repeat(999) + STOP + DONE;
	const http = scriptedHttp(answer(200, body, "text/event-stream"));
	const { error } = await attempt(http, { onChunk, signal: stop.signal });
	expect(error?.name).toBe("AbortError");
	expect(seen).toBeLessThan(100);
});

test.each([
	[
		"in an event",
		`data: ${JSON.stringify({ error: { message: "model name=m failed to load" } })}\n\n`,
	],
	[
		"as llama-swap's loading text",
		`data: ${JSON.stringify({ choices: [{ delta: { reasoning_content: "llama-swap loading model: m\n" } }] })}\n\n{"error":"upstream command exited prematurely","src":"llama-swap"}`,
	],
])("a failed load that is reported %s is explained as well", async (_how, body) => {
	const http = scriptedHttp(answer(200, body, "text/event-stream"));
	const { error } = await attempt(http, {}, async () => "out of memory");
	expect(error?.message).toMatch(/could not be loaded \(.*\)\. Its log: out of memory$/);
});

test.each(["text/plain", "application/json", "text/html", ""])(
	"a stream that calls itself %j is read as one, wherever it is cut",
	async (type) => {
		const bytes = new TextEncoder().encode(`: ping\n\ndata:\n\n${STOP}${DONE}`);
		for (const size of [1, 3, bytes.length]) {
			const cuts = Array.from({ length: Math.floor(bytes.length / size) }, (_, at) => at * size);
			const chunks = cutAt(bytes, cuts).filter(({ length }) => length > 0);
			const http = scriptedHttp({ status: 200, headers: { "content-type": type }, chunks });
			expect(await attempt(http), `pieces of ${size}`).toEqual({ texts: ["x"], error: undefined });
		}
	},
);
