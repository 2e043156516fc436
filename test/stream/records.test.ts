import {
	type AssistantMessage,
	isContextOverflow,
	isRetryableAssistantError,
	type Model,
} from "@earendil-works/pi-ai";
import { expect, test } from "vitest";
import { paraphrase } from "../../lib/chat/errors/paraphrase.ts";
import { createStreamSimple } from "../../stream.ts";
import { type Exchange, readRecords, recordedHeader } from "../support/records.ts";
import { cutAt, scriptedHttp, seeded } from "../support/scripted-http.ts";

const FILES = [
	"llama-server",
	"llama-cpp-python",
	"llama-swap-v250",
	"llama-swap-v217",
	"llama-swap-v220",
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
const SEED = Date.now() % 100_000;

const all = (
	await Promise.all(
		FILES.map(async (file) =>
			(
				await readRecords(file)
			).exchanges.map((exchange) => [`${file}/${exchange.id}`, exchange] as const),
		),
	)
).flat();
const chats = all.filter(
	([, { request, head }]) => /chat\/completions$/.test(request.path) && head !== "",
);
const streams = chats.filter(
	([, exchange]) =>
		exchange.status === 200 &&
		/event-stream/.test(recordedHeader(exchange, "content-type") ?? "") &&
		exchange.body !== "",
);
const refusals = chats.filter(([, { status }]) => status >= 400);

interface Run {
	readonly events: readonly string[];
	readonly message: AssistantMessage;
}

async function play(exchange: Exchange, chunks: readonly Uint8Array[]): Promise<Run> {
	const headers = { "content-type": recordedHeader(exchange, "content-type") ?? "" };
	const http = scriptedHttp({ status: exchange.status, headers, chunks });
	const stream = createStreamSimple({ http, timeoutMs: 60_000 });
	const events: string[] = [];
	const answer = stream(MODEL, { messages: [] });
	for await (const event of answer) {
		const { type } = event;
		events.push("delta" in event ? `${type} ${event.delta}` : type);
	}
	return { events, message: await answer.result() };
}

const bytesOf = ({ body, bodyBase64 }: Exchange): Uint8Array =>
	bodyBase64 === undefined ? new TextEncoder().encode(body) : Buffer.from(bodyBase64, "base64");

/** What a record holds, read in the plainest way there is. */
function readPlainly(body: string): {
	text: string;
	thinking: string;
	args: string;
	finish: string | undefined;
} {
	let [text, thinking, args] = ["", "", ""];
	let finish: string | undefined;
	for (const line of body.split("\n")) {
		if (!line.startsWith("data: {")) continue;
		let frame: {
			id?: string;
			choices?: {
				delta?: {
					content?: string;
					reasoning_content?: string;
					tool_calls?: { function?: { arguments?: string } }[];
				};
				finish_reason?: string;
			}[];
		};
		try {
			frame = JSON.parse(line.slice(6));
		} catch {
			continue; // an error and the next frame on one line
		}
		const choice = frame.choices?.[0];
		text += choice?.delta?.content ?? "";
		if (frame.id !== undefined) thinking += choice?.delta?.reasoning_content ?? "";
		for (const call of choice?.delta?.tool_calls ?? []) args += call.function?.arguments ?? "";
		finish = choice?.finish_reason ?? finish;
	}
	return { text, thinking, args, finish };
}

test.each(streams)(
	"%s: the message holds what the server sent, and the end is right",
	async (_id, exchange) => {
		const { message, events } = await play(exchange, [bytesOf(exchange)]);
		const sent = readPlainly(new TextDecoder().decode(bytesOf(exchange)));
		const said = (type: "text" | "thinking"): string =>
			message.content
				.map((block) =>
					block.type === type
						? (block as { text?: string; thinking?: string })[type === "text" ? "text" : "thinking"]
						: "",
				)
				.join("");
		expect(said("text")).toBe(sent.text);
		expect(said("thinking")).toBe(sent.thinking);
		const deltas = events.filter((event) => event.startsWith("toolcall_delta "));
		expect(deltas.map((event) => event.slice("toolcall_delta ".length)).join("")).toBe(sent.args);
		const ends = events.filter((event) => event === "done" || event === "error");
		expect(ends).toEqual([sent.finish === undefined ? "error" : "done"]);
		expect(events.at(-1)).toBe(ends[0]);
		if (sent.finish === undefined) expect(message.errorMessage).toMatch(/\S/);
		else
			expect(message.stopReason).toBe(
				{ stop: sent.args === "" ? "stop" : "toolUse", length: "length", tool_calls: "toolUse" }[
					sent.finish
				],
			);
		expect(`${said("text")}${said("thinking")}`).not.toContain("llama-swap loading model");
	},
);

test.each(streams)("%s is the same however it is cut", async (_id, exchange) => {
	const bytes = bytesOf(exchange);
	const random = seeded(SEED);
	const { events, message } = await play(exchange, [bytes]);
	const cuts = Array.from({ length: 200 }, () => Math.floor(random() * bytes.length));
	const pieces = [
		cutAt(bytes, cuts),
		...(bytes.length < 8000 ? [cutAt(bytes, [...bytes.keys()])] : []),
	];
	for (const chunks of pieces) {
		const again = await play(exchange, chunks);
		expect(again.events, `seed ${SEED}`).toEqual(events);
		expect(withoutTime(again.message), `seed ${SEED}`).toEqual(withoutTime(message));
	}
});

/** Without times and the ids that are made up for calls that came without one. */
function withoutTime({ timestamp: _time, ...message }: AssistantMessage): unknown {
	const { durationMs: _duration, ...rest } = message as AssistantMessage & { durationMs?: number };
	return rest;
}

/** Faults that a second try may cure; llama-server's 500s are all faults of the request. */
const isCurable = (id: string, status: number): boolean =>
	/^(?:429|50[234])$/.test(String(status)) || (status === 500 && id.startsWith("llama-cpp"));

test.each(refusals)(
	"%s: the error says what the server said, and pi draws the right conclusion",
	async (id, exchange) => {
		const { message, events } = await play(exchange, [bytesOf(exchange)]);
		expect(events).toEqual(["error"]);
		const text = message.errorMessage ?? "";
		const words = /"message":"((?:\\.|[^"\\])*)"|"error":"((?:\\.|[^"\\])*)"/.exec(exchange.body);
		const said = words === null ? undefined : (JSON.parse(`"${words[1] ?? words[2]}"`) as string);
		if (said !== undefined) expect(plain(text)).toContain(withoutNoise(said).slice(0, 40));
		const overflow = /exceeds the available context size|context_length_exceeded/.test(
			exchange.body,
		);
		expect(isContextOverflow(message, MODEL.contextWindow)).toBe(overflow);
		const loads =
			/unable to start|exited prematurely|failed to start|health check timed out|failed to load|model unloaded|shutting down/.test(
				exchange.body,
			);
		if (!overflow && !loads) {
			expect(isRetryableAssistantError(message), text).toBe(isCurable(id, exchange.status));
		}
	},
);

/** Without llama-swap's "unspecific error" and the names of C++ classes, which say nothing. */
function withoutNoise(said: string): string {
	return plain(said.replace(/^unspecific error: |\[json\.exception\.[^\]]*\] /g, ""));
}

/** Blanks do not count, and known phrases are in the error's words. */
function plain(text: string): string {
	return paraphrase(text.replace(/\s+/g, " ").trim());
}

test("there is something to look at", () => {
	expect(streams.length).toBeGreaterThan(120);
	expect(refusals.length).toBeGreaterThan(90);
});
