import { isScalar } from "yaml";
import { AiServerError } from "../../../errors.ts";
import {
	type Config,
	childMap,
	entryOf,
	findModel,
	lineOf,
	type Model,
	offsetOf,
	openConfig,
	refusal,
	resolve,
} from "../document.ts";
import { type Command, commandOf, expandedScalar } from "./command.ts";
import {
	flagName,
	flagText,
	flagVariable,
	isReplaceable,
	lastValue,
	numberIn,
	type PresetFlag,
	serverArguments,
} from "./flag.ts";
import { type Intent, proveOnlyChange } from "./proof.ts";
import { type Traced, textOf } from "./source-map.ts";
import { appendWords, applySplices, changedLines, type LineChange, type Splice } from "./splice.ts";
import { mapOf, type View, viewOf } from "./view.ts";

export type { PresetFlag } from "./flag.ts";
export type { LineChange } from "./splice.ts";

export interface ConfigEdit {
	/** The whole new text; the old one where the value is there already. */
	readonly yaml: string;
	/** The model's id, where an alias of it was given. */
	readonly id: string;
	/** Undefined where the flag was absent, or was no number. */
	readonly before: number | undefined;
	readonly after: number;
	/** Every line that differs, for a person to confirm. */
	readonly changes: readonly LineChange[];
	/** What else of the model now states the new number: `capabilities.context`. */
	readonly kept: readonly string[];
	/** What still states another context size: `metadata.n_ctx`. */
	readonly left: readonly string[];
}

/**
 * Sets one flag in one model's command in llama-swap's config.yaml. Only the digits change, or the
 * flag is added; every other byte stays. The number may stand in a macro or behind an anchor that
 * nothing else uses; the model's own statements of the same context size change along. The new text
 * is read again and compared before it is returned. Throws nothing but AiServerError "config": for
 * whatever cannot be done with certainty, with the line and a hint.
 */
export function setPresetKey(
	yaml: string,
	id: string,
	flag: PresetFlag,
	value: number,
): ConfigEdit {
	const text = flagText(flag, value);
	try {
		return edit(openConfig(yaml), { id, flag, value, text });
	} catch (error) {
		if (error instanceof AiServerError) throw error;
		// The parser gives up in its own words on aliases that explode, and on the stack's end.
		const reason = error instanceof RangeError ? "it is nested without end" : messageOf(error);
		throw refusal(`The llama-swap config cannot be followed: ${reason}`, { cause: error });
	}
}

function messageOf(error: unknown): string {
	return error instanceof Error ? error.message : String(error);
}

interface Wish {
	readonly id: string;
	readonly flag: PresetFlag;
	readonly value: number;
	readonly text: string;
}

/** The edit of the command itself; its statements may follow. */
interface Plan {
	readonly model: Model;
	readonly splice: Splice;
	readonly intent: Intent;
	readonly before: number | undefined;
	/** What the command must read afterwards, where that is known to the letter. */
	readonly expected: string | undefined;
}

function edit(config: Config, wish: Wish): ConfigEdit {
	const model = findModel(config, wish.id);
	const command = commandOf(config, model);
	const args = serverArguments(command.words);
	if (args.kind === "unclear") {
		throw refusal(
			`${model.id} is started by ${args.program}, and which options are the server's own is unclear`,
			{ line: command.line },
		);
	}
	const current = lastValue(args.words, wish.flag);
	const view = viewOf(config);
	if (current !== undefined && numberIn(textOf(current)) === wish.value) {
		const left = wish.flag === "ctx-size" ? otherSizes(view, model, wish.value) : [];
		const same = { yaml: config.yaml, id: model.id, before: wish.value, after: wish.value };
		return { ...same, changes: [], kept: [], left };
	}
	const plan =
		current === undefined
			? planAdding(config, model, command, view, args.script, wish)
			: planReplacing(config, model, command, current, wish);
	return carryOut(config, view, plan, wish);
}

function planReplacing(
	config: Config,
	model: Model,
	{ expanded, line: cmdLine }: Command,
	current: Traced,
	{ flag, value, text }: Wish,
): Plan {
	const name = flagName(flag);
	const written = textOf(current);
	const first = current[0];
	const last = current.at(-1);
	const line = first === undefined || first.start < 0 ? cmdLine : lineOf(config, first.start);
	const variable = /\$\{env\.([^}]*)\}/.exec(written)?.[1];
	if (variable !== undefined) {
		throw refusal(`${name} of ${model.id} is the environment variable ${variable}`, {
			line,
			hint: `Change ${variable} where the service gets it from`,
		});
	}
	const macro = /\$\{([^}]*)\}/.exec(written)?.[1];
	if (macro !== undefined) {
		throw refusal(`${name} of ${model.id} is the macro "${macro}", which nothing defines`, {
			line,
		});
	}
	if (first?.origin === undefined || last === undefined || !isOnePiece(current)) {
		const reason =
			written === "" ? "has no value" : `"${written}" is put together from several places`;
		throw refusal(`${name} of ${model.id} ${reason}`, { line });
	}
	if (!isReplaceable(flag, written)) {
		throw refusal(`${name} of ${model.id} is followed by "${written}", which is no number`, {
			line,
		});
	}
	const from = expanded.indexOf(first);
	const to = expanded.indexOf(last) + 1;
	return {
		model,
		splice: { start: first.start, end: last.end, text },
		intent: { flag: name, model, origin: first.origin, line, added: 0, value },
		before: numberIn(written),
		expected: textOf(expanded.slice(0, from)) + text + textOf(expanded.slice(to)),
	};
}

function planAdding(
	config: Config,
	model: Model,
	command: Command,
	view: View,
	script: boolean,
	{ flag, value, text }: Wish,
): Plan {
	const name = flagName(flag);
	refuseVariable(config, model, command, view, flag);
	const splice = script ? undefined : appendWords(config.yaml, command, `${name} ${text}`);
	if (splice === undefined) {
		throw refusal(`${model.id} is started by a shell script without ${name}`, {
			line: command.line,
			hint: `Add ${name} ${text} to its cmd by hand`,
		});
	}
	const intent = { flag: name, model, origin: command.origin, line: command.line, added: 2, value };
	return { model, splice, intent, before: undefined, expected: undefined };
}

/** A flag that is added would silently beat the variable that has set the number until now. */
function refuseVariable(
	config: Config,
	model: Model,
	command: Command,
	view: View,
	flag: PresetFlag,
): void {
	const variable = flagVariable(flag);
	if (variable === undefined) return;
	const hint = `Change ${variable} there, or remove it first`;
	if (command.words.some((word) => textOf(word).startsWith(`${variable}=`))) {
		const reason = `${flagName(flag)} of ${model.id} is set by ${variable} in its cmd`;
		throw refusal(reason, { line: command.line, hint });
	}
	const env = mapOf(view.models.get(model.key)).get("env");
	const index = Array.isArray(env)
		? env.findLastIndex((item) => String(item).startsWith(`${variable}=`))
		: -1;
	if (index < 0) return;
	const entry = entryOf(config, model.node, "env");
	const list = resolve(config, entry?.value);
	const item = list !== undefined && "items" in list ? list.items[index] : undefined;
	throw refusal(`${flagName(flag)} of ${model.id} is set by ${variable} in its env`, {
		line: lineOf(config, offsetOf(item ?? entry?.key)),
		hint,
	});
}

/** All of it at once where that holds; else the command alone, and each statement that can follow. */
function carryOut(config: Config, view: View, plan: Plan, wish: Wish): ConfigEdit {
	const statements = plan.before === undefined ? [] : statementSplices(config, plan, wish);
	const check = (splices: readonly Splice[]): ConfigEdit =>
		proven(config, view, plan, wish, splices);
	if (statements.length === 0) return check([plan.splice]);
	try {
		return check([plan.splice, ...statements]);
	} catch (error) {
		if (!(error instanceof AiServerError)) throw error;
	}
	let splices: readonly Splice[] = [plan.splice];
	let best = check(splices);
	for (const statement of statements) {
		try {
			best = check([...splices, statement]);
			splices = [...splices, statement];
		} catch (error) {
			// Shared with another model: it stays as it is, and `left` names it.
			if (!(error instanceof AiServerError)) throw error;
		}
	}
	return best;
}

function proven(
	config: Config,
	view: View,
	{ model, intent, before, expected }: Plan,
	{ flag, value }: Wish,
	splices: readonly Splice[],
): ConfigEdit {
	const yaml = applySplices(config.yaml, splices);
	const changed = openConfig(yaml);
	const after = viewOf(changed);
	const kept = proveOnlyChange(config, { before: view, after }, intent);
	const command = commandOf(changed, findModel(changed, model.id));
	const args = serverArguments(command.words);
	const now = args.kind === "server" ? lastValue(args.words, flag) : undefined;
	const exact = expected === undefined || expected === textOf(command.expanded);
	if (!exact || now === undefined || numberIn(textOf(now)) !== value) {
		throw refusal(`${intent.flag} of ${model.id} cannot be set with certainty`, {
			line: lineOf(config, splices[0]?.start ?? 0),
		});
	}
	const changes = changedLines(config.yaml, splices);
	const left = flag === "ctx-size" ? otherSizes(after, model, value) : [];
	return { yaml, id: model.id, before, after: value, changes, kept, left };
}

/** The keys under which models state their context size, in llama-swap's form and in the wild. */
const SIZE_KEYS: readonly (readonly [string, string])[] = [
	["capabilities", "context"],
	["metadata", "n_ctx"],
	["metadata", "context_length"],
	["metadata", "context_window"],
	["metadata", "ctx"],
];

/** The other places where the model states the size that it had. */
function statementSplices(config: Config, plan: Plan, { flag, text }: Wish): readonly Splice[] {
	if (flag !== "ctx-size") return [];
	const splices = new Map<number, Splice>([[plan.splice.start, plan.splice]]);
	for (const [holder, key] of SIZE_KEYS) {
		const map = childMap(config, plan.model.node, holder);
		const node = map && resolve(config, entryOf(config, map, key)?.value);
		const chars = isScalar(node) ? expandedScalar(config, plan.model, node) : undefined;
		const [first, last] = [chars?.[0], chars?.at(-1)];
		if (chars === undefined || first === undefined || last === undefined) continue;
		if (numberIn(textOf(chars)) !== plan.before || !isOnePiece(chars)) continue;
		if (!splices.has(first.start)) {
			splices.set(first.start, { start: first.start, end: last.end, text });
		}
	}
	return Array.from(splices.values()).slice(1);
}

/** What the model says about its size and is another number. */
function otherSizes(view: View, model: Model, value: number): readonly string[] {
	const fields = mapOf(view.models.get(model.key));
	return SIZE_KEYS.flatMap(([holder, key]) => {
		const stated = mapOf(fields.get(holder)).get(key);
		const size = typeof stated === "string" ? numberIn(stated) : stated;
		return typeof size === "number" && size !== value ? [`${holder}.${key}`] : [];
	});
}

/** True for text that stands in one place of the file as it is read. */
function isOnePiece(chars: Traced): boolean {
	return chars.every(({ start }, at) => start >= 0 && (at === 0 || start === chars[at - 1]?.end));
}
