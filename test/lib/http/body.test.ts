import { PassThrough, Readable } from "node:stream";
import { expect, test } from "vitest";
import { readBody } from "../../../lib/http/body.ts";

class Worded extends Error {}

function fail(error: unknown): never {
	throw new Worded("worded", { cause: error });
}

const bytes = (size: number, fill = 0): Buffer => Buffer.alloc(size, fill);

async function readAll(body: Readable): Promise<readonly Uint8Array[]> {
	const chunks: Uint8Array[] = [];
	for await (const chunk of { [Symbol.asyncIterator]: () => readBody(body, fail) }) {
		chunks.push(chunk);
	}
	return chunks;
}

test("chunks come as they were, also those that waited", async () => {
	const body = new PassThrough();
	const iterator = readBody(body, fail);
	const first = iterator.next();
	body.write("a");
	expect(String((await first).value)).toBe("a");
	body.write("b");
	body.end("c");
	const rest: string[] = [];
	for (let next = await iterator.next(); next.done !== true; next = await iterator.next()) {
		rest.push(String(next.value));
	}
	expect(rest).toEqual(["b", "c"]);
	expect(await iterator.next()).toEqual({ done: true, value: undefined });
});

test("nothing is lost or reordered, whatever the sizes", async () => {
	const sent = Array.from({ length: 300 }, (_, index) => bytes((index * 7919) % 40_000, index));
	const read = await readAll(Readable.from(sent));
	expect(Buffer.concat(read).equals(Buffer.concat(sent))).toBe(true);
});

test("a reader that is slow stops the sender", async () => {
	let made = 0;
	const body = new Readable({
		highWaterMark: 1024,
		read() {
			made += 1;
			this.push(made > 1000 ? null : bytes(1024));
		},
	});
	const iterator = readBody(body, fail);
	await iterator.next();
	await new Promise((resolve) => setImmediate(resolve));
	expect(made).toBeLessThan(100);
	let count = 1;
	while ((await iterator.next()).done !== true) count += 1;
	expect(count).toBe(1000);
});

test.each([
	["breaks", (body: PassThrough) => body.destroy(new Error("reset")), "reset"],
	["is closed before its end", (body: PassThrough) => body.destroy(), "Premature close"],
])("what came before a body %s is read, then comes the error", async (_how, end, cause) => {
	const body = new PassThrough();
	const iterator = readBody(body, fail);
	const first = iterator.next();
	body.write("a");
	expect(String((await first).value)).toBe("a");
	const second = iterator.next();
	end(body);
	await expect(second).rejects.toThrow(new Worded("worded"));
	await expect(iterator.next()).rejects.toMatchObject({ cause: { message: cause } });
});

test("a reader that stops discards the body, and its error", async () => {
	const body = new PassThrough();
	body.write("a");
	for await (const _chunk of { [Symbol.asyncIterator]: () => readBody(body, fail) }) break;
	expect(body.destroyed).toBe(true);
	const unread = new PassThrough();
	await readBody(unread, fail).return?.();
	expect(unread.destroyed).toBe(true);
});
