import { contextWindowOf } from "../lib/llama-server/context-window.ts";
import { type LaunchOptions, readLaunch, readLaunchOf } from "../lib/llama-server/launch.ts";
import type { ModelKind } from "../lib/llama-server/servers.ts";
import type { Thinking } from "../lib/llama-server/thinking.ts";
import type {
	EntryType,
	ListedModel,
	RunningModel,
	RunningState,
} from "../lib/llama-swap/api/models.ts";
import type { SwapConfig, SwapModel } from "../lib/llama-swap/config/read.ts";
import type { Heads } from "./heads.ts";
import { factsOf, type Probed, stillTrue } from "./probed.ts";

/** What an unknown context window is taken for, in tokens. */
export const FALLBACK_CONTEXT = 32_768;

/**
 * Where a context window comes from: the loaded server, the model list, the running command, the
 * config file, the head of the model's file, a command whose program is not known here so that only
 * the loaded server can confirm it, an earlier time, nowhere.
 */
export type ContextOrigin =
	| "server"
	| "declared"
	| "command"
	| "config"
	| "gguf"
	| "unconfirmed"
	| "cache"
	| "guess";

export type ModelState = RunningState | "stopped" | "unknown";

export interface ServerModel {
	readonly id: string;
	readonly name: string;
	readonly state: ModelState;
	/** Tokens of one request. */
	readonly contextWindow: number;
	readonly contextOrigin: ContextOrigin;
	readonly reasoning: boolean;
	readonly images: boolean;
	/** How its thinking is controlled; undefined while its template is not read. */
	readonly thinking?: Thinking | undefined;
	/** False for a model whose template cannot show it tools. */
	readonly tools?: boolean | undefined;
	/** Undefined and "chat": it can chat. */
	readonly kind?: ModelKind | undefined;
	/** The model that is loaded for this id, where that is another one. */
	readonly baseId?: string | undefined;
	/** Seconds without a request until it is unloaded; 0: never. */
	readonly ttl?: number | undefined;
	/** The program that serves it, under its usual name; undefined while its command is not known. */
	readonly server?: string | undefined;
	/** The server that has it, where llama-swap only passes requests on. */
	readonly peer?: string | undefined;
	/** Set for an id that is a choice among models. */
	readonly choice?: Extract<EntryType, "selector" | "profile"> | undefined;
}

export interface MergeSources {
	readonly listed: readonly ListedModel[];
	/** Undefined when the server did not report them; then every state is "unknown". */
	readonly running: readonly RunningModel[] | undefined;
	/** The config file; undefined when it could not be read. */
	readonly preset: SwapConfig | undefined;
	/** What servers have reported, by the id of the loaded model. */
	readonly probed: ReadonlyMap<string, Probed>;
	/** What model files hold. */
	readonly heads: Heads;
	/** Sizes from an earlier time, for models whose size cannot be read now. */
	readonly remembered: ReadonlyMap<string, number>;
}

/**
 * One entry for each listed model, and for each that runs unlisted. Aliases and variants take state
 * and size from the model behind them. Later parts of split files are left out.
 */
export function mergeModels(sources: MergeSources): readonly ServerModel[] {
	const { listed, running = [], preset } = sources;
	const unique = new Map(listed.map((model) => [model.id, model]));
	for (const { id, name } of running) {
		if (!unique.has(id)) unique.set(id, { id, name, images: undefined });
	}
	const merged = [...unique.values()]
		.filter(({ id }) => !isShardArtefact(id))
		.map((model) => mergeModel(model, baseOf(model, preset), sources));
	return conservativeFirst(merged);
}

/** The id that `/running` shows when this one is loaded. */
function baseOf({ id, baseId, peer }: ListedModel, preset: SwapConfig | undefined): string {
	if (peer !== undefined || preset?.models.has(id) === true) return id;
	return baseId ?? preset?.aliases.get(id) ?? id;
}

function mergeModel(model: ListedModel, baseId: string, sources: MergeSources): ServerModel {
	const { id, name, peer, type } = model;
	const process = sources.running?.find((running) => running.id === baseId);
	const preset = sources.preset?.models.get(baseId);
	const probed = stillTrue(sources.probed.get(baseId), process?.cmd ?? preset?.cmd);
	const facts = factsOf(probed);
	const launch = launchOf(model, process, preset);
	const isOwn = peer === undefined && type !== "selector" && type !== "profile";
	return {
		id,
		name: name ?? id,
		state: process?.state ?? (sources.running !== undefined && isOwn ? "stopped" : "unknown"),
		...contextOf(model, {
			process,
			launch,
			probed,
			trained: launch?.modelPath === undefined ? undefined : sources.heads.get(launch.modelPath),
			remembered: sources.remembered.get(id),
		}),
		reasoning: reasons({ model, baseId, launch, thinks: facts.thinking?.thinks }),
		images: model.images ?? facts.images ?? launch?.images ?? false,
		thinking: facts.thinking,
		tools: model.tools ?? facts.tools,
		kind: model.kind ?? launch?.kind,
		baseId: baseId === id ? undefined : baseId,
		ttl: process?.ttl ?? preset?.ttl,
		server: launch?.server,
		peer,
		choice: type === "selector" || type === "profile" ? type : undefined,
	};
}

interface ReasoningSources {
	readonly model: ListedModel;
	readonly baseId: string;
	readonly launch: LaunchOptions | undefined;
	/** What the model's template shows. */
	readonly thinks: boolean | undefined;
}

/** `--reasoning off` counts more than what the template could do; a name counts least. */
function reasons({ model, baseId, launch, thinks }: ReasoningSources): boolean {
	if (launch?.reasoning === false) return false;
	return thinks ?? model.thinking ?? (isReasoningModel(model.id) || isReasoningModel(baseId));
}

function launchOf(
	{ args }: ListedModel,
	process: RunningModel | undefined,
	preset: SwapModel | undefined,
): LaunchOptions | undefined {
	if (process?.cmd !== undefined) return readLaunch(process.cmd, preset?.env);
	if (args !== undefined) return readLaunchOf(args);
	return preset?.launch;
}

interface ContextSources {
	readonly process: RunningModel | undefined;
	readonly launch: LaunchOptions | undefined;
	readonly probed: Probed | undefined;
	/** Tokens that the model was trained for. */
	readonly trained: number | undefined;
	readonly remembered: number | undefined;
}

/** The most trusted of what is known. */
function contextOf(
	{ context, args }: ListedModel,
	{ process, launch, probed, trained, remembered }: ContextSources,
): Pick<ServerModel, "contextWindow" | "contextOrigin"> {
	const given = (contextWindow: number | undefined, contextOrigin: ContextOrigin) =>
		contextWindow === undefined ? undefined : { contextWindow, contextOrigin };
	const isLoaded = process?.state === "ready";
	const own = launch && contextWindowOf(launch, trained);
	const isWritten = own !== undefined && launch !== undefined && contextWindowOf(launch) === own;
	const written = process?.cmd === undefined && args === undefined ? "config" : "command";
	return (
		given(factsOf(probed).contextWindow, isLoaded ? "server" : "cache") ??
		given(context?.tokens, context?.measured === true ? "server" : "declared") ??
		given(own, launch?.server === undefined ? "unconfirmed" : isWritten ? written : "gguf") ??
		given(remembered, "cache") ?? { contextWindow: FALLBACK_CONTEXT, contextOrigin: "guess" }
	);
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

/** A guess by name, used until the model's template is read. */
export function isReasoningModel(id: string): boolean {
	const name = id.toLowerCase();
	return THINKING.test(name) && !NOT_THINKING.test(name);
}
