import { isScalar } from "yaml";
import type { ExpandedConfig, ExpandedModel } from "../expanded.ts";
import { scalarText } from "../macros.ts";
import { asMap, asText } from "../yaml-values.ts";
import { sourceOf } from "./source-map.ts";
import type { Splice } from "./splice.ts";

/** The keys under which models state their context size, in llama-swap's form and in the wild. */
const SIZE_KEYS: readonly (readonly [string, string])[] = [
	["capabilities", "context"],
	["metadata", "n_ctx"],
	["metadata", "context_length"],
	["metadata", "context_window"],
	["metadata", "ctx"],
];

/** The edits of the other places where the model states the size that it had. */
export function statementSplices(
	{ document }: ExpandedConfig,
	model: ExpandedModel,
	before: number,
	edit: Splice,
): readonly Splice[] {
	const splices = new Map<number, Splice>([[edit.start, edit]]);
	for (const [holder, key] of SIZE_KEYS) {
		const map = document.childMap(model.node, holder);
		const node = map && document.resolve(document.entriesOf(map).get(key)?.value);
		if (!isScalar(node)) continue;
		const stated = model.expander.text(scalarText({ name: key, node }));
		if (Number(stated.text) !== before || stated.text === "") continue;
		const places = Array.from({ length: stated.text.length }, (_, at) => at);
		const source = sourceOf(document.yaml, stated, places);
		if (source === undefined || splices.has(source.start)) continue;
		splices.set(source.start, { start: source.start, end: source.end, text: edit.text });
	}
	return Array.from(splices.values()).slice(1);
}

/** What the model says about its size and is another number. */
export function otherSizes({ fields }: ExpandedModel, size: number): readonly string[] {
	return SIZE_KEYS.flatMap(([holder, key]) => {
		const stated = Number(asText(asMap(fields.get(holder))?.get(key)) || Number.NaN);
		return Number.isNaN(stated) || stated === size ? [] : [`${holder}.${key}`];
	});
}
