import { isMap, isPair, isScalar, isSeq, type Node, type Scalar, visit } from "yaml";
import { commandWords, restOf, type Word, wordsIn } from "../../llama-server/shell-words.ts";
import { ConfigDocument, keyText, shownValue } from "./document.ts";
import { type Range, traceScalar } from "./edit/source-map.ts";
import type { LineChange } from "./edit/splice.ts";
import { YamlNumber } from "./yaml-values.ts";

/**
 * The same text with "***" in place of what should not show on a shared screen: API keys, tokens
 * and passwords in keys, commands, environments and comments. Every line stays a line of its own.
 * What only points at a secret stays: a file's name, `${macro}`, `$VARIABLE`.
 */
export function maskSecrets(yaml: string): string {
	return covered(yaml, [...secretsOfNodes(yaml), ...secretsOfComments(yaml)]);
}

/** The lines of an edit, masked as the texts before and after it are. */
export function maskChanges(
	before: string,
	after: string,
	changes: readonly LineChange[],
): readonly LineChange[] {
	const old = linesOf(maskSecrets(before));
	const now = linesOf(maskSecrets(after));
	let added = 0;
	return changes.map((change) => {
		if (change.before === undefined) added += 1;
		const was = change.before === undefined ? undefined : old[change.line - 1 - added];
		return { line: change.line, before: was, after: now[change.line - 1] ?? "" };
	});
}

/** A variable, a macro or a key of a map that holds a secret: HF_TOKEN, apiKey. */
const SECRET_NAME = /(?:key|token|secret|passw(?:or)?d|passphrase)$|^api[-_]?keys$/i;
/** An option whose next word is one; of a header, the word that says so. */
const SECRET_OPTION =
	/^(?:--?(?:[\w-]*-)?(?:api-?key|(?:api|auth|access|hf)-token|secret|password)|-hft|bearer)$/i;
const ASSIGNMENT = /^(?:--env=)?([A-Za-z_]\w*)=/;
/** A reference to text that is kept elsewhere. */
const REFERENCE = /^(?:\$\{[^}]*\}|\$\w+)$/;

function secretsOfNodes(yaml: string): readonly Range[] {
	try {
		const document = new ConfigDocument(yaml, "any");
		if (document.root === undefined) return inLines(yaml, 0);
		const found: Range[] = [];
		// Macros that an option takes its secret from, whatever they are called.
		const macros = new Set<string>();
		visit(document.root, {
			Scalar(key, node, path) {
				const value = shownValue(node);
				if (key === "key" || typeof value !== "string") return;
				const secrets = isEnvironment(path)
					? inEntry(wholeOf(value))
					: inWords(commandWords(value));
				if (secrets.length === 0) return;
				for (const { text } of secrets) {
					const [, name] = /^\$\{([^}]*)\}$/.exec(text) ?? [];
					if (name !== undefined) macros.add(name);
				}
				const places = traceScalar(yaml, node);
				if (places !== undefined) found.push(...secrets.flatMap((word) => rangeOf(word, places)));
			},
		});
		visit(document.root, {
			Pair(_, { key, value }) {
				if (!isScalar(key)) return;
				const name = keyText(key);
				if (SECRET_NAME.test(name) || macros.has(name)) found.push(...valuesIn(document, value));
			},
		});
		return found;
	} catch {
		// The parser gives up on what is nested without end; then there is nothing but lines.
		return inLines(yaml, 0);
	}
}

/** The place of a scalar, or of each in a list; a map below a secret's name is something else. */
function valuesIn(document: ConfigDocument, value: unknown): readonly Range[] {
	const node = document.resolve(value);
	if (isMap(node) || node === undefined) return [];
	if (isSeq(node)) return node.items.flatMap((item) => valuesIn(document, item));
	return isSecretValue(node) && node.range ? [{ start: node.range[0], end: node.range[1] }] : [];
}

function isSecretValue(node: Scalar): boolean {
	const value = shownValue(node);
	if (typeof value === "string") return value !== "" && !REFERENCE.test(value);
	return value instanceof YamlNumber;
}

/** True for an item of a list below `env:`. */
function isEnvironment(path: readonly unknown[]): boolean {
	const holder = path.at(-2);
	return isPair<Node, Node>(holder) && isScalar(holder.key) && keyText(holder.key) === "env";
}

function wholeOf(text: string): Word {
	return { text, places: Array.from({ length: text.length }, (_, at) => at) };
}

/** "NAME=value", where all that follows is the value. */
function inEntry(word: Word): readonly Word[] {
	const [lead = "", name = ""] = ASSIGNMENT.exec(word.text) ?? [];
	return SECRET_NAME.test(name) ? [restOf(word, lead.length)] : [];
}

function inWords(words: readonly Word[]): readonly Word[] {
	return words.flatMap((word, at) => {
		const { text } = word;
		const lead = words[at - 1]?.text ?? "";
		if (SECRET_OPTION.test(lead)) return [word];
		// A shell's script.
		if (/^-[a-z]*c$/.test(lead) && /\s/.test(text)) return inWords(wordsIn(word));
		const option = /^(-[^=\s]*)=/.exec(text);
		if (option !== null && SECRET_OPTION.test(option[1] ?? "")) {
			return [restOf(word, option[0].length)];
		}
		const entry = inEntry(word);
		if (entry.length > 0) return entry;
		// A header, or a script at an odd place.
		return /\s/.test(text) ? inWords(wordsIn(word)) : [];
	});
}

/** Where a word of a scalar is in the file. */
function rangeOf({ text, places }: Word, scalar: readonly Range[]): readonly Range[] {
	const written = places.flatMap((place) => scalar[place] ?? []).filter(({ start }) => start >= 0);
	const [first, last] = [written[0], written.at(-1)];
	if (first === undefined || last === undefined || REFERENCE.test(text)) return [];
	return [{ start: first.start, end: last.end }];
}

/** What was commented out is still a secret. */
function secretsOfComments(yaml: string): readonly Range[] {
	const found: Range[] = [];
	for (const { 0: comment, index } of yaml.matchAll(/(?<=^|\s)#[^\n]*/g)) {
		found.push(...inLines(comment, index));
	}
	const lists = yaml.matchAll(/#[ \t]*apiKeys:[ \t]*\r?\n(?:[ \t]*#[ \t]*-[^\n]*\n?)+/gi);
	for (const { 0: list, index } of lists) {
		for (const item of list.matchAll(/(?<=#[ \t]*-[ \t]*)[^\s-][^\n]*/g)) {
			found.push({ start: index + item.index, end: index + item.index + item[0].length });
		}
	}
	return found;
}

const VALUE = String.raw`("[^"\n]*"|'[^'\n]*'|[^\s"',\]]+)`;
const IN_LINE: readonly RegExp[] = [
	// An option or a header, then its value; only from a word's start, or long words take for ever.
	new RegExp(
		String.raw`(?<![\w-])(?:--?(?:[\w-]*-)?(?:api-?key|(?:api|auth|access|hf)-token|secret|password)|-hft|bearer)(?:[ \t]+|=)${VALUE}`,
		"gi",
	),
	// A variable or a key of a map.
	new RegExp(
		String.raw`\b\w*(?:key|token|secret|password|passwd|passphrase)(?:=|["']?:[ \t]+)${VALUE}`,
		"gi",
	),
];

function inLines(text: string, offset: number): readonly Range[] {
	return IN_LINE.flatMap((pattern) =>
		[...text.matchAll(pattern)].flatMap(({ 0: whole, 1: value = "", index }) => {
			const end = offset + index + whole.length;
			return REFERENCE.test(value) ? [] : [{ start: end - value.length, end }];
		}),
	);
}

function covered(yaml: string, ranges: readonly Range[]): string {
	let shown = "";
	let from = 0;
	for (const { start, end } of united(ranges)) {
		shown += yaml.slice(from, start) + yaml.slice(start, end).replace(/\S(?:[^\r\n]*\S)?/g, "***");
		from = end;
	}
	return shown + yaml.slice(from);
}

function united(ranges: readonly Range[]): readonly Range[] {
	const all: Range[] = [];
	for (const range of ranges.toSorted((a, b) => a.start - b.start)) {
		const last = all.at(-1);
		if (last === undefined || range.start >= last.end) all.push(range);
		else if (range.end > last.end) all.splice(-1, 1, { start: last.start, end: range.end });
	}
	return all;
}

function linesOf(text: string): readonly string[] {
	return text.split(/\r?\n/);
}
