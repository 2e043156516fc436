import { AiServerError } from "../errors.ts";
import { ByteSource, type RangeReader } from "./byte-source.ts";

/** The window is in the first 16 kB of most files; a vocabulary before it takes some 5 to 12 MB. */
const MAX_BYTES = 24 * 2 ** 20;
const MAX_ENTRIES = 65_536;
const MAX_KEY_BYTES = 65_535;
const MAX_TOKENS = 2 ** 31;
const MAX_ARRAY_DEPTH = 4;

/** Bytes of a value by its type number; 0 for strings (8) and arrays (9). */
const SIZES: readonly number[] = [1, 1, 2, 2, 4, 4, 4, 1, 0, 0, 8, 8, 8];
const STRING = 8;
const ARRAY = 9;

/**
 * Tokens that a model was trained for, out of the head of its GGUF file (of a split one: of its
 * first part), through range reads as far as needed. Undefined where the file does not state it.
 * Numbers and lengths in it are not trusted: a broken or hostile file ends in AiServerError
 * "protocol" within the limit of bytes. Errors of the reader pass through.
 *
 * Own code, because @huggingface/gguf reads URLs and local files only, keeps the whole vocabulary
 * in memory and has no limit.
 */
export async function trainedContextOf(
	read: RangeReader,
	limit: number = MAX_BYTES,
): Promise<number | undefined> {
	const source = new ByteSource(read, limit);
	const entries = await readPreamble(source);
	let architecture: string | undefined;
	for (let entry = 0; entry < entries; entry++) {
		const key = await source.text(MAX_KEY_BYTES);
		const type = await source.number(4);
		if (type === STRING && key === "general.architecture") {
			architecture = await source.text(MAX_KEY_BYTES);
		} else if (isWhole(type) && isContextLength(key, architecture)) {
			const context = await source.number(SIZES[type] ?? 0);
			if (context > 0 && context < MAX_TOKENS) return context;
		} else {
			await skip(source, type, 1, 0);
		}
	}
	return undefined;
}

async function readPreamble(source: ByteSource): Promise<number> {
	const magic = await source.number(4);
	if (magic !== 0x46554747) throw unreadable("is no GGUF file");
	const version = await source.number(4);
	if (version !== 2 && version !== 3) throw unreadable("has an unknown GGUF version");
	await source.number(8); // tensors, which lie behind what is read here
	const entries = await source.number(8);
	if (entries > MAX_ENTRIES) throw unreadable(`claims ${entries} entries`);
	return entries;
}

function isContextLength(key: string, architecture: string | undefined): boolean {
	return architecture === undefined
		? key.endsWith(".context_length")
		: key === `${architecture}.context_length`;
}

/** Unsigned and signed integers of 1 to 8 bytes. */
function isWhole(type: number): boolean {
	return type <= 5 || type === 10 || type === 11;
}

async function skip(source: ByteSource, type: number, count: number, depth: number): Promise<void> {
	const size = SIZES[type] ?? 0;
	if (size > 0) {
		source.skip(size * count);
	} else if (type === STRING) {
		await source.skipTexts(count);
	} else if (type === ARRAY && depth < MAX_ARRAY_DEPTH) {
		for (let item = 0; item < count; item++) {
			const inner = await source.number(4);
			await skip(source, inner, await source.number(8), depth + 1);
		}
	} else {
		throw unreadable("holds a value of an unknown type");
	}
}

function unreadable(what: string): AiServerError {
	return new AiServerError("protocol", `The model file ${what}`, {
		hint: "Check the path after -m in the model's cmd",
	});
}
