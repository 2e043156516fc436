import { Readable } from "node:stream";
import { setTimeout } from "node:timers/promises";
import {
	constants,
	createBrotliCompress,
	createGzip,
	createZstdCompress,
	deflateRawSync,
	deflateSync,
	gzipSync,
} from "node:zlib";
import { expect, test } from "vitest";
import { decodeBody } from "../../../lib/http/decode.ts";

async function textOf(body: Readable): Promise<string> {
	const parts: Buffer[] = [];
	for await (const part of body) parts.push(Buffer.from(part as Uint8Array));
	return Buffer.concat(parts).toString();
}
const bytewise = (bytes: Uint8Array): Readable =>
	Readable.from([...bytes].map((byte) => Uint8Array.of(byte)));

test.each<[string, Uint8Array]>([
	["gzip", gzipSync("words")],
	["x-gzip", gzipSync("words")],
	["deflate", deflateSync("words")],
	["deflate", deflateRawSync("words")],
	["deflate, gzip", gzipSync(deflateSync("words"))],
	["identity, GZIP", gzipSync("words")],
])("%s", async (coding, bytes) => {
	expect(await textOf(decodeBody(bytewise(bytes), coding))).toBe("words");
});

test("no coding is no work", () => {
	const body = Readable.from([]);
	expect(decodeBody(body, undefined)).toBe(body);
	expect(decodeBody(body, "identity")).toBe(body);
});

test.each(["compress", "exi", "gzip,gzip,gzip,gzip,gzip"])("%s is refused in words", (coding) => {
	expect(() => decodeBody(Readable.from([]), coding)).toThrow("The proxy compresses its answers");
});

test.each([
	["gzip", () => createGzip()],
	["br", () => createBrotliCompress()],
	["zstd", () => createZstdCompress()],
])("%s: an event is there as soon as it was sent", async (coding, create) => {
	const encoder = create();
	const seen: string[] = [];
	const body = decodeBody(encoder, coding).on("data", (part: Uint8Array) => {
		seen.push(Buffer.from(part).toString());
	});
	for (const word of ["one", "two"]) {
		encoder.write(word);
		encoder.flush(
			coding === "br"
				? constants.BROTLI_OPERATION_FLUSH
				: coding === "zstd"
					? constants.ZSTD_e_flush
					: constants.Z_SYNC_FLUSH,
		);
		await expect.poll(() => seen.join("")).toMatch(new RegExp(`${word}$`));
	}
	body.destroy();
	await setTimeout(10);
	expect(encoder.destroyed).toBe(true);
});

test.each(["gzip", "deflate", "br", "zstd"])("%s that is broken is an error", async (coding) => {
	await expect(
		textOf(decodeBody(Readable.from([Buffer.from("not that")]), coding)),
	).rejects.toThrow();
});

test("a small body that unpacks to much is read no faster than its reader", async () => {
	const bomb = gzipSync(Buffer.alloc(64 * 1024 * 1024));
	const body = decodeBody(Readable.from([bomb]), "gzip");
	const [first] = await body.take(1).toArray();
	expect((first as Uint8Array).length).toBeLessThan(1024 * 1024);
	expect(body.destroyed).toBe(true);
});
