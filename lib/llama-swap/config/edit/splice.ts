import { scalarText } from "../macros.ts";
import type { ModelCommand } from "./command.ts";
import { bodyOfBlock, isBlank, traceScalar } from "./source-map.ts";

/** A part of a text that is replaced; nothing else is touched. */
export interface Splice {
	readonly start: number;
	readonly end: number;
	readonly text: string;
}

/**
 * Where new words go at the end of a command: on a line of their own in a block, with the indent
 * of the line before and ahead of trailing blank lines; else behind the last word, ahead of a
 * closing quote and of a backslash that ends the text. Undefined where no place is found.
 */
export function appendWords(
	yaml: string,
	command: ModelCommand,
	words: string,
): Splice | undefined {
	const { type, range } = command.origin.node;
	if (range === undefined || range === null) return undefined;
	return type === "BLOCK_LITERAL" || type === "BLOCK_FOLDED"
		? ownLine(yaml, bodyOfBlock(yaml, range[0], range[1]), range[1], words)
		: behindLastWord(yaml, command, words);
}

function ownLine(yaml: string, start: number, end: number, words: string): Splice | undefined {
	const body = yaml.slice(start, end).trimEnd();
	const lineStart = body.lastIndexOf("\n") + 1;
	const last = body.slice(lineStart);
	const indent = /^[ \t]*/.exec(last)?.[0] ?? "";
	if (last === "") return undefined;
	const lineEnd = yaml.indexOf("\n", start + body.length);
	const stop = lineEnd < 0 || lineEnd > end ? end : lineEnd;
	const at = yaml.charAt(stop - 1) === "\r" ? stop - 1 : stop;
	// A block may be the file's last line and lack an end; its header line always has one.
	const ending = yaml.charAt(start - 2) === "\r" ? "\r\n" : "\n";
	return { start: at, end: at, text: `${ending}${indent}${words}` };
}

function behindLastWord(yaml: string, { origin }: ModelCommand, words: string): Splice | undefined {
	const { text } = scalarText(origin);
	const at = text.trimEnd().length - 1;
	const last = traceScalar(yaml, origin.node)?.[at];
	if (last === undefined) return undefined;
	if (text.charAt(at) !== "\\") return { start: last.end, end: last.end, text: ` ${words}` };
	const apart = at === 0 || isBlank(text.charAt(at - 1));
	return { start: last.start, end: last.start, text: `${apart ? "" : " "}${words} ` };
}

/** The text with all splices made; they must not overlap. */
export function applySplices(text: string, splices: readonly Splice[]): string {
	let result = "";
	let from = 0;
	for (const splice of inOrder(splices)) {
		result += text.slice(from, splice.start) + splice.text;
		from = splice.end;
	}
	return result + text.slice(from);
}

/** One line of a diff; without `before` the line is new. Lines are counted in the new text. */
export interface LineChange {
	readonly line: number;
	readonly before: string | undefined;
	readonly after: string;
}

/** The lines that splices change, without their line ends. No splice may span a line end. */
export function changedLines(text: string, splices: readonly Splice[]): readonly LineChange[] {
	const byLine = new Map<number, Splice[]>();
	for (const splice of inOrder(splices)) {
		const start = text.lastIndexOf("\n", splice.start - 1) + 1;
		byLine.set(start, [...(byLine.get(start) ?? []), splice]);
	}
	const changes: LineChange[] = [];
	let added = 0;
	for (const [start, own] of byLine) {
		const stop = text.indexOf("\n", start);
		const before = text.slice(start, stop < 0 ? undefined : stop);
		const moved = own.map((one) => ({ ...one, start: one.start - start, end: one.end - start }));
		const number = text.slice(0, start).split("\n").length + added;
		const [first = "", ...more] = applySplices(before, moved).split("\n").map(withoutReturn);
		if (first !== withoutReturn(before)) {
			changes.push({ line: number, before: withoutReturn(before), after: first });
		}
		more.forEach((after, at) => {
			changes.push({ line: number + at + 1, before: undefined, after });
		});
		added += more.length;
	}
	return changes;
}

function inOrder(splices: readonly Splice[]): readonly Splice[] {
	return [...splices].sort((a, b) => a.start - b.start);
}

function withoutReturn(line: string): string {
	return line.replace(/\r$/, "");
}
