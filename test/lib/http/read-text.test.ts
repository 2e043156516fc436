import { expect, test } from "vitest";
import { readText } from "../../../lib/http/read-text.ts";
import type { HttpResponse } from "../../../lib/http/types.ts";

interface Told extends HttpResponse {
	readonly destroyed: () => number;
	readonly pulled: () => number;
}

function response(chunks: readonly (Uint8Array | Error)[]): Told {
	let destroyed = 0;
	let pulled = 0;
	return {
		status: 200,
		headers: {},
		body: {
			destroy: () => {
				destroyed += 1;
			},
			async *[Symbol.asyncIterator]() {
				for (const chunk of chunks) {
					pulled += 1;
					if (chunk instanceof Error) throw chunk;
					yield chunk;
				}
			},
		},
		destroyed: () => destroyed,
		pulled: () => pulled,
	};
}

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
const each = (all: Uint8Array): readonly Uint8Array[] =>
	[...all].map((byte) => Uint8Array.of(byte));

test.each([
	["nothing", [], ""],
	["one piece", [bytes("hello")], "hello"],
	["characters cut between pieces", each(bytes("grün 🎉 漢")), "grün 🎉 漢"],
	["a byte order mark", [Uint8Array.of(0xef, 0xbb), Uint8Array.of(0xbf, 0x61)], "a"],
	["invalid bytes", [Uint8Array.of(0x61, 0xff, 0x62)], "a\ufffdb"],
	["a character that never ends", [Uint8Array.of(0x61, 0xf0, 0x9f)], "a\ufffd"],
])("reads %s", async (_what, chunks, text) => {
	const told = response(chunks);
	expect(await readText(told, 100)).toBe(text);
	expect(told.destroyed()).toBe(0);
});

test("counts bytes, not characters, and takes exactly as many as it may", async () => {
	const text = "é".repeat(50);
	expect(await readText(response([bytes(text)]), 100)).toBe(text);
	await expect(readText(response([bytes(text)]), 99)).rejects.toMatchObject({
		code: "protocol",
		message: "The server sent more than 99 bytes",
		settings: ["url"],
	});
});

test("gives up at the piece that is too much and drops the rest", async () => {
	const told = response([
		bytes("12345"),
		bytes("67890"),
		bytes("!"),
		bytes("never"),
		bytes("read"),
	]);
	await expect(readText(told, 10)).rejects.toMatchObject({ code: "protocol" });
	expect(told.pulled()).toBe(3);
	expect(told.destroyed()).toBe(1);
});

test("hands on what breaks the body", async () => {
	const fault = new Error("cut");
	await expect(readText(response([bytes("half"), fault]), 100)).rejects.toBe(fault);
});
