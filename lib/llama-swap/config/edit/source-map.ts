import type { Scalar } from "yaml";

/** A scalar that a command is made of: the cmd itself, or a macro. */
export interface Origin {
	/** As a person would call it: `the global macro "ctx"`. */
	readonly name: string;
	readonly node: Scalar;
}

/** One UTF-16 unit of a command, and the place in the file where it is written. */
export interface Char {
	readonly text: string;
	/** Offsets into the file; -1 for blanks, which folding may have made of anything. */
	readonly start: number;
	readonly end: number;
	readonly origin: Origin | undefined;
}

export type Traced = readonly Char[];

export function textOf(chars: Traced): string {
	return chars.map(({ text }) => text).join("");
}

/** Text that stands nowhere in the file. */
export function untraced(text: string): Traced {
	return Array.from({ length: text.length }, (_, at) => ({
		text: text.charAt(at),
		start: -1,
		end: -1,
		origin: undefined,
	}));
}

/**
 * The text of a scalar with the place of every character. Whatever the style, what is not blank
 * stands in the file in the same order; only escapes are written differently. Undefined for a
 * scalar that has no text, or whose text is not found again.
 */
export function traceScalar(yaml: string, origin: Origin): Traced | undefined {
	const value = scalarText(origin.node);
	if (value === undefined) return undefined;
	const written = writtenUnits(yaml, origin.node).filter(({ text }) => !isBlank(text));
	const chars: Char[] = [];
	let next = 0;
	for (let at = 0; at < value.length; at++) {
		const text = value.charAt(at);
		if (isBlank(text)) {
			chars.push({ text, start: -1, end: -1, origin });
			continue;
		}
		const unit = written[next++];
		if (unit?.text !== text) return undefined;
		chars.push({ ...unit, origin });
	}
	return next === written.length ? chars : undefined;
}

function scalarText({ value, source }: Scalar): string | undefined {
	if (typeof value === "string") return value;
	// As written: 0.70 is found in the file, 0.7 is not.
	return typeof value === "number" || typeof value === "boolean" ? source : undefined;
}

interface Unit {
	readonly text: string;
	readonly start: number;
	readonly end: number;
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

/** Every `${name}` replaced, as llama-swap replaces one macro after the other. */
export function replaceMacro(chars: Traced, name: string, value: Traced): Traced {
	const text = textOf(chars);
	const slug = `\${${name}}`;
	const result: Char[] = [];
	let from = 0;
	for (let at = text.indexOf(slug); at >= 0; at = text.indexOf(slug, from)) {
		for (const char of chars.slice(from, at)) result.push(char);
		for (const char of value) result.push(char);
		from = at + slug.length;
	}
	for (const char of chars.slice(from)) result.push(char);
	return result;
}

/** Without the lines that begin with "#", which llama-swap drops before it looks for macros. */
export function withoutCommentLines(chars: Traced): Traced {
	return joinLines(linesOf(chars).filter((line) => !textOf(line).trimStart().startsWith("#")));
}

/**
 * Words as llama-swap splits them: lines that begin with "#" dropped, a backslash at a line's end
 * taken off, then POSIX quoting without a shell.
 */
export function splitWords(chars: Traced): readonly Traced[] {
	const lines = linesOf(withoutCommentLines(chars)).map((line) => {
		const text = textOf(line).trimEnd();
		return text.endsWith("\\") ? [...line.slice(0, text.length - 1), SPACE] : line;
	});
	const words: Char[][] = [];
	let word: Char[] | undefined;
	let quote = "";
	const all = joinLines(lines);
	for (let at = 0; at < all.length; at++) {
		const char = all[at] ?? SPACE;
		const next = all[at + 1];
		if (
			char.text === "\\" &&
			quote !== "'" &&
			(quote === "" || /^["\\$`\n]/.test(next?.text ?? ""))
		) {
			at++;
			if (next === undefined || next.text === "\n") continue;
			word ??= [];
			word.push(next);
		} else if (quote === "" && isBlank(char.text)) {
			if (word !== undefined) words.push(word);
			word = undefined;
		} else if (char.text === quote) quote = "";
		else if (quote === "" && (char.text === '"' || char.text === "'")) {
			quote = char.text;
			word ??= [];
		} else if (word === undefined) word = [char];
		else word.push(char);
	}
	if (word !== undefined) words.push(word);
	return words;
}

const SPACE: Char = { text: " ", start: -1, end: -1, origin: undefined };
const NEWLINE: Char = { ...SPACE, text: "\n" };

function linesOf(chars: Traced): readonly Traced[] {
	const lines: Char[][] = [[]];
	for (const char of chars) {
		if (char.text === "\n") lines.push([]);
		else lines.at(-1)?.push(char);
	}
	return lines;
}

function joinLines(lines: readonly Traced[]): Traced {
	return lines.flatMap((line, at) => (at === 0 ? line : [NEWLINE, ...line]));
}
