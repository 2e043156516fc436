import { isMap, isPair, isScalar, isSeq, type Node, visit } from "yaml";
import { commandWords, restOf, type Word, wholeWord } from "../../llama-server/shell-words.ts";
import { secretsByPattern, secretsInText, secretsInWords } from "../../secrets/find.ts";
import { covered, type Span } from "../../secrets/mask-text.ts";
import { isCertain, isReference, isSecret, macroIn } from "../../secrets/names.ts";
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

function secretsOfNodes(yaml: string): readonly Span[] {
	try {
		const document = new ConfigDocument(yaml, "any");
		if (document.root === undefined) return secretsOfLines(yaml);
		const found: Span[] = document.isFaulty ? [...secretsOfLines(yaml)] : [];
		// Macros that an option takes its secret from, whatever they are called.
		const macros = new Set<string>();
		visit(document.root, {
			Scalar(key, node, path) {
				const value = shownValue(node);
				if (key === "key" || typeof value !== "string") return;
				const secrets = secretsInScalar(value, path);
				if (secrets.length === 0) return;
				const places = traceScalar(yaml, node);
				for (const word of secrets) {
					const name = macroIn(word.text);
					if (name !== undefined) macros.add(name);
					else if (places !== undefined && !isReference(word.text))
						found.push(...spanOf(word, places));
				}
			},
		});
		visit(document.root, {
			Pair(_, { key, value }, path) {
				if (!isScalar(key)) return;
				const name = keyText(key);
				if (mayHold(name, path)) found.push(...valuesIn(document, name, value));
				else if (macros.has(name)) found.push(...valuesIn(document, "key", value));
			},
		});
		return found;
	} catch {
		// The parser gives up on what is nested without end; then there is nothing but lines.
		return secretsOfLines(yaml);
	}
}

/** Below these, names are people's own: only the plainest of them is believed. */
const FREE_NAMES = /^(?:metadata|setParams|setParamsByID)$/;

function mayHold(name: string, path: readonly unknown[]): boolean {
	if (isCertain(name)) return true;
	// The value decides, for any name that may be one.
	if (!isSecret(name, "x")) return false;
	return !path.some(
		(holder) => isPair(holder) && isScalar(holder.key) && FREE_NAMES.test(keyText(holder.key)),
	);
}

/** The place of a scalar, or of each in a list; a map below a secret's name is something else. */
function valuesIn(document: ConfigDocument, name: string, value: unknown): readonly Span[] {
	const node = document.resolve(value);
	if (isMap(node) || node === undefined) return [];
	if (isSeq(node)) return node.items.flatMap((item) => valuesIn(document, name, item));
	const held = shownValue(node);
	const text = held instanceof YamlNumber ? held.written : held;
	const isHeld = typeof text === "string" && isSecret(name, text) && !isReference(text);
	return isHeld && node.range ? [{ start: node.range[0], end: node.range[1] }] : [];
}

/** What is secret in a value, and references to what is. */
function secretsInScalar(value: string, path: readonly unknown[]): readonly Word[] {
	const whole = wholeWord(value);
	if (!isEnvironment(path)) {
		return [...secretsInWords(commandWords(value)), ...secretsByPattern(whole)];
	}
	// "NAME=value", where all that follows is the value.
	const [lead = "", name = ""] = /^([A-Za-z_]\w*)=/.exec(value) ?? [];
	if (lead !== "" && isSecret(name, value.slice(lead.length))) return [restOf(whole, lead.length)];
	return secretsByPattern(whole);
}

/** True for an item of a list below `env:`. */
function isEnvironment(path: readonly unknown[]): boolean {
	const holder = path.at(-2);
	return isPair<Node, Node>(holder) && isScalar(holder.key) && keyText(holder.key) === "env";
}

/** Where a word of a scalar is in the file. */
function spanOf({ places }: Word, scalar: readonly Range[]): readonly Span[] {
	const written = places.flatMap((place) => scalar[place] ?? []).filter(({ start }) => start >= 0);
	const [first, last] = [written[0], written.at(-1)];
	return first === undefined || last === undefined ? [] : [{ start: first.start, end: last.end }];
}

/** What was commented out is still a secret. */
function secretsOfComments(yaml: string): readonly Span[] {
	const found: Span[] = [];
	for (const { 0: comment, index } of yaml.matchAll(/(?<=^|\s)#[^\n]*/g)) {
		const [sign = ""] = /^#+/.exec(comment) ?? [];
		found.push(...secretsOfLine(comment.slice(sign.length), index + sign.length));
	}
	const lists = yaml.matchAll(/#[ \t]*apiKeys:[ \t]*\r?\n(?:[ \t]*#[ \t]*-[^\n]*\n?)+/gi);
	for (const { 0: list, index } of lists) {
		for (const item of list.matchAll(/(?<=#[ \t]*-[ \t]*)[^\s-][^\n]*/g)) {
			found.push({ start: index + item.index, end: index + item.index + item[0].length });
		}
	}
	return found;
}

function secretsOfLines(yaml: string): readonly Span[] {
	return [...yaml.matchAll(/[^\n]+/g)].flatMap(({ 0: line, index }) => secretsOfLine(line, index));
}

/** A name and its value alone on a line, as a file has them. */
const ENTRY =
	/^[ \t]*(?:-[ \t]+)?["']?([\w.-]+)["']?:[ \t]+("[^"]*"|'[^']*'|[^\s"',\]]+)[ \t]*(?:#.*)?\r?$/;

function secretsOfLine(line: string, offset: number): readonly Span[] {
	const spans = secretsInText(line, { isProse: true }).flatMap(({ places }) => {
		const [first, last] = [places[0], places.at(-1)];
		return first === undefined || last === undefined ? [] : [{ start: first, end: last + 1 }];
	});
	const [, name = "", value = ""] = ENTRY.exec(line) ?? [];
	const start = line.indexOf(value, line.indexOf(":") + 1);
	const isEntry = isSecret(name, value) && !isReference(value);
	const entry = isEntry ? [{ start, end: start + value.length }] : [];
	return [...spans, ...entry].map(({ start, end }) => ({
		start: start + offset,
		end: end + offset,
	}));
}

function linesOf(text: string): readonly string[] {
	return text.split(/\r?\n/);
}
