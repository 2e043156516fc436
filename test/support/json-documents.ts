import fc from "fast-check";

// A document is kept as the tokens it is printed in, so that any way to write a value can come up.

export interface Token {
	readonly kind: "blank" | "mark" | "key" | "string" | "word";
	/** As it is sent. */
	readonly text: string;
	/** As JSON wants it; another text only where `text` holds a slip that models make. */
	readonly strict: string;
}

export type Tokens = readonly Token[];

/** A part of a string: as it is written, and what it stands for. */
export type Letter = readonly [written: string, meant: string];

const MARKS: Readonly<Record<string, Token>> = Object.fromEntries(
	[..."{}[],:"].map((text) => [text, { kind: "mark", text, strict: text }]),
);
const mark = (text: string): Token => MARKS[text]!;
const hex = (unit: number): string => unit.toString(16).padStart(4, "0");
const unicode = (unit: number): string => `\\u${hex(unit)}`;

const plainLetter = fc
	.oneof(
		{ weight: 3, arbitrary: fc.constantFrom(..."{}[],:u09aF-tn/ é漢") },
		{
			weight: 2,
			arbitrary: fc.integer({ min: 0x20, max: 0xffff }).map((u) => String.fromCharCode(u)),
		},
		fc.constantFrom("🎉", "\ud83c", "\udf89", "\u007f", "\u2028", "\ufeff", "\u00a0"),
	)
	.filter((text) => text !== '"' && text !== "\\")
	.map((text): Letter => [text, text]);
const escapedLetter = fc.oneof(
	fc.constantFrom<Letter>(
		...(['\\"', "\\\\", "\\/", "\\b", "\\f", "\\n", "\\r", "\\t"].map((text) => [
			text,
			JSON.parse(`"${text}"`),
		]) as Letter[]),
	),
	fc.tuple(fc.integer({ min: 0, max: 0xffff }), fc.boolean()).map(([unit, upper]): Letter => {
		const digits = hex(unit);
		return [`\\u${upper ? digits.toUpperCase() : digits}`, String.fromCharCode(unit)];
	}),
	// A surrogate pair, both halves or only one of them escaped.
	fc.constantFrom<Letter>(
		[`${unicode(0xd83c)}${unicode(0xdf89)}`, "🎉"],
		[`${unicode(0xd83c)}\udf89`, "🎉"],
		[`\ud83c${unicode(0xdf89)}`, "🎉"],
	),
);
/** What models write though JSON forbids it: control characters, backslashes that start no escape. */
const slippedLetter = fc.oneof(
	fc
		.integer({ min: 0, max: 0x1f })
		.map((unit): Letter => [String.fromCharCode(unit), String.fromCharCode(unit)]),
	fc
		.constantFrom("\\d", "\\w", "\\ ", "\\é", "\\\n", "\\uz", "\\u12.", "\\u123 ", "\\u\n")
		.map((text): Letter => [text, text]),
);
/** What JSON allows in a string. */
export const STRICT: fc.Arbitrary<Letter> = fc.oneof(plainLetter, escapedLetter);
/** The same, and slips. */
export const LOOSE: fc.Arbitrary<Letter> = fc.oneof(
	{ weight: 4, arbitrary: STRICT },
	slippedLetter,
);

const quoted = (kind: "key" | "string", letters: readonly Letter[]): Token => ({
	kind,
	text: `"${letters.map(([written]) => written).join("")}"`,
	strict: JSON.stringify(letters.map(([, meant]) => meant).join("")),
});
/** Keys that JavaScript treats in ways of their own, and some that it does not. */
export const NAMES: readonly string[] = [
	"path",
	"content",
	"",
	"__proto__",
	"constructor",
	"toString",
	"7",
	"01",
	"a",
];
const keyOf = (letter: fc.Arbitrary<Letter>): fc.Arbitrary<Token> =>
	fc.oneof(
		fc.tuple(fc.constantFrom(...NAMES), fc.boolean()).map(([name, escaped]) =>
			quoted(
				"key",
				[...name].map((one) => [escaped ? unicode(one.charCodeAt(0)) : one, one]),
			),
		),
		fc.array(letter, { maxLength: 4 }).map((letters) => quoted("key", letters)),
	);
const word = fc
	.oneof(
		fc.constantFrom("true", "false", "null", "-0", "0", "1E400", "-1e-400", "9007199254740993"),
		fc.stringMatching(/^-?(0|[1-9][0-9]{0,20})(\.[0-9]{1,5})?([eE][+-]?[0-9]{1,3})?$/),
	)
	.map((text): Token => ({ kind: "word", text, strict: text }));

const between = (items: readonly Tokens[]): Tokens =>
	items.flatMap((item, at) => (at === 0 ? item : [mark(","), ...item]));

export interface Writing {
	readonly letter: fc.Arbitrary<Letter>;
	/** False: no object has a key twice. */
	readonly again: boolean;
}

/** The tokens of any JSON object. */
export function objectOf({ letter, again }: Writing): fc.Arbitrary<Tokens> {
	const nameOf = ({ strict }: Token): string => JSON.parse(strict) as string;
	const { object } = fc.letrec<{ value: Tokens; array: Tokens; object: Tokens }>((tie) => ({
		value: fc.oneof(
			{ depthSize: "small", withCrossShrink: true },
			word.map((token) => [token]),
			fc.array(letter, { maxLength: 8 }).map((letters) => [quoted("string", letters)]),
			tie("array"),
			tie("object"),
		),
		array: fc
			.array(tie("value"), { maxLength: 5 })
			.map((items) => [mark("["), ...between(items), mark("]")]),
		object: fc
			.uniqueArray(fc.tuple(keyOf(letter), tie("value")), {
				maxLength: 5,
				selector: ([key]): unknown => (again ? Symbol() : nameOf(key)),
			})
			.map((entries) => {
				const written = entries.map(([key, value]) => [key, mark(":"), ...value]);
				return [mark("{"), ...between(written), mark("}")];
			}),
	}));
	const blanks = fc.array(fc.stringMatching(/^[ \t\r\n]{0,3}$/), { minLength: 1, maxLength: 7 });
	return fc.tuple(object, blanks).map(([tokens, gaps]) => {
		const spaced: Tokens = [...tokens, undefined].flatMap((token, at) => {
			const text = gaps[at % gaps.length]!;
			const blank: Token = { kind: "blank", text, strict: text };
			return token === undefined ? [blank] : [blank, token];
		});
		return Object.assign(spaced, { [fc.toStringMethod]: () => JSON.stringify(textOf(spaced)) });
	});
}

export const textOf = (tokens: Tokens): string => tokens.map(({ text }) => text).join("");

/**
 * What tokens mean, by JSON.parse; keys go through it as hex digits, since it mixes up those that
 * hold escapes (nodejs/node#63785). `closing` is what the tokens lack.
 */
export function meaningOf(tokens: Tokens, closing = ""): unknown {
	const coded = tokens.map(({ kind, strict }) => {
		if (kind !== "key") return strict;
		const units = (JSON.parse(strict) as string).split("");
		return `"k${units.map((unit) => hex(unit.charCodeAt(0))).join("")}"`;
	});
	return copyOf(JSON.parse(`${coded.join("")}${closing}`.trim() || "{}"), (key) =>
		key.slice(1).replace(/.{4}/g, (digits) => String.fromCharCode(Number.parseInt(digits, 16))),
	);
}

/** As structuredClone, which would lose an own `__proto__`. */
export function copyOf(value: unknown, nameOf = (key: string): string => key): unknown {
	if (Array.isArray(value)) return value.map((item) => copyOf(item, nameOf));
	if (typeof value !== "object" || value === null) return value;
	const copy = {};
	for (const [key, item] of Object.entries(value)) {
		Object.defineProperty(copy, nameOf(key), {
			value: copyOf(item, nameOf),
			enumerable: true,
			writable: true,
			configurable: true,
		});
	}
	return copy;
}
