import {
	type Alias,
	type Document,
	isAlias,
	isMap,
	isScalar,
	isSeq,
	LineCounter,
	type Node,
	parseDocument,
	type Scalar,
	visit,
	type YAMLMap,
	type YAMLSeq,
} from "yaml";
import { AiServerError } from "../../errors.ts";
import { type ConfigPart, partsOf } from "./files.ts";
import { type FileContent, mergeFiles } from "./merge-files.ts";
import { scalarValue } from "./yaml-values.ts";

/**
 * How many errors of a file are tolerated: none, as in llama-swap's own loader; those that leave
 * its meaning clear (a key twice, a second document); or all of them.
 */
export type Tolerance = "strict" | "lenient" | "any";

export interface Entry {
	readonly key: Scalar;
	/** Undefined where there is nothing. */
	readonly value: ConfigNode | undefined;
	/** The entry is from another map, which a merge key names. */
	readonly isMerged: boolean;
}

export type ConfigNode = Alias | Scalar | YAMLMap | YAMLSeq;
type Content = Exclude<ConfigNode, Alias>;

/** Larger files take the parser many seconds. */
const MAX_CHARACTERS = 2 ** 20;
/** Entries that merge keys may copy altogether. */
const MAX_MERGED = 1_000_000;

/** A line as a person would name it: 3, or "3 of 10-base.yaml" in a folder of files. */
export type Line = number | string;

/** The error of every edit that is not made: why, where in the file, and what to do instead. */
export function refusal(
	reason: string,
	facts: { line?: Line | undefined; hint?: string; cause?: unknown } = {},
): AiServerError {
	const where = facts.line === undefined ? "" : ` (line ${facts.line})`;
	return new AiServerError("config", `${reason}${where}`, {
		hint: facts.hint ?? "Edit config.yaml on the server by hand",
		cause: facts.cause,
	});
}

/**
 * llama-swap's config.yaml, or the files of its config folder merged: its nodes, which know their place in it, with aliases and merge keys
 * followed. Values are read where they are asked for. `${env.X}`, which llama-swap puts in
 * before it parses, stays as text even where YAML would stumble over it. Opening and reading throw
 * AiServerError "config", with line and column, for what is no YAML, and nothing else.
 */
export class ConfigDocument {
	readonly yaml: string;
	readonly root: YAMLMap | undefined;
	/** True where the parser has had to guess, so that nodes may not be what was meant. */
	readonly isFaulty: boolean;
	readonly #parts: readonly ParsedPart[];
	readonly #tolerance: Tolerance;
	readonly #targets = new Map<Alias, Content>();
	readonly #entries = new Map<YAMLMap, ReadonlyMap<string, Entry>>();
	readonly #values = new Map<Content, unknown>();
	#merged = 0;

	constructor(yaml: string, tolerance: Tolerance) {
		if (yaml.length > MAX_CHARACTERS && tolerance !== "any") {
			throw new AiServerError("config", "The llama-swap config is larger than 1 MB", {
				hint: "Shorten the file with macros",
			});
		}
		this.yaml = yaml;
		this.#tolerance = tolerance;
		try {
			this.#parts = partsOf(yaml).map(parsePart);
			this.isFaulty = this.#parts.some(({ document }) => document.errors.length > 0);
			for (const part of this.#parts) {
				this.#refuseFaults(part);
				const isWalked = tolerance === "strict" || part.text.includes("*");
				// Anchors are known in their own file only.
				if (isWalked) this.#walk(part.document.contents, new Map());
			}
			this.root = mergeFiles(this.#parts.map(contentOf), (error) => {
				if (tolerance !== "any") throw error;
			});
		} catch (error) {
			throw error instanceof AiServerError ? error : broken(messageOf(error), error);
		}
	}

	/** What a node holds: a scalar's value, a map of these, or a list of these. */
	valueOf(node: unknown): unknown {
		const content = this.resolve(node);
		if (content === undefined) return undefined;
		if (isScalar(content)) return shownValue(content);
		if (this.#values.has(content)) return this.#values.get(content);
		const value = isMap(content)
			? new Map(
					Array.from(this.entriesOf(content), ([key, entry]) => [key, this.valueOf(entry.value)]),
				)
			: content.items.map((item) => this.valueOf(item));
		this.#values.set(content, value);
		return value;
	}

	/** The node behind an alias, or the node itself; undefined where there is none. */
	resolve(node: unknown): Content | undefined {
		const content = isAlias(node) ? this.#targets.get(node) : node;
		return isMap(content) || isScalar(content) || isSeq(content) ? content : undefined;
	}

	/** The map under this key of another one. */
	childMap(map: YAMLMap | undefined, key: string): YAMLMap | undefined {
		const child = map && this.resolve(this.entriesOf(map).get(key)?.value);
		return isMap(child) ? child : undefined;
	}

	/** The entries that count: a map's own, then those that its merge keys bring in. */
	entriesOf(map: YAMLMap): ReadonlyMap<string, Entry> {
		const known = this.#entries.get(map);
		if (known !== undefined) return known;
		const own = new Map<string, Entry>();
		const sources: unknown[] = [];
		// One that merges itself, which only a file with errors can do, has nothing to bring in.
		this.#entries.set(map, own);
		for (const { key, value } of map.items) {
			const scalar = this.resolve(key);
			if (!isScalar(scalar)) continue;
			if (isMergeKey(scalar)) sources.push(value);
			else own.set(keyText(scalar), { key: scalar, value: nodeOf(value), isMerged: false });
		}
		if (sources.length === 0) return own;
		const all = new Map(own);
		for (const source of sources.flatMap((value) => this.#mergeSources(value))) {
			const entries = this.entriesOf(source);
			this.#merged += entries.size;
			if (this.#merged > MAX_MERGED) throw this.#invalid("too much is merged", map);
			for (const [name, entry] of entries) {
				if (!all.has(name)) all.set(name, { ...entry, isMerged: true });
			}
		}
		this.#entries.set(map, all);
		return all;
	}

	/** Line of a node, counted from 1. */
	lineOf(node: unknown): Line {
		return this.lineAt(offsetOf(node));
	}

	lineAt(offset: number): Line {
		const { line, name } = this.#placeOf(offset);
		return name === "" ? line : `${line} of ${name}`;
	}

	/** The name of the file that holds this place; empty where the config is no folder. */
	fileAt(offset: number): string {
		return this.#placeOf(offset).name;
	}

	#placeOf(offset: number): { readonly line: number; readonly col: number; readonly name: string } {
		const part = this.#parts.findLast(({ start }) => start <= offset) ?? this.#parts[0];
		if (part === undefined) return { line: 1, col: 1, name: "" };
		return { ...part.lines.linePos(offset - part.start), name: part.name };
	}

	#mergeSources(value: unknown): readonly YAMLMap[] {
		const source = this.resolve(value);
		const all = isSeq(source) ? source.items.map((item) => this.resolve(item)) : [source];
		return all.filter((item) => isMap(item));
	}

	/** Follows the aliases in the order of the file; the parser searches all of it for each. */
	#walk(node: unknown, anchors: Map<string, Content>): void {
		if (isAlias(node)) {
			const target = anchors.get(node.source);
			// An alias within its own anchor is as unknown as one before it.
			if (target !== undefined) this.#targets.set(node, target);
			else if (this.#tolerance !== "any")
				throw this.#invalid(`*${node.source} has no anchor`, node);
			return;
		}
		if (isMap(node)) {
			if (this.#tolerance === "strict") this.#refuseDuplicates(node);
			for (const { key, value } of node.items) {
				this.#walk(key, anchors);
				this.#walk(value, anchors);
			}
		} else if (isSeq(node)) {
			for (const item of node.items) this.#walk(item, anchors);
		}
		if ((isMap(node) || isSeq(node) || isScalar(node)) && node.anchor !== undefined) {
			anchors.set(node.anchor, node);
		}
	}

	#refuseDuplicates(map: YAMLMap): void {
		const keys = new Set<string>();
		for (const { key } of map.items) {
			if (!isScalar(key)) continue;
			const text = keyText(key);
			if (keys.has(text)) throw this.#invalid(`the key ${text} is there twice`, key);
			keys.add(text);
		}
	}

	#refuseFaults({ document, lines, name }: ParsedPart): void {
		if (this.#tolerance === "any") return;
		const problem = document.errors.find(
			({ code }) => this.#tolerance === "strict" || code !== "MULTIPLE_DOCS",
		);
		if (problem === undefined) return;
		// The parser's message quotes the source, line breaks and all, and adds an excerpt.
		const [said = ""] = problem.message.split(/ at line \d+, column \d+/);
		// No source: a secret may stand in it.
		const what = said.replace(/ in YAML stream: [\s\S]*$|: "[\s\S]*$/, "");
		const { line, col } = lines.linePos(problem.pos[0]);
		const place = placeText({ line, col, name });
		throw broken(`${YAML_MESSAGES[problem.code] ?? what} at ${place}`, problem);
	}

	#invalid(what: string, node: unknown): AiServerError {
		return broken(`${what} at ${placeText(this.#placeOf(offsetOf(node)))}`, undefined);
	}
}

interface ParsedPart extends ConfigPart {
	readonly document: Document.Parsed;
	readonly lines: LineCounter;
}

/** Parses a file; its nodes know their places in the text of all files. */
function parsePart(part: ConfigPart): ParsedPart {
	const lines = new LineCounter();
	const document = parse(part.text, lines);
	if (part.start > 0) {
		const shift = (node: Node): void => {
			if (node.range) {
				const [start, value, end] = node.range;
				node.range = [start + part.start, value + part.start, end + part.start];
			}
		};
		visit(document, { Node: (_key, node) => shift(node) });
	}
	return { ...part, document, lines };
}

function contentOf({ name, document }: ParsedPart): FileContent {
	const content: unknown = document.contents;
	return { name, root: isMap(content) ? content : undefined };
}

function placeText(place: {
	readonly line: number;
	readonly col: number;
	readonly name: string;
}): string {
	const { line, col, name } = place;
	return `line ${line}, column ${col}${name === "" ? "" : ` of ${name}`}`;
}

const YAML_MESSAGES: Readonly<Record<string, string>> = {
	TAB_AS_INDENT: "it is indented with a tab",
	MULTIPLE_DOCS: "a second document begins, which llama-swap does not read",
};

/** Every scalar as a text: what Go makes of it is another matter, see `scalarValue`. */
function parse(yaml: string, lineCounter: LineCounter): Document.Parsed {
	return parseDocument(hideEnvironment(yaml), {
		schema: "failsafe",
		uniqueKeys: false,
		lineCounter,
	});
}

function broken(what: string, cause: unknown): AiServerError {
	const problem = shown(what)
		.replace(/\s+/g, " ")
		.replace(/^Maximum call stack size exceeded/, "it is nested too deeply");
	return new AiServerError("config", `The llama-swap config is not valid YAML: ${problem}`, {
		hint: "Correct the file on the server; llama-swap keeps its old config meanwhile",
		cause,
	});
}

function messageOf(error: unknown): string {
	return error instanceof Error ? error.message : String(error);
}

function nodeOf(value: unknown): ConfigNode | undefined {
	return isAlias(value) || isMap(value) || isScalar(value) || isSeq(value) ? value : undefined;
}

function isMergeKey(key: Scalar): boolean {
	return key.type === "PLAIN" && key.source === "<<";
}

/** A key as written: `1.0` stays "1.0", as in llama-swap, which reads keys as text. */
export function keyText(key: Scalar): string {
	return shown(key.source ?? String(key.value));
}

export function offsetOf(node: unknown): number {
	return nodeOf(node)?.range?.[0] ?? 0;
}

/** A scalar's value, the way Go reads it. */
export function shownValue(node: Scalar): ReturnType<typeof scalarValue> {
	const value = scalarValue(node);
	return typeof value === "string" ? shown(value) : value;
}

// Marks of the same length that mean nothing to YAML, so that places stay right.
const HIDDEN = /\ue000\ue001(env\.[A-Za-z_]\w*)\ue002/g;

function hideEnvironment(yaml: string): string {
	if (/[\ue000-\ue002]/.test(yaml)) return yaml;
	return yaml.replace(/\$\{(env\.[A-Za-z_]\w*)\}/g, "\ue000\ue001$1\ue002");
}

function shown(text: string): string {
	return text.includes("\ue000") ? text.replace(HIDDEN, "$${$1}") : text;
}
