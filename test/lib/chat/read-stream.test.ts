import { expect, test } from "vitest";
import { ChatError, StreamError } from "../../../lib/chat/errors/error-text.ts";
import { startIdleTimeout } from "../../../lib/chat/idle-timeout.ts";
import { parseChunk, readStream } from "../../../lib/chat/read-stream.ts";
import { spiedHttp } from "../../support/chat.ts";

const TEXT = 'data: {"id":"1","choices":[{"delta":{"content":"x"}}]}\n\n';
const STOP = 'data: {"id":"1","choices":[{"delta":{},"finish_reason":"stop"}]}\n\n';
const DONE = "data: [DONE]\n\n";
const loading = (text: string): string =>
	`data: ${JSON.stringify({ choices: [{ delta: { reasoning_content: text } }] })}\n\n`;

interface Read {
	readonly bytes: number | undefined;
	readonly error: unknown;
	readonly chunks: number;
	readonly drains: number;
	readonly log: readonly string[];
}

async function read(...parts: readonly string[]): Promise<Read> {
	const http = spiedHttp(parts);
	const idle = startIdleTimeout(60_000, undefined);
	const drains: Promise<void>[] = [];
	let chunks = 0;
	const response = await http.request({ path: "/" });
	const outcome = await readStream(response, {
		idle,
		onChunk: () => {
			chunks += 1;
		},
		onDrain: (drained) => drains.push(drained),
	}).then(
		(bytes) => ({ bytes, error: undefined }),
		(error: unknown) => ({ bytes: undefined, error }),
	);
	idle.stop();
	await Promise.all(drains);
	return { ...outcome, chunks, drains: drains.length, log: http.log };
}

test("[DONE] ends the answer, and the rest of the body is read meanwhile", async () => {
	expect(await read(TEXT, STOP + DONE, ": more\n\n")).toEqual({
		bytes: TEXT.length + STOP.length + DONE.length,
		error: undefined,
		chunks: 2,
		drains: 1,
		log: ["read", "read", "read", "end"],
	});
});

test.each([
	["a finish without [DONE]", [TEXT, STOP], 2],
	["a last event without its blank line", [TEXT, STOP.trimEnd()], 2],
	["[DONE] without its blank line", [STOP, DONE.trimEnd()], 1],
	["nothing at all", [], 0],
])("the end of the body after %s is an end", async (_what, parts, chunks) => {
	const result = await read(...parts);
	expect(result).toMatchObject({
		bytes: parts.join("").length,
		error: undefined,
		drains: 0,
		chunks,
	});
});

test.each([
	["an answer", [TEXT], "; the model's server stopped, or was stopped"],
	["llama-swap's loading text", [loading("loading ")], " while the model was loading"],
	["a load that was done", [loading("Done! (1s)")], "; the model's server stopped, or was stopped"],
])("a stream that ends within %s was cut off", async (_what, parts, where) => {
	const { error } = await read(...parts);
	expect(error).toBeInstanceOf(ChatError);
	expect(error).toMatchObject({
		message: `Connection error: the stream ended without finish_reason${where}`,
	});
});

test.each([
	["an event", `data: {"error":{"message":"boom","code":500}}\n\n`, { message: "boom", code: 500 }],
	["an error line", `error: {"code":500,"message":"boom"}\n\n`, { message: "boom", code: 500 }],
	["bare JSON", `${loading("x")}{"error":"boom","src":"llama-swap"}`, { fromProxy: true }],
	["bare text", `${loading("x")}boom`, { message: "boom", fromProxy: false }],
	[
		"loading text",
		loading("Unable to swap model err: boom\nDone! (1s)"),
		{ message: "boom", fromProxy: true },
	],
])("an error that comes as %s", async (_how, body, expected) => {
	const { error } = await read(body);
	expect(error).toBeInstanceOf(StreamError);
	expect((error as StreamError).error).toMatchObject({ message: "boom", ...expected });
});

test("an error inside the stream drops the connection", async () => {
	const { log } = await read('data: {"error":"boom"}\n\n', TEXT);
	expect(log).toEqual(["read", "destroyed"]);
});

test("what is not JSON is quoted", () => {
	expect(parseChunk("1")).toBeUndefined();
	expect(() => parseChunk("{nope\u001b[2J")).toThrow(
		"The server sent an event that is not JSON: {nope",
	);
});
