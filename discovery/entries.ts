import type { ListedModel, RunningModel } from "../lib/llama-swap/api/models.ts";
import type { SwapConfig } from "../lib/llama-swap/config/read.ts";

/** An id that can be chosen, and the id that `/running` shows when it is loaded. */
export interface Entry {
	readonly model: ListedModel;
	readonly baseId: string;
}

/**
 * Every id that can be chosen: those of the list, what runs unlisted, and aliases and variants that
 * the list leaves out or only names with their model. Later parts of split files are left out.
 */
export function entriesOf(
	listed: readonly ListedModel[],
	running: readonly RunningModel[],
	config: SwapConfig | undefined,
): readonly Entry[] {
	const models = new Map(listed.map((model) => [model.id, model]));
	for (const { id, name } of running) {
		if (!models.has(id)) models.set(id, { id, name, images: undefined });
	}
	const entries = new Map(
		Array.from(models, ([id, model]) => [id, { model, baseId: baseOf(model, config) }] as const),
	);
	const addAlias = (alias: string, baseId: string): void => {
		const base = models.get(baseId);
		if (base === undefined || entries.has(alias)) return;
		entries.set(alias, { model: { ...base, id: alias, name: undefined }, baseId });
	};
	for (const { id, type, peer, aliases = [] } of listed) {
		const isOwn = peer === undefined && (type === undefined || type === "model");
		if (isOwn) for (const alias of aliases) addAlias(alias, baseOf({ id }, config));
	}
	for (const [alias, id] of config?.aliases ?? []) addAlias(alias, id);
	return [...entries.values()].filter(({ model }) => !isShardArtefact(model.id));
}

function baseOf(
	{ id, baseId, peer }: Pick<ListedModel, "id" | "baseId" | "peer">,
	config: SwapConfig | undefined,
): string {
	if (peer !== undefined || config?.models.has(id) === true) return id;
	return baseId ?? config?.aliases.get(id) ?? id;
}

/** True for a later part of a split GGUF file ("...-00002-of-00003"); the first part loads them all. */
export function isShardArtefact(id: string): boolean {
	const part = /-(\d{5})-of-\d{5}(?:\.gguf)?$/i.exec(id)?.[1];
	return part !== undefined && Number(part) > 1;
}
