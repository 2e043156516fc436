import { AiServerError } from "../errors.ts";
import { ByteSource, type RangeReader } from "./byte-source.ts";

/** What a model file says about itself. Undefined: it does not say, or not within the limit. */
export interface GgufFacts {
	readonly architecture: string | undefined;
	/** Tokens that the model was trained for. */
	readonly trainedContext: number | undefined;
	/** Jinja source. */
	readonly chatTemplate: string | undefined;
	readonly kind: "chat" | "embedding" | "reranker";
}

export interface GgufWishes {
	/**
	 * True to read on for the chat template. It stands behind the vocabulary: some 5 to 12 MB into
	 * the file, where the rest is found in the first 64 kB.
	 */
	readonly template: boolean;
	/** Bytes to read at most; 24 MB unless told. */
	readonly limit?: number;
}

const MOST_BYTES = 24 * 2 ** 20;
const MOST_ENTRIES = 65_536;
const MOST_KEY_BYTES = 65_535;
/** No template is longer; what is longer is hostile. */
const MOST_TEXT_BYTES = 2 ** 20;
const MOST_TOKENS = 2 ** 31;
const ARRAY_DEPTH = 4;

/** Bytes of a value by its type number; strings (8) and arrays (9) have none. */
const SIZES: readonly (number | undefined)[] = [
	...[1, 1, 2, 2, 4, 4, 4, 1],
	...[undefined, undefined],
	...[8, 8, 8],
];
const STRING = 8;
const ARRAY = 9;

/** Architectures that can only embed, whatever their pooling. */
const EMBEDDING_ARCHITECTURES = /bert|embedding|t5encoder/;
const RANK_POOLING = 4;

/**
 * Reads the head of a GGUF file (of a split one: of its first part) through range reads, as far as
 * needed. Numbers and lengths in it are not trusted: a broken or hostile file ends in AiServerError
 * "protocol" within the limit of bytes. Reader faults pass through.
 *
 * Own code, because @huggingface/gguf reads URLs and local files only, keeps the whole vocabulary
 * in memory and has no limit.
 */
export async function readGgufHeader(read: RangeReader, wishes: GgufWishes): Promise<GgufFacts> {
	const source = new ByteSource(read, wishes.limit ?? MOST_BYTES);
	const entries = await readPreamble(source);
	const found: Found = {};
	try {
		for (let entry = 0; entry < entries; entry++) {
			const key = await source.text(MOST_KEY_BYTES);
			// The keys about the architecture come first, those about the vocabulary last.
			if (key.startsWith("tokenizer.") && !wishes.template && found.context !== undefined) break;
			await readEntry(source, key, found);
			if (found.context !== undefined && found.template !== undefined) break;
		}
	} catch (error) {
		// The window is worth having even where the template lies beyond the limit.
		if (!source.exhausted || found.context === undefined) throw error;
	}
	return factsOf(found);
}

interface Found {
	architecture?: string;
	context?: number;
	pooling?: number;
	template?: string;
}

function factsOf({ architecture, context, pooling, template }: Found): GgufFacts {
	const embeds =
		(pooling !== undefined && pooling > 0 && pooling < RANK_POOLING) ||
		EMBEDDING_ARCHITECTURES.test(architecture ?? "");
	return {
		architecture,
		trainedContext: context,
		chatTemplate: template,
		kind: pooling === RANK_POOLING ? "reranker" : embeds ? "embedding" : "chat",
	};
}

async function readPreamble(source: ByteSource): Promise<number> {
	const magic = await source.number(4);
	if (magic !== 0x46554747) throw unreadable("is no GGUF file");
	const version = await source.number(4);
	if (version !== 2 && version !== 3) throw unreadable("has an unknown GGUF version");
	await source.number(8); // tensors, which lie behind what is read here
	const entries = await source.number(8);
	if (entries > MOST_ENTRIES) throw unreadable(`claims ${entries} entries`);
	return entries;
}

async function readEntry(source: ByteSource, key: string, found: Found): Promise<void> {
	const type = await source.number(4);
	if (type === STRING && key === "general.architecture") {
		found.architecture = await source.text(MOST_KEY_BYTES);
	} else if (type === STRING && key === "tokenizer.chat_template") {
		found.template = await source.text(MOST_TEXT_BYTES);
	} else if (isWhole(type) && isOwn(key, found.architecture, "context_length")) {
		const context = await source.number(SIZES[type] ?? 0);
		if (context > 0 && context < MOST_TOKENS) found.context = context;
	} else if (isWhole(type) && isOwn(key, found.architecture, "pooling_type")) {
		found.pooling = await source.number(SIZES[type] ?? 0);
	} else {
		await skip(source, type, 1, 0);
	}
}

function isOwn(key: string, architecture: string | undefined, name: string): boolean {
	return architecture === undefined ? key.endsWith(`.${name}`) : key === `${architecture}.${name}`;
}

/** Unsigned and signed integers of 1 to 8 bytes. */
function isWhole(type: number): boolean {
	return type <= 5 || type === 10 || type === 11;
}

async function skip(source: ByteSource, type: number, count: number, depth: number): Promise<void> {
	const size = SIZES[type];
	if (size !== undefined) {
		source.skip(size * count);
	} else if (type === STRING) {
		await source.skipTexts(count);
	} else if (type === ARRAY && depth < ARRAY_DEPTH) {
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
