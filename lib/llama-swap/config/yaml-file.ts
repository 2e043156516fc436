import {
	isAlias,
	isMap,
	isScalar,
	isSeq,
	LineCounter,
	type ParsedNode,
	parseDocument,
	type YAMLMap,
} from "yaml";
import { AiServerError } from "../../errors.ts";

/** Larger files take the parser many seconds. */
const MOST_BYTES = 2 ** 20;
/** Entries that merge keys may copy altogether. */
const MOST_MERGED = 1_000_000;

/**
 * The values of llama-swap's config file: maps as Map with the keys as they are written, the way
 * Go reads them. `${env.X}`, which llama-swap puts in before it parses, stays as text even where
 * YAML would stumble over it. Throws AiServerError "config" with line and column for a file that
 * is not YAML, and for one that is too large; nothing else.
 */
export function readYaml(text: string): unknown {
	if (Buffer.byteLength(text) > MOST_BYTES) {
		throw new AiServerError("config", "The llama-swap config is larger than 1 MB", {
			hint: "Only the running models can be asked for their sizes; shorten the file with macros",
		});
	}
	const lineCounter = new LineCounter();
	const place = (node: ParsedNode): string => {
		const { line, col } = lineCounter.linePos(node.range[0]);
		return `at line ${line}, column ${col}`;
	};
	try {
		// yaml.v3, which llama-swap uses, refuses duplicate keys; for reading, the last one will do.
		const document = parseDocument(hideEnvironment(text), { uniqueKeys: false, lineCounter });
		const fault = document.errors.find(({ code }) => code !== "MULTIPLE_DOCS");
		if (fault !== undefined) throw fault;
		return document.contents === null ? undefined : valuesOf(document.contents, place);
	} catch (error) {
		throw error instanceof AiServerError ? error : broken(error);
	}
}

/**
 * Values of a parsed file. The parser's own way looks every anchor up in the whole file again,
 * which takes seconds when thousands of models share one.
 */
function valuesOf(root: ParsedNode, place: (node: ParsedNode) => string): unknown {
	const anchors = new Map<string, unknown>();
	let merged = 0;
	const read = (node: ParsedNode | null): unknown => {
		if (isAlias(node)) {
			// One that stands within its own anchor is as unknown as one before it.
			if (anchors.has(node.source)) return anchors.get(node.source);
			throw broken(new Error(`Unknown anchor *${node.source} ${place(node)}`));
		}
		const value = contentOf(node);
		if (node?.anchor !== undefined) anchors.set(node.anchor, value);
		return value;
	};
	const contentOf = (node: ParsedNode | null): unknown => {
		if (isScalar(node)) {
			return typeof node.value === "string" ? showEnvironment(node.value) : node.value;
		}
		if (isSeq(node)) return (node.items as ParsedNode[]).map(read);
		return isMap(node) ? entriesOf(node as YAMLMap.Parsed) : undefined;
	};
	const entriesOf = (node: YAMLMap.Parsed): ReadonlyMap<string, unknown> => {
		const own = new Map<string, unknown>();
		const inherited = new Map<string, unknown>();
		for (const { key, value } of node.items) {
			const item = read(value);
			if (!isMergeKey(key)) {
				own.set(keyOf(key, read(key)), item);
				continue;
			}
			for (const source of Array.isArray(item) ? item : [item]) {
				if (!(source instanceof Map)) continue;
				merged += source.size;
				if (merged > MOST_MERGED) throw broken(new Error(`Too much is merged ${place(key)}`));
				for (const [name, entry] of source) if (!inherited.has(name)) inherited.set(name, entry);
			}
		}
		if (inherited.size === 0) return own;
		return new Map([...inherited, ...own]);
	};
	return read(root);
}

function isMergeKey(key: ParsedNode): boolean {
	return isScalar(key) && key.type === "PLAIN" && key.source === "<<";
}

/** An id like 1.0, 0x1F or true is what stands there, not the number or truth value. */
function keyOf(key: ParsedNode, value: unknown): string {
	if (typeof value === "string") return value;
	return isScalar(key) ? showEnvironment(key.source) : String(value);
}

// Marks of the same length that mean nothing to YAML, so that positions stay right.
const HIDDEN = /\ue000\ue001(env\.[A-Za-z_]\w*)\ue002/g;

function hideEnvironment(text: string): string {
	return text.replace(/\$\{(env\.[A-Za-z_]\w*)\}/g, "\ue000\ue001$1\ue002");
}

function showEnvironment(text: string): string {
	return text.includes("\ue000") ? text.replace(HIDDEN, "$${$1}") : text;
}

function broken(cause: unknown): AiServerError {
	const message = cause instanceof Error ? cause.message : String(cause);
	// The parser's message quotes the source, line breaks and all, and adds an excerpt.
	const [what = "", where = ""] = message.split(/( at line \d+, column \d+)/);
	const fault = showEnvironment(what)
		.replace(/\s+/g, " ")
		.replace(/^Maximum call stack size exceeded/, "Nested too deeply");
	return new AiServerError("config", `The llama-swap config is not valid YAML: ${fault}${where}`, {
		hint: "Correct the file on the server; llama-swap keeps its old config meanwhile",
		cause,
	});
}
