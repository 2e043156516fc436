import { type LaunchOptions, readLaunch, sizeOf } from "../../../llama-server/launch.ts";
import { splitCommand } from "../../../llama-server/shell-words.ts";
import { type ConfigDocument, type Line, offsetOf, refusal } from "../document.ts";
import type { ExpandedConfig, ExpandedModel } from "../expanded.ts";
import type { Origin } from "../macros.ts";
import { asMap, asText, asWholeNumber, YamlNumber } from "../yaml-values.ts";

/** What an edit is to change, and where its number is written. */
export interface Intent {
	/** Of the model whose command is edited. */
	readonly id: string;
	/** The option that is set, as it is written. */
	readonly option: string;
	readonly size: number;
	readonly origin: Origin;
	readonly line: Line;
	/** How many words the command gains. */
	readonly added: number;
	/** What the command must read afterwards, where that is known to the letter. */
	readonly expected: string | undefined;
}

/** Values can hold one another many times over, which takes for ever to compare. */
const MAX_COMPARED = 1_000_000;

/**
 * Compares what llama-swap would make of both configs: one word of this model's command may differ
 * (or be added), the model's own statements of that number, and nothing else; and the reader of
 * commands finds the new size, with all else as it was. Returns the paths of the statements that
 * changed along. Throws AiServerError "config" naming who shares the number.
 */
export function proveOnlyChange(
	before: ExpandedConfig,
	after: ExpandedConfig,
	intent: Intent,
): readonly string[] {
	const { id, option, origin, line } = intent;
	const what = `${option} of ${id} comes from ${origin.name}`;
	const budget = { left: MAX_COMPARED };
	const changed = differences(fieldsOf(before), fieldsOf(after), budget);
	const others = new Set(changed.map(([other]) => other).filter((other) => other !== id));
	if (others.size > 0) {
		throw refusal(`${what}, which ${listing([...others])} would change with`, {
			line,
			hint: `Give ${id} a number of its own in config.yaml, then try again`,
		});
	}
	const setting = differences(settingsOf(before), settingsOf(after), budget).find(
		([key]) => SETTINGS.has(String(key)) || !isWrittenIn(before.document, String(key), origin),
	);
	if (setting !== undefined) {
		throw refusal(`${what}, which the setting ${setting.join(".")} would change with`, { line });
	}
	const [old, now] = [before.models.get(id), after.models.get(id)];
	if (old === undefined || now === undefined) throw uncertain(intent);
	const kept: string[] = [];
	for (const [, field, ...rest] of changed) {
		if (field === "cmd" && rest.length === 0) continue;
		const path = [field, ...rest].join(".");
		if (!isStatement(path, valueAt(now.fields, [field, ...rest]), intent)) {
			throw refusal(`${what}, which ${path} of ${id} would change with`, { line });
		}
		kept.push(path);
	}
	if (!isOneWordApart(splitCommand(old.cmd.text), splitCommand(now.cmd.text), intent.added)) {
		throw refusal(`${what}, and more than this option of the command would change with it`, {
			line,
		});
	}
	const isExact = intent.expected === undefined || intent.expected === now.cmd.text;
	if (!isExact || !onlySizeDiffers(old, now, intent.size)) throw uncertain(intent);
	return kept;
}

function uncertain({ option, id, line }: Intent): Error {
	return refusal(`${option} of ${id} cannot be set with certainty`, { line });
}

/** The reader is asked: it must find the new size, and everything else as before. */
function onlySizeDiffers(old: ExpandedModel, now: ExpandedModel, size: number): boolean {
	const [before, after] = [old, now].map(({ cmd, env }) => readLaunch(cmd.text, env));
	if (before === undefined || after === undefined || sizeOf(after) !== size) return false;
	const rest = (launch: LaunchOptions): string =>
		JSON.stringify({ ...launch, contextSize: undefined, requestSize: undefined });
	return rest(before) === rest(after);
}

/** Values that only describe the model to people and clients. */
function isStatement(path: string, value: unknown, { size }: Intent): boolean {
	if (path === "capabilities.context") return asWholeNumber(value) === size;
	if (!/^(?:metadata\.|name$|description$)/.test(path)) return false;
	return !(value instanceof YamlNumber) || value.value === size;
}

function isOneWordApart(old: readonly string[], now: readonly string[], added: number): boolean {
	if (now.length !== old.length + added) return false;
	const differing = old.filter((word, at) => word !== now[at]).length;
	return added === 0 ? differing === 1 : differing === 0;
}

function fieldsOf({ models }: ExpandedConfig): ReadonlyMap<string, unknown> {
	return new Map(Array.from(models, ([id, { fields }]) => [id, fields]));
}

/** Every top-level entry but `models` and `macros`, which are put into the models. */
function settingsOf({ document, section }: ExpandedConfig): ReadonlyMap<string, unknown> {
	const keys = document.root === undefined ? [] : [...document.entriesOf(document.root).keys()];
	const own = keys.filter((key) => key !== "models" && key !== "macros");
	return new Map(own.map((key) => [key, section(key)]));
}

/** The paths of all values that are not the same in both. */
function differences(
	before: unknown,
	after: unknown,
	budget: { left: number },
): readonly (readonly unknown[])[] {
	if (budget.left-- <= 0) throw refusal("The aliases of the llama-swap config grow without end");
	if (before instanceof Map && after instanceof Map) {
		const keys = new Set([...before.keys(), ...after.keys()]);
		return Array.from(keys).flatMap((key) => {
			if (before.has(key) !== after.has(key)) return [[key]];
			return differences(before.get(key), after.get(key), budget).map((path) => [key, ...path]);
		});
	}
	if (Array.isArray(before) && Array.isArray(after) && before.length === after.length) {
		return before.flatMap((item, at) =>
			differences(item, after[at], budget).map((path) => [at, ...path]),
		);
	}
	const isSame = typeof before === typeof after && asText(before) === asText(after);
	return Object.is(before, after) || (asText(before) !== undefined && isSame) ? [] : [[]];
}

function valueAt(value: unknown, path: readonly unknown[]): unknown {
	return path.reduce(
		(at, key) => (Array.isArray(at) ? at[Number(key)] : asMap(at)?.get(String(key))),
		value,
	);
}

/** True where a top-level entry contains the scalar itself: a place to keep anchors in. */
function isWrittenIn({ root }: ConfigDocument, key: string, { node }: Origin): boolean {
	const items = root?.items ?? [];
	const at = items.findIndex((item) => offsetOf(item.key) > offsetOf(node));
	const holder = items[at < 0 ? items.length - 1 : at - 1];
	return String(holder?.key) === key;
}

function listing(ids: readonly unknown[]): string {
	const names = ids.slice(0, 5).map(String);
	return ids.length > 5 ? `${names.join(", ")} and ${ids.length - 5} more` : names.join(", ");
}

/** What llama-swap reads at the top level; it ignores every other key. */
const SETTINGS: ReadonlySet<string> = new Set(
	"apiKeys captureBuffer globalTTL groups healthCheckTimeout hooks includeAliasesInList logLevel logRequests logTimeFormat logToStdout matrix metricsMaxInMemory peers performance profiles routing selectors sendLoadingState startPort store ui unloadTimeout upstream".split(
		" ",
	),
);
