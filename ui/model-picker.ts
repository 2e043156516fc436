import { type AutocompleteItem, fuzzyFilter } from "@earendil-works/pi-tui";
import type { ServerModel } from "../discovery/merge.ts";
import { AiServerError } from "../lib/errors.ts";
import type { CommandContext } from "./context.ts";

/**
 * Items for pi's completion popup. pi hands over everything typed after the command and filters
 * nothing itself; null closes the popup.
 */
export function completeModels(
	models: readonly ServerModel[],
	prefix: string,
): AutocompleteItem[] | null {
	if (prefix.includes(" ")) return null;
	const found = fuzzyFilter([...models], prefix, ({ id }) => id);
	if (found.length === 0) return null;
	return found.map((model) => ({
		value: model.id,
		label: model.id,
		description: describeModel(model),
	}));
}

/** "ready, 262144 tokens": what tells one model from the next in a list. */
export function describeModel({ state, contextWindow, peer, choice }: ServerModel): string {
	const size = `${contextWindow} tokens`;
	if (peer !== undefined) return `on ${peer}, ${size}`;
	if (choice !== undefined) return `${choice}, ${size}`;
	return state === "unknown" ? size : `${state}, ${size}`;
}

/**
 * The model that a command is about: the id that was typed, else one picked from a list where pi can
 * show one. Undefined when the user picked none. Rejects with the usage line where nobody can pick.
 */
export async function chooseModel(
	args: string,
	question: string,
	usage: string,
	{ catalog, pi }: Pick<CommandContext, "catalog" | "pi">,
): Promise<string | undefined> {
	const { models } = catalog.current();
	if (args !== "") return manageable(models, args);
	if (!pi.hasUI || pi.mode !== "tui") {
		throw new AiServerError("settings", "Which model?", { hint: `Usage: ${usage}` });
	}
	const labels = new Map(
		models
			.filter((model) => isManageable(model))
			.map((model) => [`${model.id}  (${describeModel(model)})`, model.id]),
	);
	const picked = await pi.ui.select(question, [...labels.keys()]);
	return picked === undefined ? undefined : labels.get(picked);
}

/** llama-swap loads and unloads neither the models of its peers nor ids that stand for a choice. */
function isManageable({ peer, choice }: ServerModel): boolean {
	return peer === undefined && choice === undefined;
}

function manageable(models: readonly ServerModel[], id: string): string {
	const model = models.find((known) => known.id === id);
	if (model === undefined || isManageable(model)) return id;
	const { peer, choice } = model;
	const what = peer === undefined ? `is a ${choice}` : `is on the peer ${peer}`;
	throw new AiServerError("settings", `${id} ${what}, which llama-swap cannot load or unload`, {
		hint: peer === undefined ? "Name one of its models" : "Ask that server itself",
	});
}
