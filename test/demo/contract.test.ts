import { once } from "node:events";
import { type IncomingHttpHeaders, request as send } from "node:http";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type Box, startBox } from "../../demo/box.ts";
import { type Exchange, readRecords, recordedHeader } from "../support/records.ts";

const records = await readRecords("llama-swap-v250");
const CONFIGS = ["main", "aliases", "empty", "auth", "slash", "fail", "conc", "quotes"];

/** What the box deliberately lacks, each with its reason; everything else is compared. */
const LACKING: readonly (readonly [reason: string, ids: RegExp])[] = [
	["peers: another llama-swap behind this one", /^(chat-peer|peer-down|upstream-peer)/],
	["the recording's echo program", /^(chat-echo|upstream-echo|auth-forward|stopping-chat)/],
	[
		"metrics, captures and in-flight lists",
		/^(activity|capture|inflight|stats|metrics-old|events-inflight)/,
	],
	["machine statistics", /^(performance|prometheus|hardware|auth-metrics-open)/],
	["profiles and selectors", /^(profiles|selector)/],
	[
		"routes that no chat client uses",
		/^(completions|messages|responses|upstream-tokenize)$|other-route$/,
	],
	[
		"Unix signals and file watching of the real program",
		/^(reload|shutdown|events-hup|logs-proxy-reload|events-reconnect|slash-logs)/,
	],
	["a process killed from outside", /^kill-/],
	[
		"checkEndpoint: none, slow health pages and health timeouts",
		/^(none-|load-503|fail-never|fail-running)/,
	],
	[
		"sequences over time, told as timelines; the scheduler has tests of its own",
		/^(swap-|disconnect-|limit-cold|limit-warm-1|running-stopping|models-stopping|unload-during-nonstream|events$|events-failures|ttl-)/,
	],
	["the model's own log and the request log, which depend on what ran before", /^logs/],
	[
		"tool calls, tokens and word salad of a real model",
		/^(chat-tools|chat-overflow|chat-loading-then-400|running-cold-tools|auth-inner)/,
	],
	["useModelName", /^chat-renamed/],
	["the position in broken JSON, which is the JSON library's affair", /^chat-bad-json/],
	["the last program in the list that could not be loaded", /^fail-(exit0|missing-quotes)/],
];

/** What must be so before a request: a model that is ready, or one that is starting. */
const BEFORE: Readonly<Record<string, readonly ["ready" | "starting", string]>> = {
	"models-loaded": ["ready", "late"],
	"models-starting": ["starting", "late"],
	"running-starting": ["starting", "late"],
	"running-ready": ["ready", "late"],
	"running-slash-multiline": ["ready", "author/slash-model"],
	"slash-running": ["ready", "author/slash-model"],
	"upstream-alias-running": ["ready", "tiny"],
	"upstream-slash-running": ["ready", "author/slash-model"],
	"upstream-ignored-path-ready": ["ready", "tiny"],
	"limit-warm-2": ["ready", "one"],
	"limit-warm-3": ["ready", "one"],
	"chat-loading-warm": ["ready", "late-loading"],
};

const boxes = new Map<string, Box>();
beforeAll(async () => {
	for (const name of CONFIGS) {
		boxes.set(name, await startBox({ tls: false, config: records.config(name), loadMs: 60 }));
	}
});
afterAll(async () => {
	for (const box of boxes.values()) await box.close();
});

interface Answer {
	readonly status: number;
	readonly headers: IncomingHttpHeaders;
	readonly body: string;
}

/** Sends what was recorded, with the headers that were recorded; null leaves one out. */
function replay(
	box: Box,
	{ request: { method, path, headers = {}, body, bodyText } }: Exchange,
): Promise<Answer> {
	const text = bodyText ?? (body === undefined ? undefined : JSON.stringify(body));
	const json = text === undefined ? {} : { "Content-Type": "application/json" };
	const wanted = Object.entries({ Accept: "*/*", ...json, ...headers });
	return new Promise((resolve, reject) => {
		const options = { method, path, host: "127.0.0.1", port: box.front.port, agent: false };
		const request = send(options, (response) => {
			let received = "";
			response.setEncoding("utf8");
			response.on("data", (chunk: string) => {
				received += chunk;
			});
			response.on("end", () => {
				resolve({ status: response.statusCode ?? 0, headers: response.headers, body: received });
			});
			response.on("error", reject);
		});
		for (const [name, value] of wanted) if (value !== null) request.setHeader(name, value);
		request.on("error", reject);
		request.end(text);
	});
}

/** Keys and types, whatever the values; a list by the shapes of its entries. */
function shape(value: unknown): unknown {
	if (Array.isArray(value))
		return [...new Set(value.map((item) => JSON.stringify(shape(item))))].toSorted();
	if (value === null || typeof value !== "object") return value === null ? "null" : typeof value;
	const entries = Object.entries(value).toSorted(([a], [b]) => (a < b ? -1 : 1));
	return Object.fromEntries(entries.map(([key, item]) => [key, shape(item)]));
}

/** What is compared of a body: shapes of JSON and of events, the words of errors and of text. */
function digest(status: number, type: string | undefined, body: string): unknown {
	if (type?.startsWith("text/event-stream") === true) {
		return frameShapes(body).filter((frame) => !SPOKEN.test(frame));
	}
	if (!body.trimStart().startsWith("{") && !body.trimStart().startsWith("[")) return body;
	const parsed = JSON.parse(body) as { readonly error?: unknown; readonly data?: unknown };
	if (status >= 400) return parsed;
	if (Array.isArray(parsed.data))
		return { ...parsed, data: parsed.data.filter(notAPeer).map(shape) };
	return shape(parsed);
}

/** How much is thought and how much is said is the model's affair, so these frames may be missing. */
const SPOKEN = /^\{"choices":\["\{\\"delta\\":\{\\"(?:reasoning_)?content\\":\\"string/;

function frameShapes(body: string): readonly string[] {
	const frames = body.split("\n\n").filter((frame) => frame.trim() !== "");
	return [...new Set(frames.map(digestFrame))].toSorted();
}

/** Every frame that a stream of llama-swap v250 ever held. */
const recordedFrames = new Set(
	records.exchanges
		.filter((exchange) => recordedHeader(exchange, "content-type") === "text/event-stream")
		.filter(({ id }) => !/^events/.test(id))
		.flatMap(({ body }) => frameShapes(body)),
);

/** A frame by its shape; text is cut off because every model says something else. */
function digestFrame(frame: string): string {
	const data = frame.replace(/^data: ?/, "");
	if (!data.startsWith("{")) return data;
	const parsed = JSON.parse(data) as { readonly error?: unknown };
	return JSON.stringify(parsed.error === undefined ? shape(parsed) : parsed);
}

function notAPeer(record: { readonly id?: unknown }): boolean {
	return !String(record.id).startsWith("peer1/");
}

async function prepare(box: Box, id: string): Promise<void> {
	const before = BEFORE[id];
	await fetch(`http://127.0.0.1:${box.front.port}/api/models/unload`, {
		method: "POST",
		headers: { authorization: "Bearer sk-one" },
	});
	if (before === undefined) return;
	const [state, model] = before;
	const loaded = fetch(`http://127.0.0.1:${box.front.port}/upstream/${model}/health`);
	if (state === "ready") await loaded;
	else await expect.poll(() => box.swap.states()[model], { interval: 2 }).toBe("starting");
}

const lacking = (id: string): boolean => LACKING.some(([, ids]) => ids.test(id));
const WAITERS = /^(unload-starting|unload-all-starting|unload-during-stream)/;
const compared = records.exchanges.filter(
	({ id, config }) => CONFIGS.includes(config) && !lacking(id) && !WAITERS.test(id),
);

test.each(compared.map((exchange) => [exchange.id, exchange] as const))(
	"%s is answered as llama-swap v250 did",
	async (id, exchange) => {
		const box = boxes.get(exchange.config);
		if (box === undefined) throw new Error(exchange.config);
		await prepare(box, id);
		const release = /^limit-warm/.test(id) ? await holdOneChat(box) : undefined;
		const answer = await replay(box, exchange);
		release?.();
		const type = recordedHeader(exchange, "content-type");
		expect(answer.status).toBe(exchange.status);
		expect(answer.headers["content-type"]).toBe(type);
		const made = digest(answer.status, answer.headers["content-type"], answer.body);
		expect(made).toEqual(digest(exchange.status, type, exchange.body));
		if (type === "text/event-stream") {
			expect(frameShapes(answer.body).filter((frame) => !recordedFrames.has(frame))).toEqual([]);
		}
	},
);

/** A chat that goes on until it is released, so that the model's one place is taken. */
async function holdOneChat(box: Box): Promise<() => void> {
	box.nextReply(async (response) => {
		response.writeHead(200, { "content-type": "text/event-stream" }).flushHeaders();
		await once(response, "close");
	});
	const client = new AbortController();
	await fetch(`http://127.0.0.1:${box.front.port}/v1/chat/completions`, {
		method: "POST",
		headers: { "content-type": "application/json" },
		body: '{"model":"one","stream":true,"messages":[]}',
		signal: client.signal,
	});
	return () => client.abort();
}

test("every recorded exchange is compared, or stands in the list of what is lacking", () => {
	const elsewhere = records.exchanges.filter(
		({ id, config }) => !CONFIGS.includes(config) && !lacking(id),
	);
	expect(elsewhere.map(({ id }) => id)).toEqual([]);
	expect(compared.length).toBeGreaterThan(110);
	for (const [reason, ids] of LACKING) {
		expect(
			records.exchanges.some(({ id }) => ids.test(id)),
			reason,
		).toBe(true);
	}
});
