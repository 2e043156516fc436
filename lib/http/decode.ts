import { pipeline, Readable, type Transform } from "node:stream";
import {
	createBrotliDecompress,
	createGunzip,
	createInflate,
	createInflateRaw,
	createZstdDecompress,
} from "node:zlib";
import { AiServerError } from "../errors.ts";

/** More codings than a chain of proxies adds. */
const MAX_CODINGS = 4;

/**
 * A body as the server wrote it. A proxy may compress it although no coding is accepted; each part is
 * unpacked as it comes, and reading slower makes the sender slower. Throws AiServerError "protocol"
 * for a coding that cannot be unpacked.
 */
export function decodeBody(body: Readable, contentEncoding: string | undefined): Readable {
	if (contentEncoding === undefined) return body;
	const codings = contentEncoding
		.toLowerCase()
		.split(",")
		.map((coding) => coding.trim())
		.filter((coding) => coding !== "" && coding !== "identity");
	if (codings.length > MAX_CODINGS) throw unknownCoding(contentEncoding);
	// The coding that was applied last is the first to be taken off.
	return codings.reduceRight<Readable>((source, coding) => unpack(source, coding), body);
}

function unpack(source: Readable, coding: string): Readable {
	switch (coding) {
		case "gzip":
		case "x-gzip":
			return through(source, createGunzip());
		case "br":
			return through(source, createBrotliDecompress());
		case "zstd":
			return through(source, createZstdDecompress());
		case "deflate":
			return inflate(source);
		default:
			source.on("error", () => undefined).destroy();
			throw unknownCoding(coding);
	}
}

/** Destroying either end destroys the other; an error of the source is an error of the result. */
function through<T extends Transform>(source: Readable, decoder: T): T {
	pipeline(source, decoder, () => undefined);
	return decoder;
}

/** "deflate" has a header of its own by the standard, and has none from some servers. */
function inflate(source: Readable): Readable {
	async function* inflated(): AsyncGenerator<Uint8Array> {
		const parts: AsyncIterator<Uint8Array> = source[Symbol.asyncIterator]();
		const first = await parts.next();
		if (first.done === true) return;
		async function* whole(): AsyncGenerator<Uint8Array> {
			if (first.done !== true) yield first.value;
			yield* { [Symbol.asyncIterator]: () => parts };
		}
		const hasHeader = ((first.value[0] ?? 0) & 0x0f) === 8;
		yield* through(Readable.from(whole()), hasHeader ? createInflate() : createInflateRaw());
	}
	return Readable.from(inflated());
}

function unknownCoding(coding: string): AiServerError {
	return new AiServerError("protocol", `The proxy compresses its answers (${coding})`, {
		hint: "Switch that off for this host; events have to arrive one by one",
	});
}
