import type { ExtensionContext } from "@earendil-works/pi-coding-agent";
import type { AutocompleteItem } from "@earendil-works/pi-tui";
import type { ServerModel } from "../discovery/merge.ts";
import { AiServerError } from "../lib/errors.ts";
import {
	CONTEXT_SIZES,
	type ContextSize,
	matchingSizes,
	parseContextSize,
} from "./context-size.ts";
import { completeModels, pickModel } from "./model-picker.ts";

/** An argument by its place: the id of a model, a context size, any other word. */
export interface Positional {
	readonly kind: "model" | "size" | "word";
	/** Asked above a list when it is missing; "<id>" stands for that argument. Without it: optional. */
	readonly question?: string;
	/** The flag that takes its place: "all". */
	readonly unless?: string;
}

/** `--name`, true when it was typed. */
export interface Flag {
	readonly kind: "flag";
}

/** A command's arguments by name, in the order in which they are typed. */
export type Arguments = Readonly<Record<string, Positional | Flag>>;

type Kinds = { readonly model: string; readonly size: ContextSize; readonly word: string };

type ValueOf<A extends Positional | Flag> = A extends Positional
	? A extends { readonly question: string; readonly unless?: never }
		? Kinds[A["kind"]]
		: Kinds[A["kind"]] | undefined
	: boolean;

/** What a command gets for its arguments. */
export type Values<A extends Arguments> = { readonly [Name in keyof A]: ValueOf<A[Name]> };

type Value = string | ContextSize | boolean | undefined;

/** The values by name, before they are known to be complete. */
export type TypedValues = Readonly<Record<string, Value>>;

export interface Typed {
	readonly values: TypedValues;
	/** True for `--yes`: go ahead without a question. */
	readonly yes: boolean;
}

/** "<id> | --all", "[id]": what follows a command's name. */
export function describeArguments(declared: Arguments): string {
	const alternatives = positionals(declared).map(([, { unless }]) => unless);
	return Object.entries(declared)
		.flatMap(([name, argument]) => {
			if (argument.kind === "flag") return alternatives.includes(name) ? [] : [`[--${name}]`];
			if (argument.question === undefined) return [`[${name}]`];
			return argument.unless === undefined ? [`<${name}>`] : [`<${name}> | --${argument.unless}`];
		})
		.join(" ");
}

/** The same as it would be typed: "small-talk-1B 65536". */
export function printArguments(declared: Arguments, values: TypedValues): string {
	return Object.entries(declared)
		.flatMap(([name, { kind }]) => {
			const value = values[name];
			if (value === undefined || value === false) return [];
			return [kind === "flag" ? `--${name}` : String(value)];
		})
		.join(" ");
}

/** Reads what was typed. Throws AiServerError "usage"; `usage` is the whole line to type. */
export function parseArguments(declared: Arguments, typed: string, usage: string): Typed {
	const words = typed.split(/\s+/).filter((word) => word !== "");
	const options = words.filter((word) => word.startsWith("--"));
	const wrong = (message: string): never => {
		throw new AiServerError("usage", message, { hint: `Usage: ${usage}` });
	};
	const values: Record<string, Value> = {};
	for (const [name, { kind }] of Object.entries(declared)) {
		if (kind === "flag") values[name] = options.includes(`--${name}`);
	}
	for (const option of options) {
		const isKnown = option === "--yes" || typeof values[option.slice(2)] === "boolean";
		if (!isKnown) wrong(`Unknown option: ${option}`);
	}
	const expected = positionals(declared);
	const given = placed(
		words.filter((word) => !word.startsWith("--")),
		expected.length,
	);
	if (given.length > expected.length) wrong(`Unexpected argument: ${given[expected.length]}`);
	expected.forEach(([name, { kind, unless = "" }], at) => {
		const word = given[at];
		if (word === undefined) return;
		if (values[unless] === true) wrong(`Either <${name}> or --${unless}, not both`);
		values[name] = kind === "size" ? toSize(word) : word;
	});
	return { values, yes: options.includes("--yes") };
}

/** One text for each argument: what is too much belongs to the first, as ids may have blanks. */
function placed(words: readonly string[], count: number): readonly string[] {
	const more = words.length - count;
	if (count === 0 || more <= 0) return words;
	return [words.slice(0, more + 1).join(" "), ...words.slice(more + 1)];
}

function toSize(word: string): ContextSize {
	const size = parseContextSize(word);
	if (size !== undefined) return size;
	throw new AiServerError("usage", `${word} is not a context size`, {
		hint: "Write it as 65536, 64k or max",
	});
}

/**
 * Lets the user pick what is missing, where pi can show a list; undefined when the user picks
 * nothing. Throws AiServerError "usage" where it cannot.
 */
export async function pickMissing(
	declared: Arguments,
	values: TypedValues,
	models: readonly ServerModel[],
	usage: string,
	{ mode, ui }: Pick<ExtensionContext, "mode" | "ui">,
): Promise<TypedValues | undefined> {
	const picked: Record<string, Value> = { ...values };
	for (const [name, { kind, question, unless = "" }] of positionals(declared)) {
		if (picked[name] !== undefined || question === undefined || picked[unless] === true) continue;
		if (mode !== "tui" || kind === "word") {
			throw new AiServerError("usage", `Which ${kind === "word" ? name : kind}?`, {
				hint: `Usage: ${usage}`,
			});
		}
		const title = question.replace(/<(\w+)>/g, (_, other: string) => String(picked[other]));
		const answer =
			kind === "model"
				? await pickModel(models, title, { ui })
				: await ui.select(title, [...CONTEXT_SIZES]);
		if (answer === undefined) return undefined;
		picked[name] = kind === "size" ? toSize(answer) : answer;
	}
	return picked;
}

/**
 * Items for pi's completion popup; null closes it. pi hands over all that was typed behind the
 * command, filters nothing itself, and replaces all of it by the item that is chosen.
 */
export function completeArguments(
	declared: Arguments,
	typed: string,
	models: readonly ServerModel[],
): AutocompleteItem[] | null {
	const before = typed.slice(0, typed.lastIndexOf(" ") + 1);
	const word = typed.slice(before.length);
	const place = before.split(" ").filter((part) => part !== "" && !part.startsWith("--")).length;
	const items = word.startsWith("-")
		? completeFlags(declared, word)
		: completeWord(positionals(declared)[place]?.[1].kind, word, models);
	return items.length === 0
		? null
		: items.map((item) => ({ ...item, value: `${before}${item.value}` }));
}

function completeFlags(declared: Arguments, word: string): readonly AutocompleteItem[] {
	return Object.entries(declared)
		.filter(([name, { kind }]) => kind === "flag" && `--${name}`.startsWith(word))
		.map(([name]) => ({ value: `--${name}`, label: `--${name}` }));
}

function completeWord(
	kind: Positional["kind"] | undefined,
	word: string,
	models: readonly ServerModel[],
): readonly AutocompleteItem[] {
	switch (kind) {
		case "model":
			return completeModels(models, word);
		case "size":
			return matchingSizes(word).map(({ size, description }) => ({
				value: size,
				label: size,
				description,
			}));
		case "word":
		case undefined:
			return [];
	}
}

function positionals(declared: Arguments): readonly (readonly [string, Positional])[] {
	return Object.entries(declared).flatMap(([name, argument]) =>
		argument.kind === "flag" ? [] : [[name, argument] as const],
	);
}
