import { isAlias, isMap, isScalar, type Scalar } from "yaml";
import {
	type Config,
	childMap,
	entryOf,
	keyText,
	lineOf,
	type Model,
	offsetOf,
	ownEntries,
	refusal,
	resolve,
} from "../document.ts";
import {
	type Origin,
	replaceMacro,
	splitWords,
	type Traced,
	textOf,
	traceScalar,
	untraced,
	withoutCommentLines,
} from "./source-map.ts";

/** A model's command, every character with its place in the file. */
export interface Command {
	readonly origin: Origin;
	/** As written in the cmd. */
	readonly raw: Traced;
	/** Macros expanded, except PORT, PID and the environment's. */
	readonly expanded: Traced;
	readonly words: readonly Traced[];
	readonly line: number;
}

/** llama-swap has no limit; ours stops macros that double one another. */
const MAX_EXPANDED = 1_000_000;

/** Throws AiServerError "config" for a cmd that this model does not own, or that is no text. */
export function commandOf(config: Config, model: Model): Command {
	const entry = entryOf(config, model.node, "cmd");
	if (entry === undefined) throw refusal(`${model.id} has no cmd`, { line: model.line });
	const line = lineOf(config, offsetOf(entry.key));
	if (entry.merged) {
		throw refusal(`${model.id} takes its cmd from a merge key, so others may share it`, {
			line,
			hint: `Give ${model.id} a cmd of its own in config.yaml`,
		});
	}
	const node = resolve(config, entry.value);
	if (!isScalar(node)) {
		throw refusal(`The cmd of ${model.id} is a list or a map, and llama-swap takes only text`, {
			line,
		});
	}
	const anchor = isAlias(entry.value) ? entry.value.source : node.anchor;
	const origin = { name: anchor === undefined ? "its cmd" : `the anchor "${anchor}"`, node };
	const raw = typeof node.value === "string" ? traceScalar(config.yaml, origin) : undefined;
	if (raw === undefined) throw refusal(`The cmd of ${model.id} is no plain text`, { line });
	const expanded = expandMacros(config, model, withoutCommentLines(raw));
	const words = splitWords(expanded);
	if (words.length === 0) throw refusal(`The cmd of ${model.id} is empty`, { line });
	return { origin, raw, expanded, words, line };
}

/** The text of any scalar of a model, macros expanded; undefined for what is no text. */
export function expandedScalar(config: Config, model: Model, value: unknown): Traced | undefined {
	const node = resolve(config, value);
	if (!isScalar(node)) return undefined;
	const raw = traceScalar(config.yaml, { name: "", node });
	return raw && expandMacros(config, model, raw);
}

/**
 * Macros as llama-swap expands them: the last one first, so that one may use those before it; a
 * model's own in the place of the global one with the same name. Every character is a new object.
 */
function expandMacros(config: Config, model: Model, text: Traced): Traced {
	let chars = text;
	for (const [name, origin] of [...macrosFor(config, model)].reverse()) {
		const slug = `\${${name}}`;
		if (!textOf(chars).includes(slug)) continue;
		const value = traceScalar(config.yaml, origin);
		if (value === undefined) {
			const line = lineOf(config, offsetOf(origin.node));
			throw refusal(`The value of ${origin.name} cannot be followed`, { line });
		}
		if (textOf(chars).split(slug).length * value.length > MAX_EXPANDED) {
			throw refusal(`The macros of ${model.id} grow without end`);
		}
		chars = replaceMacro(chars, name, value);
	}
	return replaceMacro(chars, "MODEL_ID", untraced(model.id)).map((char) => ({ ...char }));
}

function macrosFor(config: Config, model: Model): ReadonlyMap<string, Origin> {
	return new Map([
		...macrosIn(config, config.root, (name) => `the global macro "${name}"`),
		...macrosIn(config, model.node, (name) => `the macro "${name}" of ${model.id}`),
	]);
}

function macrosIn(
	config: Config,
	holder: unknown,
	title: (name: string) => string,
): readonly (readonly [string, Origin])[] {
	const macros = isMap(holder) ? childMap(config, holder, "macros") : undefined;
	return (macros === undefined ? [] : ownEntries(macros)).flatMap(({ key, value }) => {
		const node: unknown = resolve(config, value);
		const name = keyText(key);
		return isScalar(node) ? [[name, { name: title(name), node: node as Scalar }] as const] : [];
	});
}
