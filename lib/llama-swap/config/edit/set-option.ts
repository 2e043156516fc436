import { AiServerError } from "../../../errors.ts";
import { findSize, type SizeOption } from "../../../llama-server/launch.ts";
import { programName } from "../../../llama-server/servers.ts";
import { maskText } from "../../../secrets/mask-text.ts";
import { ConfigDocument, refusal } from "../document.ts";
import { type ExpandedConfig, expandConfig } from "../expanded.ts";
import { commandOf, type ModelCommand } from "./command.ts";
import { type Intent, proveOnlyChange } from "./proof.ts";
import { sourceOf } from "./source-map.ts";
import { appendWords, applySplices, changedLines, type LineChange, type Splice } from "./splice.ts";
import { otherSizes, statementSplices } from "./statements.ts";

export type { LineChange } from "./splice.ts";

export interface ConfigEdit {
	/** The whole new text; the old one where the value is there already. */
	readonly yaml: string;
	/** The model's id, where an alias of it was given. */
	readonly id: string;
	/** As the server reads it; undefined where the option was absent, or was no number. */
	readonly before: number | undefined;
	readonly after: number;
	/** Every line that differs, for a person to confirm. */
	readonly changes: readonly LineChange[];
	/** What else of the model now states the new number: `capabilities.context`. */
	readonly kept: readonly string[];
	/** What still states another context size: `metadata.n_ctx`. */
	readonly left: readonly string[];
}

const MAX_SIZE = 2 ** 31 - 1;

/**
 * Sets the context size in one model's command in llama-swap's config.yaml: the option that the
 * reader of commands goes by, under the name that the model's server has for it. Only the digits
 * change, or the option is added; every other byte stays. The number may be in a macro or behind
 * an anchor that nothing else uses; the model's own statements of the same size change along. The
 * new text is read again and compared before it is returned. Throws nothing but AiServerError
 * "config": for whatever cannot be done with certainty, with the line and a hint.
 */
export function setPresetKey(
	yaml: string,
	id: string,
	_key: "ctx-size",
	value: number,
): ConfigEdit {
	if (!Number.isInteger(value) || value < 0 || value > MAX_SIZE) {
		throw refusal(`The context size cannot be ${value}`, {
			hint: `Give a whole number from 0 to ${MAX_SIZE}`,
		});
	}
	try {
		return edit(expandConfig(new ConfigDocument(yaml, "strict")), id, value);
	} catch (error) {
		if (error instanceof AiServerError) throw error;
		const reason = error instanceof Error ? error.message : String(error);
		throw refusal(`The llama-swap config cannot be followed: ${reason}`, { cause: error });
	}
}

/** The edit of the command itself; its statements may follow. */
interface Plan {
	readonly splice: Splice;
	readonly intent: Intent;
	readonly before: number | undefined;
}

function edit(config: ExpandedConfig, name: string, size: number): ConfigEdit {
	const command = commandOf(config, name);
	const { model, line } = command;
	const setting = findSize(model.cmd.text, model.env);
	const { call, server } = setting;
	if (!call.isAlone) {
		throw refusal(
			`${model.id} is started by a script of several programs, and which of them takes the size is unclear`,
			{ line },
		);
	}
	if (setting.option === undefined && setting.variable === undefined && server === undefined) {
		throw refusal(`${model.id} is started by ${call.program}, which is not a known server`, {
			line,
			hint: `Set the size in ${programName(call.program)}, or where that gets it from`,
		});
	}
	const before = numberBefore(setting);
	if (setting.option !== undefined && before === size) {
		const left = otherSizes(model, size);
		return {
			yaml: config.document.yaml,
			id: model.id,
			before,
			after: size,
			changes: [],
			kept: [],
			left,
		};
	}
	const plan =
		setting.option === undefined
			? planAdding(config, command, setting, size)
			: planReplacing(config, command, setting, setting.option, size);
	return carryOut(config, plan);
}

/** The current size, as its server reads it; undefined for a word such as "auto". */
function numberBefore({ option, value, size }: SizeOption): number | undefined {
	return option !== undefined && typeof size === "number" && /^\+?\d/.test(value.text)
		? size
		: undefined;
}

function planReplacing(
	{ document }: ExpandedConfig,
	{ model, line: cmdLine }: ModelCommand,
	setting: SizeOption,
	option: string,
	size: number,
): Plan {
	const { value } = setting;
	const { id, cmd } = model;
	const source = sourceOf(document.yaml, cmd, value.places);
	const line = source === undefined ? cmdLine : document.lineAt(source.start);
	const variable = /\$\{env\.([^}]*)\}/.exec(value.text)?.[1];
	if (variable !== undefined) {
		throw refusal(`${option} of ${id} is the environment variable ${variable}`, {
			line,
			hint: `Change ${variable} where the service gets it from`,
		});
	}
	const macro = /\$\{([\w-]+)\}/.exec(value.text)?.[1];
	if (macro !== undefined && !setting.call.isQuoted) {
		throw refusal(`${option} of ${id} is the macro "${macro}", which nothing defines`, { line });
	}
	if (value.text === "") throw refusal(`${option} of ${id} has no value`, { line });
	if (!/^\+?\d[\d.]*[kKmM]?$|^(?:auto|-1)$/.test(value.text)) {
		throw refusal(
			`${option} of ${id} is followed by "${maskText(value.text)}", which is no number`,
			{
				line,
			},
		);
	}
	if (source === undefined) {
		throw refusal(`${option} of ${id} "${value.text}" is put together from several places`, {
			line,
		});
	}
	const [from = 0] = value.places;
	const text = String(size);
	return {
		splice: { start: source.start, end: source.end, text },
		intent: {
			id,
			option,
			size,
			origin: source.origin,
			line,
			added: 0,
			expected: cmd.text.slice(0, from) + text + cmd.text.slice(from + value.places.length),
		},
		before: numberBefore(setting),
	};
}

function planAdding(
	config: ExpandedConfig,
	command: ModelCommand,
	{ call, server, ownOption: option, variable }: SizeOption,
	size: number,
): Plan {
	const { model, origin, line } = command;
	const { id } = model;
	if (variable !== undefined) throw setByVariable(config, command, variable, call.env);
	if (option === undefined) {
		throw refusal(`${id} is started by ${server}, which has no option for a context size`, {
			line,
		});
	}
	const splice = call.isQuoted
		? undefined
		: appendWords(config.document.yaml, command, `${option} ${size}`);
	if (splice === undefined) {
		throw refusal(`${id} is started by a shell script without ${option}`, {
			line,
			hint: `Add ${option} ${size} to its cmd by hand`,
		});
	}
	const intent = { id, option, size, origin, line, added: 2, expected: undefined };
	return { splice, intent, before: undefined };
}

/** An option that is added would silently beat the variable that has set the number until now. */
function setByVariable(
	{ document }: ExpandedConfig,
	{ model, line }: ModelCommand,
	variable: string,
	inCommand: ReadonlyMap<string, string>,
): AiServerError {
	const hint = `Change ${variable} there, or remove it first`;
	const reason = `The context size of ${model.id} is set by ${variable}`;
	if (inCommand.has(variable)) return refusal(`${reason} in its cmd`, { line, hint });
	const list = document.resolve(document.entriesOf(model.node).get("env")?.value);
	const at = model.env.findLastIndex((entry) => entry.startsWith(`${variable}=`));
	const item = list !== undefined && "items" in list ? list.items[at] : undefined;
	return refusal(`${reason} in its env`, { line: document.lineOf(item ?? list), hint });
}

/** All of it at once where that holds; else the command alone, and each statement that can follow. */
function carryOut(config: ExpandedConfig, plan: Plan): ConfigEdit {
	const { splice, intent, before } = plan;
	const model = config.models.get(intent.id);
	const statements =
		before === undefined || model === undefined
			? []
			: statementSplices(config, model, before, splice);
	if (statements.length === 0) return proven(config, plan, [splice]);
	try {
		return proven(config, plan, [splice, ...statements]);
	} catch (error) {
		if (!(error instanceof AiServerError)) throw error;
	}
	let splices: readonly Splice[] = [splice];
	let best = proven(config, plan, splices);
	for (const statement of statements) {
		try {
			best = proven(config, plan, [...splices, statement]);
			splices = [...splices, statement];
		} catch (error) {
			// Shared with another model: it stays as it is, and `left` names it.
			if (!(error instanceof AiServerError)) throw error;
		}
	}
	return best;
}

function proven(
	config: ExpandedConfig,
	{ intent, before }: Plan,
	splices: readonly Splice[],
): ConfigEdit {
	const { id, size } = intent;
	const { yaml } = config.document;
	const files = new Set(splices.map(({ start }) => config.document.fileAt(start)));
	if (files.size > 1) {
		throw refusal(`The sizes of ${id} are written in several files: ${[...files].join(", ")}`);
	}
	const changed = applySplices(yaml, splices);
	const after = expandConfig(new ConfigDocument(changed, "strict"));
	const kept = proveOnlyChange(config, after, intent);
	const model = after.models.get(id);
	const left = model === undefined ? [] : otherSizes(model, size);
	return {
		yaml: changed,
		id,
		before,
		after: size,
		changes: changedLines(yaml, splices),
		kept,
		left,
	};
}
