/** Tokens; "max" stands for what the model was trained for. */
export type ContextSize = number | "max";

/** What the list offers. */
export const CONTEXT_SIZES: readonly string[] = "4k 8k 16k 32k 64k 128k 256k 512k 1m max".split(
	" ",
);

/** Reads "65536", "64k", "1m" or "max"; k is 1024, as in model cards. Undefined for anything else. */
export function parseContextSize(text: string): ContextSize | undefined {
	if (/^max$/i.test(text)) return "max";
	const [, digits, unit = ""] = /^(\d{1,10})([km]?)$/i.exec(text) ?? [];
	if (digits === undefined) return undefined;
	const factor = { "": 1, k: 1024, m: 1024 ** 2 }[unit.toLowerCase() as "" | "k" | "m"];
	const size = Number(digits) * factor;
	return size > 0 && size < 2 ** 31 ? size : undefined;
}

/** The sizes that what was typed may become, in either spelling, with what each means. */
export function matchingSizes(
	typed: string,
): readonly { readonly size: string; readonly description: string }[] {
	return CONTEXT_SIZES.filter(
		(size) =>
			size.startsWith(typed.toLowerCase()) || String(parseContextSize(size)).startsWith(typed),
	).map((size) => ({
		size,
		description: size === "max" ? "what it was trained for" : `${parseContextSize(size)} tokens`,
	}));
}
