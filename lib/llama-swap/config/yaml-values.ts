import { Scalar } from "yaml";

/** A number of the config file. */
export class YamlNumber {
	readonly value: number;
	/** As it is written, which is what a text field gets. */
	readonly written: string;
	/** As a macro puts it into a text. */
	readonly text: string;

	constructor(value: number, written: string, text: string) {
		this.value = value;
		this.written = written;
		this.text = text;
	}
}

const WORDS: ReadonlyMap<string, boolean | null> = new Map([
	...["", "~", "null", "Null", "NULL"].map((word) => [word, null] as const),
	...["true", "True", "TRUE"].map((word) => [word, true] as const),
	...["false", "False", "FALSE"].map((word) => [word, false] as const),
]);

const INTEGER =
	/^([-+]?)(?:0[xX]([\da-fA-F]{1,32})|0[bB]([01]{1,128})|0[oO]?([0-7]{1,64})|(0|[1-9]\d{0,63}))$/;
/** Most numbers are written as they are printed. */
const SMALL = /^(?:0|[1-9]\d{0,14})$/;
const FLOAT = /^[-+]?(?:\.\d+|\d+(?:\.\d*)?)(?:[eE][-+]?\d+)?$/;

/**
 * A scalar as Go's yaml.v3 reads it, which llama-swap uses: underscores in numbers are dropped, then
 * the prefix is the base, a lone 0 among them. Null for what is empty.
 */
export function scalarValue(node: Scalar): string | boolean | null | YamlNumber {
	const { value, source = "", type, tag } = node;
	const isPlain = type === Scalar.PLAIN && tag === undefined;
	const isTagged = tag !== undefined && /^tag:yaml\.org,2002:(?:int|float|bool|null)$/.test(tag);
	if (isPlain || isTagged) {
		const word = WORDS.get(source);
		if (word !== undefined) return word;
		if (/^[-+.\d]/.test(source)) return numberOf(source) ?? source;
	}
	return typeof value === "string" ? value : source;
}

function numberOf(source: string): YamlNumber | undefined {
	const small = SMALL.test(source) ? Number(source) : undefined;
	if (small !== undefined) return new YamlNumber(small, source, source);
	const digits = source.replaceAll("_", "");
	const [, sign, hexadecimal, binary, octal, decimal] = INTEGER.exec(digits) ?? [];
	if (sign !== undefined) {
		const based =
			(hexadecimal && `0x${hexadecimal}`) ?? (binary && `0b${binary}`) ?? (octal && `0o${octal}`);
		const size = BigInt(based ?? decimal ?? 0);
		const whole = sign === "-" ? -size : size;
		return new YamlNumber(Number(whole), source, whole.toString());
	}
	if (!FLOAT.test(digits)) return undefined;
	const value = Number(digits);
	return new YamlNumber(value, source, floatText(value));
}

/** As Go prints a float: with an exponent from a million on, and below 0.0001. */
function floatText(value: number): string {
	const size = Math.abs(value);
	if (size === 0 || (size >= 1e-4 && size < 1e6)) return String(value);
	return value.toExponential().replace(/e([-+])(\d)$/, "e$10$2");
}

/** A map of the config file. */
export function asMap(value: unknown): ReadonlyMap<string, unknown> | undefined {
	return value instanceof Map ? value : undefined;
}

/** A scalar as text, the way Go fills a text field. */
export function asText(value: unknown): string | undefined {
	if (typeof value === "string") return value;
	if (value instanceof YamlNumber) return value.written;
	return typeof value === "boolean" || typeof value === "number" ? String(value) : undefined;
}

/** The texts of a list; what is none is left out. */
export function asTexts(value: unknown): readonly string[] {
	if (!Array.isArray(value)) return [];
	return value.flatMap((item) => asText(item) ?? []);
}

export function asWholeNumber(value: unknown): number | undefined {
	const number = value instanceof YamlNumber ? value.value : value;
	return typeof number === "number" && Number.isSafeInteger(number) ? number : undefined;
}
