import type { ExtensionContext } from "@earendil-works/pi-coding-agent";
import type { Catalog } from "../discovery/catalog.ts";
import type { ServerModel } from "../discovery/merge.ts";
import type { Reply } from "../ui/reply.ts";

/** pi compacts when less than this is left of the window, unless its settings say otherwise. */
const PI_RESERVE = 16_384;
/** Below it, compaction leaves too little to work with. */
const SMALL_WINDOW = 20_000;

/**
 * What a user should know about the model they have chosen: that the server no longer has it, or
 * that pi would compact for ever. One sentence each; `selected` is its id.
 */
export function adviceFor(models: readonly ServerModel[], selected: string): readonly string[] {
	const model = models.find(({ id }) => id === selected);
	if (model === undefined) {
		const near = nearest(models, selected);
		const choose = near === undefined ? "" : `, for example ${near}`;
		return [`The server no longer has ${selected}. Choose another one with /model${choose}`];
	}
	const { contextWindow, contextOrigin } = model;
	if (contextOrigin === "guess" || contextWindow >= SMALL_WINDOW) return [];
	const reserve = Math.max(256, Math.floor(contextWindow / 4));
	return [
		`${selected} has a context window of ${contextWindow} tokens, and pi compacts ${PI_RESERVE} before its end. Set compaction.reserveTokens to ${reserve} in pi's settings.json, or give the model a larger --ctx-size`,
	];
}

/** The model with the longest common beginning of its id: often the same one in another quantization. */
function nearest(models: readonly ServerModel[], id: string): string | undefined {
	const alike = (other: string): number => {
		const at = [...id.toLowerCase()].findIndex((letter, at) => other.toLowerCase()[at] !== letter);
		return at < 0 ? id.length : at;
	};
	return models.toSorted((a, b) => alike(b.id) - alike(a.id))[0]?.id;
}

/** Gives the advice about the chosen model of this provider, each sentence once a session. */
export function createAdvice(
	provider: string,
	reply: Reply,
	context: Pick<ExtensionContext, "hasUI" | "model">,
	catalog: Pick<Catalog, "current">,
): (model?: ExtensionContext["model"]) => void {
	const shown = new Set<string>();
	return (selected) => {
		const model = selected ?? context.model;
		const { models, source } = catalog.current();
		if (!context.hasUI || model?.provider !== provider || source !== "server") return;
		for (const line of adviceFor(models, model.id)) {
			if (!shown.has(line)) reply.warn(line);
			shown.add(line);
		}
	};
}
