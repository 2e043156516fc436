import type { Scalar } from "yaml";
import { AiServerError } from "../../errors.ts";
import { commandLines } from "../../llama-server/shell-words.ts";
import { shownValue } from "./document.ts";
import { YamlNumber } from "./yaml-values.ts";

/** A scalar that a text is made of: a cmd, a macro. */
export interface Origin {
	/** As a person would call it: `the global macro "ctx"`. */
	readonly name: string;
	readonly node: Scalar;
}

/** A part of a text that is one part of a scalar. */
export interface Piece {
	/** Where it is in the text. */
	readonly from: number;
	readonly to: number;
	readonly origin: Origin;
	/** Where it begins in the scalar's own text; undefined for a number that is written otherwise. */
	readonly start: number | undefined;
}

/** A text with macros put in, and the scalars it comes from. */
export interface Composed {
	readonly text: string;
	readonly pieces: readonly Piece[];
}

export interface Macro {
	/** Undefined for one that stays as it is written. */
	readonly value: unknown;
	/** The value as a text, with no macros put into it yet. */
	readonly written: Composed;
}

/** A text that is written nowhere in the file. */
export function unwritten(text: string): Composed {
	return { text, pieces: [] };
}

/** A macro's name is at most 63 characters; `${env.X}` is none, and stays. */
const REFERENCE = /\$\{([\w-]{1,63})\}/y;
/** Macros in macros; llama-swap's limit is their order, ours a depth. */
const MAX_MACRO_DEPTH = 64;
/** Maps and lists in each other. */
const MAX_VALUE_DEPTH = 64;
/** Characters and values that expanding one file may make: macros in macros can explode. */
const MAX_EXPANDED = 2 ** 26;
/** An item of a map or list takes about as long as so many characters. */
const ITEM_COST = 16;

/** What expanding one file may still make. */
export interface ExpansionBudget {
	left: number;
}

export function expansionBudget(): ExpansionBudget {
	return { left: MAX_EXPANDED };
}

/** The text of a scalar, all of it one piece. Empty for a scalar without a value. */
export function scalarText(origin: Origin): Composed {
	const value = shownValue(origin.node);
	const text = value instanceof YamlNumber ? value.text : String(value ?? "");
	const isWritten = !(value instanceof YamlNumber) || value.text === value.written;
	const start = isWritten ? 0 : undefined;
	return { text, pieces: [{ from: 0, to: text.length, origin, start }] };
}

/** A command without the lines that begin with "#", which go before macros are put in. */
export function withoutComments(composed: Composed): Composed {
	if (!composed.text.includes("#")) return composed;
	const kept = new Composer();
	for (const [at, [start, end]] of commandLines(composed.text).entries()) {
		if (at > 0) kept.add("\n", []);
		kept.addPart(composed, start, end);
	}
	return kept;
}

class Composer implements Composed {
	text = "";
	readonly pieces: Piece[] = [];

	add(text: string, pieces: readonly Piece[]): void {
		const shift = this.text.length;
		for (const piece of pieces) {
			this.pieces.push({ ...piece, from: piece.from + shift, to: piece.to + shift });
		}
		this.text += text;
	}

	addPart({ text, pieces }: Composed, from: number, to: number): void {
		const shift = this.text.length - from;
		for (const piece of pieces) {
			const first = Math.max(piece.from, from);
			const end = Math.min(piece.to, to);
			// A number that is written otherwise counts as a whole, or not at all.
			if (first >= end || (piece.start === undefined && end - first < piece.to - piece.from))
				continue;
			const start = piece.start === undefined ? undefined : piece.start + first - piece.from;
			this.pieces.push({ from: first + shift, to: end + shift, origin: piece.origin, start });
		}
		this.text += text.slice(from, to);
	}
}

/**
 * Puts macros in. What is unknown, or refers to itself, stays
 * as it is written. Throws AiServerError "config" when the result grows out of all proportion.
 */
export class Expander {
	readonly #find: (name: string) => Macro | undefined;
	readonly #budget: ExpansionBudget;
	/** Undefined for a macro that is being expanded: in a circle, the reference stays. */
	readonly #known = new Map<string, Composed | undefined>();
	// What an anchor shares is expanded once, so aliases of aliases cannot explode.
	readonly #walked = new Map<object, unknown>();

	constructor(find: (name: string) => Macro | undefined, budget: ExpansionBudget) {
		this.#find = find;
		this.#budget = budget;
	}

	text(composed: Composed): Composed {
		return this.#expand(composed, 0);
	}

	/**
	 * Maps and lists are expanded within; keys are not, as in llama-swap. A string that is nothing
	 * but `${name}` takes the macro's own type.
	 */
	value(value: unknown): unknown {
		return this.#walk(value, 0);
	}

	#walk(value: unknown, depth: number): unknown {
		if (typeof value === "string") return this.#typed(value);
		const isPlain = !(value instanceof Map || Array.isArray(value));
		if (isPlain || depth > MAX_VALUE_DEPTH) return value;
		const before = this.#walked.get(value);
		if (before !== undefined) return before;
		this.#spend(ITEM_COST * (Array.isArray(value) ? value.length : value.size));
		const after = Array.isArray(value)
			? value.map((item) => this.#walk(item, depth + 1))
			: new Map(Array.from(value, ([key, item]) => [key, this.#walk(item, depth + 1)]));
		this.#walked.set(value, after);
		return after;
	}

	#typed(text: string): unknown {
		if (!text.includes("${")) return text;
		const name = /^\$\{([\w-]{1,63})\}$/.exec(text)?.[1];
		const value = name === undefined ? undefined : this.#find(name)?.value;
		if (value !== undefined && typeof value !== "string") return value;
		return this.#expand(unwritten(text), 0).text;
	}

	#macro(name: string, depth: number): Composed | undefined {
		if (this.#known.has(name)) return this.#known.get(name);
		const macro = this.#find(name);
		const value = macro?.value ?? undefined;
		if (macro === undefined || value === undefined || depth > MAX_MACRO_DEPTH) return undefined;
		this.#known.set(name, undefined);
		const expanded = this.#expand(macro.written, depth + 1);
		this.#known.set(name, expanded);
		return expanded;
	}

	#expand(composed: Composed, depth: number): Composed {
		if (!composed.text.includes("${")) return composed;
		const { text } = composed;
		const result = new Composer();
		let from = 0;
		for (let at = text.indexOf("${"); at >= 0; at = text.indexOf("${", at + 1)) {
			REFERENCE.lastIndex = at;
			const [reference = "", name = ""] = REFERENCE.exec(text) ?? [];
			const macro = name === "" ? undefined : this.#macro(name, depth);
			if (macro === undefined) continue;
			this.#spend(macro.text.length + macro.pieces.length);
			result.addPart(composed, from, at);
			result.add(macro.text, macro.pieces);
			from = at + reference.length;
		}
		if (from === 0) return composed;
		result.addPart(composed, from, composed.text.length);
		this.#spend(result.text.length);
		return result;
	}

	#spend(amount: number): void {
		this.#budget.left -= amount;
		if (this.#budget.left >= 0) return;
		throw new AiServerError("config", "The macros of the llama-swap config expand without end", {
			hint: "Look for macros that contain each other several times",
		});
	}
}
