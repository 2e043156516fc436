import type { Row } from "../runner/scenario.ts";
import { DONE, delta, end, frame, stream, text, USAGE } from "../runner/wire.ts";

const WHOLE = { "content-type": "application/json" };
const encoded = new TextEncoder().encode(text("Grüße 🙂") + end());

const PLAIN = text("a") + end();
const typed = (type: string): Row["replies"] => [
	{ headers: { "content-type": type }, pieces: [PLAIN] },
];

/** C.1: from bytes to events. */
export const TRANSPORT: readonly Row[] = [
	{
		name: "C.1 comments and bare pings between the events",
		replies: stream(": hi\n\n", text("a"), ":\n\n", ":ping\n", text("b"), end()),
		ours: {
			events: "start | text_start 0 | text 0 ab | text_end 0 | done stop",
			message: "text ab | stop | 10+90>7 | id c1 | model tiny.gguf",
		},
	},
	{
		name: "C.1 lines that end in CR LF",
		replies: stream((text("a") + end()).replaceAll("\n", "\r\n")),
		ours: {
			events: "start | text_start 0 | text 0 a | text_end 0 | done stop",
			message: "text a | stop | 10+90>7 | id c1 | model tiny.gguf",
		},
	},
	{
		name: "C.1 CR LF, cut between the two",
		replies: [
			{ pieces: (text("a") + text("b") + end()).replaceAll("\n", "\r\n").split(/(?<=\r)/) },
		],
		ours: {
			events: "start | text_start 0 | text 0 ab | text_end 0 | done stop",
			message: "text ab | stop | 10+90>7 | id c1 | model tiny.gguf",
		},
	},
	{
		name: "C.1 no blank behind data:",
		replies: stream((text("a") + end()).replaceAll("data: ", "data:")),
		ours: {
			events: "start | text_start 0 | text 0 a | text_end 0 | done stop",
			message: "text a | stop | 10+90>7 | id c1 | model tiny.gguf",
		},
	},
	{
		name: "C.1 a byte order mark",
		replies: stream(`\ufeff${text("a")}`, end()),
		ours: {
			events: "start | text_start 0 | text 0 a | text_end 0 | done stop",
			message: "text a | stop | 10+90>7 | id c1 | model tiny.gguf",
		},
	},
	{
		name: "C.1 a byte order mark before a comment",
		replies: stream("\ufeff: hi\n\n", text("a"), end()),
		ours: {
			events: "start | text_start 0 | text 0 a | text_end 0 | done stop",
			message: "text a | stop | 10+90>7 | id c1 | model tiny.gguf",
		},
	},
	{
		name: "C.1 characters of several bytes, cut in their middle",
		replies: [{ pieces: [...encoded].map((byte) => Uint8Array.of(byte)) }],
		ours: {
			events: "start | text_start 0 | text 0 Grüße 🙂 | text_end 0 | done stop",
			message: "text Grüße 🙂 | stop | 10+90>7 | id c1 | model tiny.gguf",
		},
	},
	{
		name: "C.1 one event on several data lines",
		replies: stream(text("a").replace('"choices"', '\ndata: "choices"'), end()),
		ours: {
			events: "start | text_start 0 | text 0 a | text_end 0 | done stop",
			message: "text a | stop | 10+90>7 | id c1 | model tiny.gguf",
		},
	},
	{
		name: "C.1 fields event, id and retry besides the data",
		replies: stream("retry: 10\nid: 5\nevent: message\n", text("a"), end()),
		ours: {
			events: "start | text_start 0 | text 0 a | text_end 0 | done stop",
			message: "text a | stop | 10+90>7 | id c1 | model tiny.gguf",
		},
	},
	{
		name: "C.1 [DONE] with something behind it",
		replies: stream(text("a"), delta({}, "stop"), USAGE, "data: [DONE] bye\n\n"),
		ours: {
			events: "start | text_start 0 | text 0 a | text_end 0 | done stop",
			message: "text a | stop | 10+90>7 | id c1 | model tiny.gguf",
		},
		better: "the answer was complete, so it is kept",
		newest: {
			events: "start | text_start 0 | text 0 a | error error",
			message:
				"text a | error: Error reading response: malformed server-sent event JSON. | from stop | 10+90>7 | id c1 | model tiny.gguf",
		},
	},
	{
		name: "C.1 what follows [DONE] is ignored",
		replies: stream(text("a"), end(), text("b"), delta({}, "length")),
		ours: {
			events: "start | text_start 0 | text 0 a | text_end 0 | done stop",
			message: "text a | stop | 10+90>7 | id c1 | model tiny.gguf",
		},
	},
	{
		name: "C.1 [DONE], and the connection stays open (D openai-codex-stream)",
		watch: ["connection"],
		replies: [{ pieces: [text("a") + end()], end: "hold" }],
		ours: {
			events: "start | text_start 0 | text 0 a | text_end 0 | done stop",
			message: "text a | stop | 10+90>7 | id c1 | model tiny.gguf",
			wire: "the turn ended first",
		},
	},
	{
		name: "C.1 the last event lacks its blank line",
		replies: stream(text("a"), USAGE, delta({}, "stop").trimEnd()),
		ours: {
			events: "start | text_start 0 | text 0 a | text_end 0 | done stop",
			message: "text a | stop | 10+90>7 | id c1 | model tiny.gguf",
		},
	},
	{
		name: "C.1 events that are JSON but no object",
		replies: stream(text("a"), frame(5), frame([]), frame("x"), frame(null), text("b"), end()),
		ours: {
			events: "start | text_start 0 | text 0 ab | text_end 0 | done stop",
			message: "text ab | stop | 10+90>7 | id c1 | model tiny.gguf",
		},
	},
	{
		name: "C.1 an event that is no JSON",
		replies: stream(text("a"), "data: {oops\n\n", text("b"), end()),
		ours: {
			events: "start | text_start 0 | text 0 a | text_end 0 | error error",
			message:
				"text a | error: The server sent an event that is not JSON: {oops. Check the server's log | id c1 | model tiny.gguf",
		},
		better: "the block is ended, and the error shows what came",
		newest: {
			events: "start | text_start 0 | text 0 a | error error",
			message:
				"text a | error: Error reading response: malformed server-sent event JSON. | id c1 | model tiny.gguf",
		},
	},
	{
		name: "C.1 an empty body",
		watch: ["requests"],
		replies: [
			{ pieces: [] },
			{ status: 400, headers: WHOLE, pieces: ['{"error":{"message":"bad sampler"}}'] },
		],
		ours: { events: "start | error error", message: "error: 400: bad sampler", wire: "2 requests" },
		better: "asks once more without streaming, and so gets the server's reason",
		newest: {
			message: "error: Stream ended without finish_reason | tries again",
			wire: "1 requests",
		},
	},
	{
		name: "C.1 a whole completion instead of a stream",
		replies: [
			{
				headers: WHOLE,
				pieces: [
					JSON.stringify({
						id: "c1",
						object: "chat.completion",
						created: 1,
						model: "tiny.gguf",
						choices: [
							{ index: 0, message: { role: "assistant", content: "ok" }, finish_reason: "stop" },
						],
						usage: { prompt_tokens: 3, completion_tokens: 1, total_tokens: 4 },
					}),
				],
			},
		],
		ours: {
			events: "start | text_start 0 | text 0 ok | text_end 0 | done stop",
			message: "text ok | stop | 3+0>1 | id c1 | model tiny.gguf",
		},
		better: "the answer is taken",
		newest: {
			events: "start | error error",
			message: "error: Stream ended without finish_reason | tries again",
		},
	},
	{
		name: "C.1 a JSON error with status 200",
		replies: [{ headers: WHOLE, pieces: ['{"error":{"message":"no such thing"}}'] }],
		ours: {
			events: "start | error error",
			message:
				"error: The server's answer is not a chat completion: no such thing. Check that the URL leads to llama-swap (AI_SERVER_URL)",
		},
		better: "says what came instead, and does not ask for it again and again",
		newest: { message: "error: Stream ended without finish_reason | tries again" },
	},
	{
		name: "C.1 a login page with status 200",
		replies: [
			{
				headers: { "content-type": "text/html" },
				pieces: ["<!doctype html><title>Sign in</title><h1>Sign in</h1>"],
			},
		],
		ours: {
			events: "start | error error",
			message:
				"error: The server's answer is not a chat completion: Sign in Sign in. Check that the URL leads to llama-swap (AI_SERVER_URL)",
		},
		better: "says what came instead, and does not ask for it again and again",
		newest: { message: "error: Stream ended without finish_reason | tries again" },
	},
	{
		name: "C.1 [DONE] alone",
		wordless: true,
		replies: stream(DONE),
		ours: { events: "start | error error", message: "error: ... | tries again" },
	},
	{
		name: "C.1 a stream that calls itself text/plain",
		replies: typed("text/plain"),
		ours: {
			events: "start | text_start 0 | text 0 a | text_end 0 | done stop",
			message: "text a | stop | 10+90>7 | id c1 | model tiny.gguf",
		},
	},
	{
		name: "C.1 a stream that calls itself JSON",
		replies: typed("application/json"),
		ours: {
			events: "start | text_start 0 | text 0 a | text_end 0 | done stop",
			message: "text a | stop | 10+90>7 | id c1 | model tiny.gguf",
		},
	},
	{
		name: "C.1 a stream in capitals, with a character set",
		replies: typed("Text/Event-Stream;charset=UTF-8"),
		ours: {
			events: "start | text_start 0 | text 0 a | text_end 0 | done stop",
			message: "text a | stop | 10+90>7 | id c1 | model tiny.gguf",
		},
	},
	{
		name: "C.1 a stream without a type",
		replies: [{ headers: { "content-type": "" }, pieces: [PLAIN] }],
		ours: {
			events: "start | text_start 0 | text 0 a | text_end 0 | done stop",
			message: "text a | stop | 10+90>7 | id c1 | model tiny.gguf",
		},
	},
	{
		name: "C.1 lines that end in CR alone",
		replies: stream(PLAIN.replaceAll("\n", "\r")),
		ours: {
			events: "start | text_start 0 | text 0 a | text_end 0 | done stop",
			message: "text a | stop | 10+90>7 | id c1 | model tiny.gguf",
		},
	},
	{
		name: "C.1 several blank lines between events",
		replies: stream(PLAIN.replaceAll("\n\n", "\n\n\n\n")),
		ours: {
			events: "start | text_start 0 | text 0 a | text_end 0 | done stop",
			message: "text a | stop | 10+90>7 | id c1 | model tiny.gguf",
		},
	},
	{
		name: "C.1 events between empty data",
		replies: stream(text("a"), "data:\n\n", "data: \n\n", text("b"), end()),
		ours: {
			events: "start | text_start 0 | text 0 ab | text_end 0 | done stop",
			message: "text ab | stop | 10+90>7 | id c1 | model tiny.gguf",
		},
		better: "an event without data says nothing, and breaks nothing",
		newest: {
			events: "start | text_start 0 | text 0 a | error error",
			message:
				"text a | error: Error reading response: malformed server-sent event JSON. | id c1 | model tiny.gguf",
		},
	},
	{
		name: "C.1 blanks behind the event",
		replies: stream(text("a").replace("\n\n", "  \n\n"), end()),
		ours: {
			events: "start | text_start 0 | text 0 a | text_end 0 | done stop",
			message: "text a | stop | 10+90>7 | id c1 | model tiny.gguf",
		},
	},
];
