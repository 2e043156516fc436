import { type ConfigDocument, type Entry, refusal } from "./document.ts";
import { type ExpandedConfig, expandConfig } from "./expanded.ts";

export interface FoundModel {
	/** The key below `models:`, never an alias of it. */
	readonly id: string;
	readonly entry: Entry;
	/** The next model's entry, if there is one. */
	readonly next: Entry | undefined;
}

/** The entry of the model with this id, or of the one that has it among its aliases. */
export function findModel(
	document: ConfigDocument,
	name: string,
	expanded: () => ExpandedConfig = () => expandConfig(document),
): FoundModel {
	const models = document.childMap(document.root, "models");
	if (models === undefined) {
		throw refusal("The llama-swap config has no models", { hint: "Add the model there first" });
	}
	const entries = document.entriesOf(models);
	const own = Array.from(entries, ([id, entry]) => ({ id, entry })).filter(
		({ entry }) => !entry.isMerged,
	);
	const id = entries.has(name) ? name : expanded().aliases.get(name);
	const at = own.findIndex((model) => model.id === id);
	const found = own[at];
	if (found !== undefined) return { ...found, next: own[at + 1]?.entry };
	if (id !== undefined) {
		throw refusal(`${id} comes into models by a merge key and has no entry of its own`);
	}
	const some = own.slice(0, 5).map((model) => model.id);
	const more = own.length > some.length ? ` and ${own.length - some.length} more` : "";
	throw refusal(`The llama-swap config has no model ${name}`, {
		hint: some.length === 0 ? "Add the model there first" : `It has ${some.join(", ")}${more}`,
	});
}
