import { expect, test } from "vitest";
import { createEventReader } from "../../lib/sse.ts";
import { CUT_SEED, everyCut } from "../support/chat.ts";

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);

function read(pieces: readonly Uint8Array[]): { events: readonly string[]; stray: string } {
	const reader = createEventReader();
	const events = pieces.flatMap((piece) => reader.feed(piece));
	return { events: [...events, ...reader.end()], stray: reader.stray() };
}

test.each<[string, string, string[], string]>([
	["events", "data: a\n\ndata: b\n\n", ["a", "b"], ""],
	["no blank behind the colon", "data:a\n\n", ["a"], ""],
	["only one blank is taken", "data:  a\n\n", [" a"], ""],
	["CRLF", "data: a\r\n\r\ndata: b\r\n\r\n", ["a", "b"], ""],
	["CR", "data: a\r\rdata: b\r\r", ["a", "b"], ""],
	["a byte order mark", "\ufeffdata: a\n\n", ["a"], ""],
	["two lines of data", "data: a\ndata: b\n\n", ["a\nb"], ""],
	["comments and pings", ": ping\n\n:\n\ndata: a\n\n: bye\n\n", ["a"], ""],
	["other fields", "id: 1\nevent: message\nretry: 5\ndata: a\n\n", ["a"], ""],
	["characters of several bytes", "data: é━🎉\n\n", ["é━🎉"], ""],
	["a last event without its end", "data: a\n\ndata: b", ["a", "b"], ""],
	["a last event with half its end", "data: a\n\ndata: b\n", ["a", "b"], ""],
	["nothing", "", [], ""],
	["an event that is called error", 'event: error\ndata: {"m":1}\n\n', ['{"error":{"m":1}}'], ""],
	["and one in plain words", "event: error\ndata: bad\n\n", ['{"error":"bad"}'], ""],
	["and one that says so itself", 'event: error\ndata: {"error":1}\n\n', ['{"error":1}'], ""],
	[
		"and one whose type says so, which is not where an error is looked for",
		'event: error\ndata: {"type":"error","message":"bad"}\n\n',
		['{"error":{"type":"error","message":"bad"}}'],
		"",
	],
	["bare JSON at the end", 'data: a\n\n{"error":"x"}', ["a"], '{"error":"x"}'],
	[
		"bare text between events",
		"data: a\n\nbroke\nagain\n\ndata: b\n\n",
		["a", "b"],
		"broke\nagain",
	],
	["a line that only begins like a field", "database is gone\n", [], "database is gone"],
])("%s, however it is cut", (_name, text, events, stray) => {
	for (const pieces of everyCut(bytes(text))) {
		expect(read(pieces), `seed ${CUT_SEED}`).toEqual({ events, stray });
	}
});

test("no part of a long stream is taken for a stray line", () => {
	const line = `data: ${JSON.stringify({ content: "0123456789".repeat(10) })}\n\n`;
	for (const pieces of everyCut(bytes(line.repeat(2000)).subarray()).slice(2)) {
		expect(read(pieces).stray.slice(0, 200), `seed ${CUT_SEED}`).toBe("");
	}
});

test("a stray line behind a long stream is found", () => {
	const line = `data: ${"0123456789".repeat(10)}\n\n`;
	const body = bytes(`${line.repeat(2000)}{"error":"x"}`);
	const pieces = Array.from({ length: Math.ceil(body.length / 1000) }, (_, at) =>
		body.subarray(at * 1000, at * 1000 + 1000),
	);
	expect(read(pieces).stray.split("\n").at(-1)).toBe('{"error":"x"}');
});

test("an event without an end is refused at 16 MiB", () => {
	const reader = createEventReader();
	const piece = bytes("x".repeat(1024 * 1024));
	expect(() => {
		reader.feed(bytes("data: "));
		for (let at = 0; at < 20; at += 1) reader.feed(piece);
	}).toThrow(
		expect.objectContaining({ code: "protocol", message: expect.stringContaining("16 MiB") }),
	);
});
