import type { Scalar } from "yaml";
import { shownValue } from "../document.ts";
import type { Composed, Origin } from "../macros.ts";
import { YamlNumber } from "../yaml-values.ts";

/** A part of the file; -1 for blanks, which folding may have made of anything. */
export interface Range {
	readonly start: number;
	readonly end: number;
}

/** Where a part of a text is written. */
export interface Source extends Range {
	readonly origin: Origin;
}

/**
 * Where the characters at these places of a text are written: undefined unless that is one part of
 * one scalar, so that nothing else changes when it is replaced.
 */
export function sourceOf(
	yaml: string,
	{ pieces }: Composed,
	places: readonly number[],
): Source | undefined {
	const [from] = places;
	if (from === undefined || places.some((place, at) => place !== from + at)) return undefined;
	const to = from + places.length;
	const piece = pieces.find((candidate) => candidate.from <= from && to <= candidate.to);
	if (piece === undefined) return undefined;
	const { origin } = piece;
	if (piece.start === undefined) {
		// The number is written otherwise, so it is replaced as a whole.
		const range = origin.node.range;
		const isWhole = piece.from === from && piece.to === to;
		return isWhole && range ? { start: range[0], end: range[1], origin } : undefined;
	}
	const start = piece.start + from - piece.from;
	const ranges = traceScalar(yaml, origin.node)?.slice(start, start + places.length) ?? [];
	const [first, last] = [ranges[0], ranges.at(-1)];
	const isOnePiece = ranges.every(
		(range, at) => range.start >= 0 && (at === 0 || range.start === ranges[at - 1]?.end),
	);
	if (first === undefined || last === undefined || !isOnePiece) return undefined;
	return { start: first.start, end: last.end, origin };
}

/**
 * The place of every character of a scalar's text. Whatever the style, characters that are not blank are
 * in the file in the same order; only escapes are written differently. Undefined for a scalar that has
 * no text, or whose text is not found again.
 */
export function traceScalar(yaml: string, node: Scalar): readonly Range[] | undefined {
	const value = shownValue(node);
	if (value === null) return undefined;
	const text = value instanceof YamlNumber ? value.written : String(value);
	const written = writtenUnits(yaml, node).filter((unit) => !isBlank(unit.text));
	const ranges: Range[] = [];
	let next = 0;
	for (let at = 0; at < text.length; at++) {
		const char = text.charAt(at);
		if (isBlank(char)) {
			ranges.push(NOWHERE);
			continue;
		}
		const unit = written[next++];
		if (unit?.text !== char) return undefined;
		ranges.push(unit);
	}
	return next === written.length ? ranges : undefined;
}

const NOWHERE: Range = { start: -1, end: -1 };

interface Unit extends Range {
	readonly text: string;
}

function writtenUnits(yaml: string, { type, range }: Scalar): readonly Unit[] {
	if (range === undefined || range === null) return [];
	const [start, end] = range;
	switch (type) {
		case "BLOCK_FOLDED":
		case "BLOCK_LITERAL":
			return unitsOf(yaml, bodyOfBlock(yaml, start, end), end, /[\s\S]/y);
		case "QUOTE_SINGLE":
			return unitsOf(yaml, start + 1, end - 1, /''|[\s\S]/y);
		case "QUOTE_DOUBLE":
			return unitsOf(yaml, start + 1, end - 1, DOUBLE_QUOTED);
		default:
			return unitsOf(yaml, start, end, /[\s\S]/y);
	}
}

/** Where the text of a block scalar begins: behind the line with its `|` or `>`. */
export function bodyOfBlock(yaml: string, start: number, end: number): number {
	const header = yaml.indexOf("\n", start);
	return header < 0 || header >= end ? end : header + 1;
}

const DOUBLE_QUOTED = /\\(?:x[\da-fA-F]{2}|u[\da-fA-F]{4}|U[\da-fA-F]{8}|\r?\n|[\s\S])|[\s\S]/y;

function unitsOf(yaml: string, start: number, end: number, pattern: RegExp): readonly Unit[] {
	const units: Unit[] = [];
	for (let at = start; at < end; ) {
		pattern.lastIndex = at;
		const written = pattern.exec(yaml)?.[0] ?? yaml.charAt(at);
		const text = written === "''" ? "'" : written.length > 1 ? unescaped(written) : written;
		for (let part = 0; part < text.length; part++) {
			units.push({ text: text.charAt(part), start: at, end: at + written.length });
		}
		at += written.length;
	}
	return units;
}

const ESCAPES: Readonly<Record<string, string>> = {
	"0": "\0",
	a: "\x07",
	b: "\b",
	e: "\x1b",
	f: "\f",
	n: "\n",
	r: "\r",
	t: "\t",
	v: "\v",
	N: "\u0085",
	_: "\u00a0",
	L: "\u2028",
	P: "\u2029",
};

function unescaped(written: string): string {
	const code = written.slice(2);
	if (/^\\[xuU]/.test(written) && code !== "") {
		const point = Number.parseInt(code, 16);
		return point <= 0x10ffff ? String.fromCodePoint(point) : "";
	}
	const letter = written.slice(1);
	return ESCAPES[letter] ?? letter;
}

export function isBlank(char: string): boolean {
	return char === " " || char === "\t" || char === "\n" || char === "\r";
}
