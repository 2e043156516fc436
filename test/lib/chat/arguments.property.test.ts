import { isDeepStrictEqual } from "node:util";
import fc from "fast-check";
import { expect, test } from "vitest";
import { createArgumentsReader, finishArguments } from "../../../lib/chat/arguments.ts";
import {
	copyOf,
	LOOSE,
	meaningOf,
	NAMES,
	objectOf,
	STRICT,
	type Token,
	type Tokens,
	textOf,
} from "../../support/json-documents.ts";
import { rounds } from "../../support/rounds.ts";

const RUNS = rounds(400);
/** `AI_SERVER_FUZZ_SEED=n` repeats a run. */
const SEED = process.env["AI_SERVER_FUZZ_SEED"];
const PARAMETERS = { numRuns: RUNS, ...(SEED === undefined ? {} : { seed: Number(SEED) }) };
const LONG = { timeout: 3_600_000 };

/** Places to cut a text at, as fractions of its length; "all" is character by character. */
const cuts = fc.oneof(
	fc.constant("all" as const),
	fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { maxLength: 12 }),
);

function piecesOf(text: string, places: "all" | readonly number[]): readonly string[] {
	if (places === "all") return text.split("");
	const inner = places.map((place) => Math.floor(place * text.length)).toSorted((a, b) => a - b);
	return [...inner, text.length].map((end, at) => text.slice(inner[at - 1] ?? 0, end));
}

/** One text for values that are the same: order of keys, -0 and Infinity included. */
function printed(value: unknown): string {
	return JSON.stringify(value, (_key, item: unknown) =>
		typeof item === "number" ? `number ${Object.is(item, -0) ? "-0" : item}` : item,
	);
}

function expectSame(value: unknown, wanted: unknown): void {
	expect(printed(value)).toBe(printed(wanted));
	expect(isDeepStrictEqual(value, wanted)).toBe(true); // prototypes as well
}

/**
 * What must be shown when `length` characters have come, by the longest JSON that can be made of
 * them: a value is in it from its first character on, except that a number or a literal needs the
 * character behind it, which says that it is whole; an open string ends before an escape that is cut.
 */
function shownAfter(tokens: Tokens, length: number): unknown {
	const kept: Token[] = [];
	const open: string[] = [];
	let left = length;
	for (const token of tokens) {
		if (left <= 0) break;
		const part = token.text.slice(0, left);
		left -= token.text.length;
		if (token.kind === "mark") {
			if (/[{[]/.test(part)) open.unshift(part === "{" ? "}" : "]");
			else if (/[}\]]/.test(part)) open.shift();
			kept.push(token);
		} else if (token.kind === "string" && left < 0) {
			const whole = /^"(?:[^\\]|\\[^u]|\\u[0-9a-fA-F]{4})*/.exec(part)?.[0] ?? '"';
			kept.push({ kind: "string", text: part, strict: `${whole}"` });
		} else if (token.kind === "blank") continue;
		else if (left > 0 || (left === 0 && token.kind !== "word")) kept.push(token);
	}
	while (kept.at(-1)?.kind === "key" || /^[,:]$/.test(kept.at(-1)?.text ?? "")) kept.pop();
	return meaningOf(kept, open.join(""));
}

const isIndex = (key: string): boolean => String(Number(key) >>> 0) === key;

/**
 * True when `part` can become `whole` by growing: a string and an array are a beginning of it, an
 * object has its first keys, in order (but JavaScript itself puts those that are array indices in
 * front), with values that can grow into its values, and anything else is there as it stays.
 */
function canGrowInto(part: unknown, whole: unknown): boolean {
	if (typeof part === "string") return typeof whole === "string" && whole.startsWith(part);
	if (typeof part !== "object" || part === null) return Object.is(part, whole);
	if (typeof whole !== "object" || whole === null) return false;
	if (Array.isArray(part)) {
		if (!Array.isArray(whole) || whole.length < part.length) return false;
		return part.every((item, at) => canGrowInto(item, whole[at]));
	}
	const named = (object: object): string[] => Object.keys(object).filter((key) => !isIndex(key));
	const values = whole as Record<string, unknown>;
	return (
		!Array.isArray(whole) &&
		named(part).every((key, at) => key === named(whole)[at]) &&
		Object.entries(part).every(
			([key, value]) => Object.hasOwn(whole, key) && canGrowInto(value, values[key]),
		)
	);
}

test(
	"whatever the text and the cuts, each step shows exactly what has come, and the last all",
	LONG,
	() => {
		const object = objectOf({ letter: STRICT, again: true });
		fc.assert(
			fc.property(object, cuts, (tokens, places) => {
				const text = textOf(tokens);
				const reader = createArgumentsReader();
				const { value } = reader;
				let length = 0;
				for (const piece of piecesOf(text, places)) {
					reader.push(piece);
					length += piece.length;
					expectSame(value, shownAfter(tokens, length));
				}
				const whole = meaningOf(tokens);
				expectSame(value, whole);
				expect(reader.value).toBe(value);
				expect(reader.text()).toBe(text);
				expectSame(finishArguments(text), { value: whole });
			}),
			PARAMETERS,
		);
	},
);

test("no step takes anything back, and each is a beginning of the end", LONG, () => {
	const object = objectOf({ letter: LOOSE, again: false });
	fc.assert(
		fc.property(object, cuts, (tokens, places) => {
			const whole = meaningOf(tokens);
			const reader = createArgumentsReader();
			let before: unknown = {};
			for (const piece of piecesOf(textOf(tokens), places)) {
				reader.push(piece);
				const now = copyOf(reader.value);
				if (!canGrowInto(before, now)) throw new Error(`${printed(before)} became ${printed(now)}`);
				if (!canGrowInto(now, whole)) throw new Error(`${printed(now)} before ${printed(whole)}`);
				before = now;
			}
		}),
		PARAMETERS,
	);
});

test(
	"slips that models make in strings are read alike while they arrive and in the end",
	LONG,
	() => {
		const object = objectOf({ letter: LOOSE, again: true });
		fc.assert(
			fc.property(object, cuts, (tokens, places) => {
				const text = textOf(tokens);
				const value = meaningOf(tokens);
				const reader = createArgumentsReader();
				for (const piece of piecesOf(text, places)) reader.push(piece);
				expectSame(reader.value, value);
				expectSame(finishArguments(text), { value });
			}),
			PARAMETERS,
		);
	},
);

test("any value of JSON, printed by JSON.stringify", LONG, () => {
	const any = fc.dictionary(
		fc.oneof(fc.constantFrom(...NAMES), fc.string({ unit: "binary" })),
		fc.oneof(fc.jsonValue({ stringUnit: "binary" }), fc.jsonValue({ stringUnit: "grapheme" })),
		{ noNullPrototype: true },
	);
	const value = any.filter((object) => !printed(object).includes("number -0")); // printed as 0
	fc.assert(
		fc.property(value, fc.constantFrom(undefined, 1, "\t"), cuts, (object, indent, places) => {
			const text = JSON.stringify(object, null, indent);
			const reader = createArgumentsReader();
			for (const piece of piecesOf(text, places)) reader.push(piece);
			expectSame(reader.value, object);
			expectSame(finishArguments(text), { value: object });
		}),
		PARAMETERS,
	);
});

const BITS = [
	...'"\\{}[],:-0e.u \n\r\t\u0000\u001fdntf\u00a0\ufeff\u2028\ud800',
	"\\u",
	"\\u12",
	"\\ud83c",
	'\\"',
	"\\\\",
	"\\d",
	"tru",
	"null",
	"nul",
	"NaN",
	"//",
	"/*",
	'{"a":',
	'"a":1',
	",,",
	"]}",
	'}{"',
	"__proto__",
	'"__proto__":',
	"1e",
	"-",
	"+1",
	".5",
];

/** A text of JSON in which something was cut off, taken out or put in. */
const broken = fc
	.tuple(
		objectOf({ letter: LOOSE, again: true }),
		fc.array(
			fc.record({
				place: fc.double({ min: 0, max: 1, noNaN: true }),
				gone: fc.oneof(fc.nat(3), fc.constant(Number.POSITIVE_INFINITY)),
				put: fc.oneof(fc.constant(""), fc.constantFrom(...BITS)),
			}),
			{ minLength: 1, maxLength: 4 },
		),
	)
	.map(([tokens, changes]) =>
		changes.reduce((text, { place, gone, put }) => {
			const at = Math.floor(place * text.length);
			return text.slice(0, at) + put + text.slice(at + gone);
		}, textOf(tokens)),
	);

test(
	"any text: nothing is thrown, no cut matters, and what is taken is what was shown",
	LONG,
	() => {
		const text = fc.oneof(
			{ weight: 4, arbitrary: broken },
			fc.array(fc.constantFrom(...BITS), { maxLength: 12 }).map((bits) => bits.join("")),
			fc.array(fc.constantFrom(...BITS), { maxLength: 12 }).map((bits) => `{"a":${bits.join("")}`),
			fc.string({ unit: "binary" }),
		);
		fc.assert(
			fc.property(text, cuts, (given, places) => {
				const whole = createArgumentsReader();
				whole.push(given);
				const reader = createArgumentsReader();
				for (const piece of piecesOf(given, places)) reader.push(piece);
				expectSame(reader.value, whole.value);
				expect(reader.text()).toBe(given);

				const finished = finishArguments(given);
				const parsed = parsedObject(given);
				if (parsed !== undefined) expectSame(finished, { value: parsed });
				if ("value" in finished) expectSame(reader.value, finished.value);
				else expect(finished.error.length).toBeLessThan(300);
				expect(({} as Record<string, unknown>)["a"]).toBeUndefined();
			}),
			{ ...PARAMETERS, numRuns: RUNS * 4 },
		);
	},
);

test("depth costs no stack", LONG, () => {
	const depth = fc.integer({ min: 1, max: 20_000 });
	fc.assert(
		fc.property(depth, fc.boolean(), cuts, (levels, inArrays, places) => {
			const [open, close] = inArrays ? ["[", "]"] : ['{"a":', "}"];
			const reader = createArgumentsReader();
			const text = `{"a":${open.repeat(levels)}"x"${close.repeat(levels)}}`;
			for (const piece of piecesOf(text, places)) reader.push(piece);
			expect(depthOf(reader.value)).toBe(levels + 1);
			const finished = finishArguments(text);
			expect("value" in finished && depthOf(finished.value)).toBe(levels + 1);
		}),
		{ ...PARAMETERS, numRuns: Math.ceil(RUNS / 40) },
	);
});

function parsedObject(text: string): object | undefined {
	try {
		const value: unknown = JSON.parse(text);
		const isObject = typeof value === "object" && value !== null && !Array.isArray(value);
		return isObject ? value : undefined;
	} catch {
		return undefined;
	}
}

function depthOf(value: unknown): number {
	let levels = 0;
	let inner = value;
	while (typeof inner === "object" && inner !== null) {
		inner = Object.values(inner)[0];
		levels += 1;
	}
	return levels;
}
