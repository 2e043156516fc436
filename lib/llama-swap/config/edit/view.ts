import type { Config } from "../document.ts";
import { refusal } from "../document.ts";

/** What llama-swap makes of a config: every value with its macros expanded. */
export interface View {
	readonly models: ReadonlyMap<unknown, unknown>;
	/** Every top-level entry but `models` and `macros`. */
	readonly settings: ReadonlyMap<unknown, unknown>;
}

type Macros = ReadonlyMap<string, unknown>;

/** llama-swap has no limit; ours stops macros that double one another. */
const MAX_TEXT = 1_000_000;
/** Aliases that repeat one another make a small file endless. */
const MAX_VALUES = 1_000_000;

export function viewOf(config: Config): View {
	const globals = macrosOf(config.data);
	const budget = { values: MAX_VALUES };
	const models = new Map<unknown, unknown>();
	for (const [id, model] of mapOf(config.data.get("models"))) {
		const own = mapOf(model);
		const macros = new Map([["MODEL_ID", String(id)], ...globals, ...macrosOf(own)]);
		const expanded = new Map<unknown, unknown>();
		for (const [key, value] of own) {
			if (key === "macros") continue;
			const text = key === "cmd" || key === "cmdStop" ? withoutComments(value) : value;
			expanded.set(key, expand(text, macros, budget));
		}
		models.set(id, model instanceof Map ? expanded : model);
	}
	const settings = new Map<unknown, unknown>();
	for (const [key, value] of config.data) {
		if (key !== "models" && key !== "macros") settings.set(key, expand(value, globals, budget));
	}
	return { models, settings };
}

/** The paths of all values that are not the same in both. */
export function differences(before: unknown, after: unknown): readonly (readonly unknown[])[] {
	if (before instanceof Map && after instanceof Map) {
		const keys = new Set([...before.keys(), ...after.keys()]);
		return Array.from(keys).flatMap((key) => {
			if (before.has(key) !== after.has(key)) return [[key]];
			return differences(before.get(key), after.get(key)).map((path) => [key, ...path]);
		});
	}
	if (Array.isArray(before) && Array.isArray(after) && before.length === after.length) {
		return before.flatMap((item, at) => differences(item, after[at]).map((path) => [at, ...path]));
	}
	return Object.is(before, after) ? [] : [[]];
}

export function mapOf(value: unknown): ReadonlyMap<unknown, unknown> {
	return value instanceof Map ? value : new Map();
}

function macrosOf(holder: ReadonlyMap<unknown, unknown>): Macros {
	return new Map(Array.from(mapOf(holder.get("macros")), ([name, value]) => [String(name), value]));
}

function withoutComments(value: unknown): unknown {
	if (typeof value !== "string") return value;
	return value
		.split("\n")
		.filter((line) => !line.trimStart().startsWith("#"))
		.join("\n");
}

/** A value that holds itself, which aliases can make, spends the budget too. */
function expand(value: unknown, macros: Macros, budget: { values: number }): unknown {
	if (budget.values-- <= 0) throw refusal("The aliases of the llama-swap config grow without end");
	if (typeof value === "string") return expandText(value, macros);
	if (value instanceof Map) {
		return new Map(Array.from(value, ([key, item]) => [key, expand(item, macros, budget)]));
	}
	return Array.isArray(value) ? value.map((item) => expand(item, macros, budget)) : value;
}

/** The last macro first, as llama-swap does; a value that is nothing but a macro keeps its type. */
function expandText(whole: string, macros: Macros): unknown {
	let current = whole;
	if (!current.includes("${")) return current;
	for (const [name, value] of Array.from(macros).reverse()) {
		const slug = `\${${name}}`;
		if (current === slug && typeof value !== "string") return value;
		const text = String(value);
		if (current.split(slug).length * text.length > MAX_TEXT) {
			throw refusal("The macros of the config grow without end");
		}
		current = current.replaceAll(slug, () => text);
	}
	return current;
}
