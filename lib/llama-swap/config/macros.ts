import { AiServerError } from "../../errors.ts";

/** A macro's name is at most 63 characters; `${env.X}` is none, and stays. */
const REFERENCE = /\$\{([\w-]{1,63})\}/g;
/** Macros in macros; llama-swap's limit is their order, ours a depth. */
const MACRO_DEPTH = 64;
/** Maps and lists in each other. */
const VALUE_DEPTH = 64;
/** An item of a map or list takes about as long as so many characters. */
const ITEM_COST = 16;

/** Characters and values that expanding one file may still make: macros in macros can explode. */
export interface ExpansionBudget {
	left: number;
}

export function expansionBudget(): ExpansionBudget {
	return { left: 2 ** 26 };
}

export interface Expander {
	/** Maps and lists are expanded within; keys are not, as in llama-swap. */
	value(value: unknown): unknown;
	text(text: string): string;
}

/**
 * Puts in macros; the first layer that has a name wins. A string that is nothing but `${name}`
 * takes the macro's own type. What is unknown, or refers to itself, stays as it is written.
 * Throws AiServerError "config" when the result grows out of all proportion.
 */
export function expander(
	layers: readonly ReadonlyMap<string, unknown>[],
	budget: ExpansionBudget,
): Expander {
	// Undefined for a macro that is being expanded: in a circle, the reference stays.
	const known = new Map<string, unknown>();

	const macro = (name: string, depth: number): unknown => {
		if (known.has(name)) return known.get(name);
		const layer = layers.find((candidate) => candidate.has(name));
		if (layer === undefined || depth > MACRO_DEPTH) return undefined;
		known.set(name, undefined);
		const written = layer.get(name);
		const value = typeof written === "string" ? expand(written, depth + 1) : written;
		known.set(name, value);
		return value;
	};
	const expand = (text: string, depth: number): unknown => {
		if (!text.includes("${")) return text;
		const whole = /^\$\{([\w-]{1,63})\}$/.exec(text)?.[1];
		if (whole !== undefined) return macro(whole, depth) ?? text;
		const expanded = text.replace(REFERENCE, (reference, name) => {
			const value = String(macro(name, depth) ?? reference);
			spend(budget, value.length);
			return value;
		});
		spend(budget, expanded.length);
		return expanded;
	};
	// What an anchor shares is expanded once, so aliases of aliases cannot explode.
	const walked = new Map<object, unknown>();
	const walk = (value: unknown, depth: number): unknown => {
		if (typeof value === "string") return expand(value, 0);
		if (typeof value !== "object" || value === null || depth > VALUE_DEPTH) return value;
		const before = walked.get(value);
		if (before !== undefined) return before;
		const after = within(value, (item) => walk(item, depth + 1));
		walked.set(value, after);
		return after;
	};
	const within = (value: object, inner: (item: unknown) => unknown): unknown => {
		if (!(value instanceof Map || Array.isArray(value))) return value;
		spend(budget, ITEM_COST * ("size" in value ? value.size : value.length));
		if (Array.isArray(value)) return value.map(inner);
		return new Map(Array.from(value, ([key, item]) => [key, inner(item)]));
	};
	return { value: (value) => walk(value, 0), text: (text) => String(expand(text, 0)) };
}

function spend(budget: ExpansionBudget, amount: number): void {
	budget.left -= amount;
	if (budget.left >= 0) return;
	throw new AiServerError("config", "The macros of the llama-swap config expand without end", {
		hint: "Look for macros that contain each other several times",
	});
}
