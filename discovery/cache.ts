import type { Discovery } from "../discovery.ts";
import { describeError } from "../lib/errors.ts";
import { recordOf } from "../lib/json.ts";
import type { JsonFile } from "../lib/json-file.ts";
import { keptHeads, parseHeads } from "./heads.ts";
import { conservativeFirst, type ServerModel } from "./merge.ts";
import { parseProbed, toKept } from "./probed.ts";
import { notes } from "./warnings.ts";
import type { ContextOrigin } from "./window.ts";

/** A list that cannot be kept is as good as any for now, so the failure becomes a warning. */
export async function keepList(found: Discovery, file: JsonFile): Promise<Discovery> {
	const { seenAt, models, others, probed, heads, isComplete } = found;
	const pairs = [...probed].map(([id, entry]) => [id, toKept(entry)] as const);
	try {
		await file.write({
			seenAt,
			models,
			others,
			learned: pairs.filter(([, entry]) => entry !== undefined),
			heads: keptHeads(heads),
			isComplete,
		});
		return found;
	} catch (error) {
		const warning = `The model list could not be kept for an offline start: ${describeError(error)}`;
		return { ...found, warnings: [...found.warnings, warning] };
	}
}

/** Reads a kept list; undefined for what holds no model. */
export function parseKept(kept: unknown): Discovery | undefined {
	const { seenAt, models, others, learned, heads, isComplete } = recordOf(kept) ?? {};
	if (typeof seenAt !== "number") return undefined;
	const chat = conservativeFirst(keptModels(models));
	if (chat.length === 0) return undefined;
	return {
		models: chat,
		others: keptModels(others),
		probed: parseProbed(learned),
		heads: parseHeads(heads),
		isComplete: isComplete === true,
		warnings: [],
		guesses: notes(chat, undefined),
		source: "cache",
		seenAt,
	};
}

/** False for the origin of a size that is no better known for having been kept. */
export function isSure(origin: ContextOrigin): boolean {
	return origin !== "guess" && origin !== "unconfirmed";
}

function keptModels(list: unknown): readonly ServerModel[] {
	if (!Array.isArray(list)) return [];
	return list.filter(isKeptModel).map((model) => ({
		...model,
		state: "unknown",
		contextOrigin: isSure(model.contextOrigin) ? "cache" : model.contextOrigin,
	}));
}

function isKeptModel(value: unknown): value is ServerModel {
	const { id, name, contextWindow, contextOrigin, reasoning, images } = recordOf(value) ?? {};
	return (
		typeof id === "string" &&
		typeof name === "string" &&
		Number.isSafeInteger(contextWindow) &&
		typeof contextOrigin === "string" &&
		typeof reasoning === "boolean" &&
		typeof images === "boolean"
	);
}
