import { splitCommand } from "../../../llama-server/shell-words.ts";
import { type Config, type Model, offsetOf, ownEntries, refusal } from "../document.ts";
import type { Origin } from "./source-map.ts";
import { differences, mapOf, type View } from "./view.ts";

/** What an edit means to do, and where its number stands. */
export interface Intent {
	readonly flag: string;
	readonly model: Model;
	readonly origin: Origin;
	readonly line: number;
	/** How many words the command gains. */
	readonly added: number;
	readonly value: number;
}

/**
 * Compares what llama-swap would make of both configs: one word of this model's command may differ
 * (or be added), the model's own statements of that number, and nothing else. Returns the paths of
 * the statements that changed along. Throws AiServerError "config" naming who shares the number.
 */
export function proveOnlyChange(
	before: Config,
	views: { readonly before: View; readonly after: View },
	intent: Intent,
): readonly string[] {
	const { model, origin, flag, line } = intent;
	const what = `${flag} of ${model.id} comes from ${origin.name}`;
	const changed = differences(views.before.models, views.after.models);
	const others = new Set(changed.map(([id]) => id).filter((id) => id !== model.key));
	if (others.size > 0) {
		throw refusal(`${what}, which ${listing([...others])} would change with`, {
			line,
			hint: `Give ${model.id} a number of its own in config.yaml, then try again`,
		});
	}
	const settings = differences(views.before.settings, views.after.settings).find(
		([key]) => SETTINGS.has(String(key)) || !holds(before, key, origin),
	);
	if (settings !== undefined) {
		throw refusal(`${what}, which the setting ${settings.join(".")} would change with`, { line });
	}
	const kept: string[] = [];
	for (const [, field, ...rest] of changed) {
		if (field === "cmd" && rest.length === 0) continue;
		const path = [field, ...rest].join(".");
		if (!isStatement(path, valueAt(views.after.models.get(model.key), [field, ...rest]), intent)) {
			throw refusal(`${what}, which ${path} of ${model.id} would change with`, { line });
		}
		kept.push(path);
	}
	const [old, now] = [views.before, views.after].map((view) => {
		const cmd = mapOf(view.models.get(model.key)).get("cmd");
		return typeof cmd === "string" ? splitCommand(cmd) : [];
	});
	if (!isOneWordApart(old ?? [], now ?? [], intent.added)) {
		throw refusal(`${what}, and more than this flag of the command would change with it`, { line });
	}
	return kept;
}

/** Values that only tell people and clients about the model. */
function isStatement(path: string, value: unknown, intent: Intent): boolean {
	if (path === "capabilities.context")
		return intent.flag === "--ctx-size" && value === intent.value;
	if (!/^(?:metadata\.|name$|description$)/.test(path)) return false;
	return typeof value !== "number" || value === intent.value;
}

function isOneWordApart(old: readonly string[], now: readonly string[], added: number): boolean {
	if (now.length !== old.length + added) return false;
	const differing = old.filter((word, at) => word !== now[at]).length;
	return added === 0 ? differing === 1 : differing === 0;
}

function valueAt(value: unknown, path: readonly unknown[]): unknown {
	return path.reduce(
		(at, key) => (Array.isArray(at) ? at[Number(key)] : mapOf(at).get(key)),
		value,
	);
}

/** True where a top-level entry contains the scalar itself: a place to keep anchors in. */
function holds({ root, yaml }: Config, key: unknown, { node }: Origin): boolean {
	const entries = root === undefined ? [] : ownEntries(root);
	const index = entries.findIndex((entry) => entry.key.value === key);
	const start = entries[index]?.key.range?.[0] ?? 0;
	const end = entries[index + 1]?.key.range?.[0] ?? yaml.length;
	const at = offsetOf(node);
	return index >= 0 && at >= start && at < end;
}

function listing(ids: readonly unknown[]): string {
	const names = ids.slice(0, 5).map(String);
	return ids.length > 5 ? `${names.join(", ")} and ${ids.length - 5} more` : names.join(", ");
}

/** What llama-swap reads at the top level; it ignores every other key. */
const SETTINGS: ReadonlySet<string> = new Set([
	"apiKeys",
	"captureBuffer",
	"globalTTL",
	"groups",
	"healthCheckTimeout",
	"hooks",
	"includeAliasesInList",
	"logLevel",
	"logRequests",
	"logTimeFormat",
	"logToStdout",
	"matrix",
	"metricsMaxInMemory",
	"peers",
	"performance",
	"profiles",
	"routing",
	"selectors",
	"sendLoadingState",
	"startPort",
	"store",
	"ui",
	"unloadTimeout",
	"upstream",
]);
