import {
	type AssistantMessage,
	isContextOverflow,
	isRetryableAssistantError,
	type Model,
} from "@earendil-works/pi-ai";
import { expect, test } from "vitest";
import { ENVIRONMENT_NAMES } from "../../config.ts";
import { createStreamSimple } from "../../stream.ts";
import { ERROR_WORDS, type Outcome } from "../support/error-words.ts";
import { type Exchange, readRecords, recordedHeader } from "../support/records.ts";
import { type ScriptedAnswer, scriptedHttp } from "../support/scripted-http.ts";

const FILES = [
	"llama-server",
	"llama-cpp-python",
	"llama-swap-v217",
	"llama-swap-v220",
	"llama-swap-v225",
	"llama-swap-v236",
	"llama-swap-v250",
	"llama-swap-head",
];
const MODEL: Model<"test"> = {
	id: "tiny",
	name: "tiny",
	api: "test",
	provider: "ai-server",
	baseUrl: "",
	reasoning: true,
	input: ["text"],
	cost: { input: 0, output: 0, cacheRead: 0, cacheWrite: 0 },
	contextWindow: 4096,
	maxTokens: 4096,
};
/** An empty stream, and what the same server answers without streaming. */
const REASONS = new Map([
	["llama-cpp-python/chat-overflow-stream", "llama-cpp-python/chat-overflow"],
]);

const chats = new Map<string, Exchange>();
for (const file of FILES) {
	for (const exchange of (await readRecords(file)).exchanges) {
		const { method, path } = exchange.request;
		const isChat = method === "POST" && path === "/v1/chat/completions" && exchange.head !== "";
		if (isChat) chats.set(`${file}/${exchange.id}`, exchange);
	}
}

async function messageOf(id: string): Promise<AssistantMessage> {
	const answers = [id, REASONS.get(id) ?? id].map((name) => answerOf(chats.get(name)));
	const http = scriptedHttp(...answers);
	const stream = createStreamSimple({ http, timeoutMs: 60_000, names: ENVIRONMENT_NAMES });
	return stream(MODEL, { messages: [] }).result();
}

function answerOf(exchange: Exchange | undefined): ScriptedAnswer {
	if (exchange === undefined) throw new Error("no such record");
	const { status, body, bodyBase64 } = exchange;
	const encoding = bodyBase64 === undefined ? "utf8" : "base64";
	const bytes = Buffer.from(bodyBase64 ?? body, encoding);
	const headers = { "content-type": recordedHeader(exchange, "content-type") ?? "" };
	return { status, headers, chunks: bytes.length === 0 ? [] : [bytes] };
}

function outcomeOf(message: AssistantMessage): Outcome {
	// pi looks for an overflow first.
	if (isContextOverflow(message, MODEL.contextWindow)) return "compacts";
	return isRetryableAssistantError(message) ? "tries again" : "stops";
}

const rows = ERROR_WORDS.flatMap(([outcome, words, records]) =>
	records.map((record) => [record, outcome, words] as const),
);

test.each(rows)("%s: pi %s, and the user reads: %s", async (record, outcome, words) => {
	const message = await messageOf(record);
	const text = message.errorMessage ?? "";
	expect(text).toBe(words);
	expect(outcomeOf(message)).toBe(outcome);
	expect(text).not.toMatch(/[\p{Control}\p{Format}]/u);
});

test("every recorded chat that ended in an error is in the table, once", async () => {
	const failed: string[] = [];
	for (const id of chats.keys()) {
		if ((await messageOf(id)).stopReason === "error") failed.push(id);
	}
	expect(rows.map(([record]) => record).toSorted()).toEqual(failed.toSorted());
	expect(failed.length).toBeGreaterThan(150);
});
