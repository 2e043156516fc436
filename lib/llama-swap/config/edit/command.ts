import { isAlias, isMap, isScalar } from "yaml";
import { readLaunch } from "../../../llama-server/launch.ts";
import { type Line, refusal } from "../document.ts";
import { cmdOrigin, type ExpandedConfig, type ExpandedModel } from "../expanded.ts";
import { findModel } from "../find-model.ts";
import type { Origin } from "../macros.ts";

/** A model whose entry is its own, and its command. */
export interface ModelCommand {
	readonly model: ExpandedModel;
	/** The scalar that holds the command. */
	readonly origin: Origin;
	/** Of the key `cmd`. */
	readonly line: Line;
}

/** Throws AiServerError "config" for a cmd that the model does not own, or that is no text. */
export function commandOf(config: ExpandedConfig, name: string): ModelCommand {
	const { document } = config;
	const { id, entry } = findModel(document, name, () => config);
	const modelLine = document.lineOf(entry.key);
	if (isAlias(entry.value)) {
		throw refusal(`${id} is written as *${entry.value.source}, so it has no cmd of its own`, {
			line: modelLine,
			hint: `Give ${id} an entry of its own in config.yaml`,
		});
	}
	const model = config.models.get(id);
	const cmd = isMap(entry.value) ? document.entriesOf(entry.value).get("cmd") : undefined;
	if (model === undefined || cmd === undefined) {
		throw refusal(`${id} has no cmd`, { line: modelLine });
	}
	const line = document.lineOf(cmd.key);
	if (cmd.isMerged) {
		throw refusal(`${id} takes its cmd from a merge key, so others may share it`, {
			line,
			hint: `Give ${id} a cmd of its own in config.yaml`,
		});
	}
	const node = document.resolve(cmd.value);
	if (!isScalar(node)) {
		throw refusal(`The cmd of ${id} is a list or a map, and llama-swap takes only text`, { line });
	}
	if (typeof document.valueOf(node) !== "string") {
		throw refusal(`The cmd of ${id} is no plain text`, { line });
	}
	if (readLaunch(model.cmd.text).program === "") {
		throw refusal(`The cmd of ${id} is empty`, { line });
	}
	return { model, origin: cmdOrigin(cmd.value, node), line };
}
