import { expect, test } from "vitest";
import { AiServerError } from "../../../lib/errors.ts";
import type { RangeReader } from "../../../lib/llama-server/byte-source.ts";
import { trainedContextOf } from "../../../lib/llama-server/gguf.ts";
import {
	f32,
	type GgufValue,
	ggufFile,
	list,
	little,
	text,
	textBytes,
	u32,
	u64,
} from "../../support/gguf-bytes.ts";

const TEMPLATE = "{{ messages }} größer";
const WORDS = Array.from({ length: 60_000 }, (_, at) => textBytes(`Ġword${at}`));

const HEAD: readonly (readonly [string, GgufValue])[] = [
	["general.architecture", text("qwen3moe")],
	["general.name", text("Some Model")],
	["general.tags", list(8, [textBytes("a"), textBytes("b")])],
	["qwen3moe.block_count", u32(48)],
	["qwen3moe.rope.scaling.factor", f32(4)],
	["qwen3moe.rope.scaling.original_context_length", u32(1)],
	["qwen3moe.context_length", u32(262_144)],
	["qwen3moe.embedding_length", u32(2048)],
];
const VOCABULARY: readonly (readonly [string, GgufValue])[] = [
	["tokenizer.ggml.model", text("gpt2")],
	["tokenizer.ggml.tokens", list(8, WORDS)],
	["tokenizer.ggml.token_type", list(5, [Buffer.alloc(4 * 60_000)])],
	["tokenizer.ggml.merges", list(8, WORDS)],
	["tokenizer.chat_template", text(TEMPLATE)],
];
// The count of the list is its bytes' job, so correct what the helper counted.
VOCABULARY[2]?.[1][1].writeBigUInt64LE(60_000n, 4);

interface Reads {
	readonly read: RangeReader;
	readonly ranges: (readonly [number, number])[];
}

function fileOf(bytes: Buffer, most = Number.POSITIVE_INFINITY): Reads {
	const ranges: (readonly [number, number])[] = [];
	return {
		ranges,
		async read(start, length) {
			ranges.push([start, length]);
			return bytes.subarray(start, start + Math.min(length, most));
		},
	};
}

test("the window takes one small read", async () => {
	const { read, ranges } = fileOf(ggufFile([...HEAD, ...VOCABULARY]));
	expect(await trainedContextOf(read)).toBe(262_144);
	expect(ranges).toEqual([[0, 16_384]]);
});

test("the window is found behind the vocabulary", async () => {
	const file = ggufFile([...HEAD.slice(0, 4), ...VOCABULARY, ...HEAD.slice(4)]);
	const { read, ranges } = fileOf(file);
	expect(await trainedContextOf(read)).toBe(262_144);
	const bytes = ranges.reduce((sum, [, length]) => sum + length, 0);
	expect(bytes).toBeLessThan(file.length + 2 ** 20);
});

test("lists of numbers are passed over without reading them", async () => {
	const numbers = Buffer.alloc(20 * 2 ** 20);
	const types: GgufValue = [
		9,
		Buffer.concat([little(4, 5), little(8, numbers.length / 4), numbers]),
	];
	const { read, ranges } = fileOf(
		ggufFile([...HEAD.slice(0, 4), ["tokenizer.ggml.scores", types], ...HEAD.slice(4)]),
	);
	expect(await trainedContextOf(read)).toBe(262_144);
	expect(ranges.reduce((sum, [, length]) => sum + length, 0)).toBeLessThan(4 * 2 ** 20);
});

test.each([1, 7, 1000])("a reader that gives %i bytes at a time will do", async (most) => {
	const { read } = fileOf(ggufFile(HEAD), most);
	expect(await trainedContextOf(read)).toBe(262_144);
});

test("version 2 and other widths of the number are read", async () => {
	const file = ggufFile(
		[
			["general.architecture", text("llama")],
			["llama.context_length", u64(8192)],
		],
		{ version: 2 },
	);
	expect(await trainedContextOf(fileOf(file).read)).toBe(8192);
});

test("a file without a context length says so", async () => {
	const file = ggufFile([["general.architecture", text("clip")]]);
	expect(await trainedContextOf(fileOf(file).read)).toBeUndefined();
});

test.each([0, 2 ** 31])("a context length of %i is none", async (length) => {
	const file = ggufFile([["a.context_length", u32(length)]]);
	expect(await trainedContextOf(fileOf(file).read)).toBeUndefined();
});

test("the window of another architecture does not count", async () => {
	const file = ggufFile([
		["general.architecture", text("mllama")],
		["clip.context_length", u32(77)],
		["mllama.context_length", u32(8192)],
	]);
	expect(await trainedContextOf(fileOf(file).read)).toBe(8192);
});

test("a reader's own fault passes through", async () => {
	const fault = new Error("connection lost");
	const read: RangeReader = () => Promise.reject(fault);
	await expect(trainedContextOf(read)).rejects.toBe(fault);
});

/** Endless, so that no end of the file saves a reader that believes what it is told. */
function endless(head: Buffer): RangeReader {
	return async (start, length) => {
		const bytes = Buffer.alloc(length);
		if (start < head.length) head.copy(bytes, 0, start);
		return bytes;
	};
}

const ENDLESS_LIST = (type: number, count: number): Buffer =>
	ggufFile([["k", [9, Buffer.concat([little(4, type), little(8, count)])]]], { count: 9 });

test.each<[string, Buffer]>([
	["no file of this kind", Buffer.from("<!DOCTYPE html><html>not found</html>")],
	["version 1", ggufFile(HEAD, { version: 1 })],
	["the other byte order", ggufFile(HEAD, { version: 0x03000000 })],
	["2^60 entries", ggufFile([], { count: 2 ** 60 })],
	[
		"a key of 2^62 bytes",
		Buffer.concat([ggufFile([], { count: 1 }).subarray(0, 24), little(8, 2 ** 62)]),
	],
	["a text of 2^40 bytes", ggufFile([["general.architecture", [8, little(8, 2 ** 40)]]])],
	["a skipped text of 2^60 bytes", ggufFile([["x", [8, little(8, 2 ** 60)]]])],
	["2^60 texts", ENDLESS_LIST(8, 2 ** 60)],
	["2^60 numbers", ENDLESS_LIST(4, 2 ** 60)],
	["2^60 lists", ENDLESS_LIST(9, 2 ** 60)],
	["an unknown type", ggufFile([["x", [77, Buffer.alloc(8)]]])],
	["an unknown type in a list", ENDLESS_LIST(77, 3)],
	[
		"lists in lists without end",
		ggufFile([
			[
				"x",
				[
					9,
					Buffer.concat(
						Array.from({ length: 99 }, () => Buffer.concat([little(4, 9), little(8, 1)])),
					),
				],
			],
		]),
	],
])("refuses %s", async (_name, head) => {
	const fault = await trainedContextOf(endless(head), 4 * 2 ** 20).catch((error: unknown) => error);
	expect(fault).toBeInstanceOf(AiServerError);
	expect(fault).toMatchObject({ code: "protocol" });
});

test("a file cut anywhere is refused, not waited for", async () => {
	const whole = ggufFile(HEAD.slice(0, 7)).subarray(0, -4096);
	for (let length = 0; length < whole.length; length += 3) {
		const { read } = fileOf(whole.subarray(0, length));
		const fault = await trainedContextOf(read).catch((error: unknown) => error);
		expect(fault).toBeInstanceOf(AiServerError);
	}
});
