import type { ExtensionContext } from "@earendil-works/pi-coding-agent";
import { type AutocompleteItem, fuzzyFilter } from "@earendil-works/pi-tui";
import type { ServerModel } from "../discovery/merge.ts";
import { AiServerError } from "../lib/errors.ts";

/** Items for pi's completion popup: the models whose id fits what was typed. */
export function completeModels(
	models: readonly ServerModel[],
	typed: string,
): readonly AutocompleteItem[] {
	return fuzzyFilter([...models], typed, ({ id }) => id).map((model) => ({
		value: model.id,
		label: model.id,
		description: describeModel(model),
	}));
}

/** "ready, 262144 tokens": what distinguishes the models of a list. */
export function describeModel({ state, contextWindow, peer, choice }: ServerModel): string {
	const size = `${contextWindow} tokens`;
	if (peer !== undefined) return `on ${peer}, ${size}`;
	if (choice !== undefined) return `${choice}, ${size}`;
	return state === "unknown" ? size : `${state}, ${size}`;
}

/** Shows a list to pick from; undefined when the user closes it. */
export async function pickModel(
	models: readonly ServerModel[],
	question: string,
	{ ui }: Pick<ExtensionContext, "ui">,
): Promise<string | undefined> {
	const labels = new Map(
		models.map((model) => [`${model.id}  (${describeModel(model)})`, model.id]),
	);
	const picked = await ui.select(question, [...labels.keys()]);
	return picked === undefined ? undefined : labels.get(picked);
}

/** llama-swap can load and unload neither the models of its peers nor ids that stand for a choice. */
export function isManageable({ peer, choice }: ServerModel): boolean {
	return peer === undefined && choice === undefined;
}

/** Throws for a model that llama-swap cannot load or unload. An id that is not known passes. */
export function requireManageable(models: readonly ServerModel[], id: string): void {
	const model = models.find((known) => known.id === id);
	if (model === undefined || isManageable(model)) return;
	const { peer, choice } = model;
	const what = peer === undefined ? `is a ${choice}` : `is on the peer ${peer}`;
	throw new AiServerError("usage", `${id} ${what}, which llama-swap cannot load or unload`, {
		hint: peer === undefined ? "Name one of its models" : "Use that server directly",
	});
}
