import { extractCtxFromRunningCmd } from "./command-line.ts";
import type { ListedModel, RunningModel, RunningState } from "./model-list.ts";

/** What an unknown context window is taken for, in tokens. */
export const FALLBACK_CONTEXT = 32_768;

/** Where a context window comes from, most trusted first. */
export type ContextOrigin = "command" | "config" | "cache" | "guess";

export type ModelState = RunningState | "stopped" | "unknown";

export interface ServerModel {
	readonly id: string;
	readonly name: string;
	readonly state: ModelState;
	/** Tokens. */
	readonly contextWindow: number;
	readonly contextOrigin: ContextOrigin;
	readonly reasoning: boolean;
	readonly images: boolean;
}

export interface MergeSources {
	readonly listed: readonly ListedModel[];
	/** Undefined when the server could not say; then every state is "unknown". */
	readonly running: readonly RunningModel[] | undefined;
	/** Context sizes of the config file, by model id. */
	readonly configured: ReadonlyMap<string, number>;
	/** Sizes from an earlier time, for models whose size cannot be read now. */
	readonly remembered: ReadonlyMap<string, number>;
}

/**
 * One entry a model that can chat: state from the running list, context window from the running
 * command, else the config, else what is remembered, else the fallback. Shards are left out.
 */
export function mergeModels(sources: MergeSources): readonly ServerModel[] {
	const loaded = new Map(sources.running?.map((model) => [model.id, model]));
	const unique = new Map(sources.listed.map((model) => [model.id, model]));
	const models = [...unique.values()]
		.filter(({ id }) => !isShardArtefact(id))
		.map(({ id, name, images }): ServerModel => {
			const process = loaded.get(id);
			return {
				id,
				name: name ?? id,
				state: process?.state ?? (sources.running === undefined ? "unknown" : "stopped"),
				...contextOf(process?.cmd, sources.configured.get(id), sources.remembered.get(id)),
				reasoning: isReasoningModel(id),
				images: images ?? false,
			};
		});
	return conservativeFirst(models);
}

/** Smallest window first: pi runs an unknown id with a copy of the first model's limits. */
export function conservativeFirst(models: readonly ServerModel[]): readonly ServerModel[] {
	return models.toSorted(
		(a, b) =>
			a.contextWindow - b.contextWindow ||
			Number(a.reasoning) - Number(b.reasoning) ||
			Number(a.images) - Number(b.images) ||
			(a.id < b.id ? -1 : 1),
	);
}

/** True for a later part of a split GGUF file ("...-00002-of-00003"); the first part loads them all. */
export function isShardArtefact(id: string): boolean {
	const part = /-(\d{5})-of-\d{5}(?:\.gguf)?$/i.exec(id)?.[1];
	return part !== undefined && Number(part) > 1;
}

/** Families whose chat templates think. */
const THINKING =
	/think|reason|(?:^|[^a-z])(?:qwq|qwen_?-?3|deepseek-?(?:r1|v3\.[1-9]|v4)|gpt-?oss|minimax-?m\d|glm-?(?:4\.[5-9]|[5-9])|magistral|r1|seed-?oss|nemotron|exaone-?deep|hunyuan)/;
/** Their members that do not. */
const NOT_THINKING = /non?-?think|no-?reason|instruct-2507|coder|embed|rerank/;

/** A guess by name, for as long as nobody has asked the model's template whether it can think. */
export function isReasoningModel(id: string): boolean {
	const name = id.toLowerCase();
	return THINKING.test(name) && !NOT_THINKING.test(name);
}

function contextOf(
	cmd: string | undefined,
	configured: number | undefined,
	remembered: number | undefined,
): Pick<ServerModel, "contextWindow" | "contextOrigin"> {
	const commanded = cmd === undefined ? undefined : extractCtxFromRunningCmd(cmd);
	if (commanded !== undefined) return { contextWindow: commanded, contextOrigin: "command" };
	if (configured !== undefined) return { contextWindow: configured, contextOrigin: "config" };
	if (remembered !== undefined) return { contextWindow: remembered, contextOrigin: "cache" };
	return { contextWindow: FALLBACK_CONTEXT, contextOrigin: "guess" };
}
