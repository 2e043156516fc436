import { MODELS } from "../config.ts";
import type { Discovery } from "../discovery.ts";
import { conservativeFirst, type ServerModel } from "./merge.ts";

/** The list that is used until the server has answered once. */
export function fallbackDiscovery(): Discovery {
	const models = MODELS.map(
		({ id, contextWindow, reasoning }): ServerModel => ({
			id,
			name: id,
			reasoning,
			images: false,
			contextWindow,
			contextOrigin: "guess",
			state: "unknown",
		}),
	);
	return {
		models: conservativeFirst(models),
		others: [],
		probed: new Map(),
		heads: new Map(),
		isComplete: false,
		warnings: [],
		guesses: [],
		source: "fallback",
		seenAt: undefined,
	};
}
