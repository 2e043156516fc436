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
import { entriesOf } from "./entries.ts";
import type { Heads } from "./heads.ts";
import { isReasoningModel, kindByName } from "./names.ts";
import { factsOf, type Probed, stillTrue } from "./probed.ts";
import { type Window, windowOf } from "./window.ts";

export type ModelState = RunningState | "stopped" | "unknown";

export interface ServerModel extends Window {
	readonly id: string;
	readonly name: string;
	readonly state: ModelState;
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
	/** Windows from an earlier time whose declaration was disproved. */
	readonly disproved?: ReadonlyMap<string, Window> | undefined;
}

/**
 * One entry for each id that can be chosen. Aliases and variants take state and size from the model
 * behind them, a selector the smallest size of its targets.
 */
export function mergeModels(sources: MergeSources): readonly ServerModel[] {
	const { listed, running = [], preset } = sources;
	const merged = new Map<string, ServerModel>();
	for (const { model, baseId } of entriesOf(listed, running, preset)) {
		merged.set(model.id, mergeModel(model, baseId, sources));
	}
	for (const { id, type, targets } of listed) {
		const model = merged.get(id);
		const own = targets ?? preset?.selectors.get(id) ?? [];
		const chosen = own.flatMap((target) => merged.get(target) ?? []);
		if (type === "selector" && model !== undefined) merged.set(id, asTargets(model, chosen));
	}
	return conservativeFirst([...merged.values()]);
}

/** A selector can do what all of its targets can. */
function asTargets(model: ServerModel, targets: readonly ServerModel[]): ServerModel {
	const known = targets.filter(({ contextOrigin }) => contextOrigin !== "guess");
	const [smallest] = conservativeFirst(known.length === 0 ? targets : known);
	if (smallest === undefined) return model;
	const { contextWindow, contextOrigin, disproved } = smallest;
	const tools = targets.every((target) => target.tools !== false) ? model.tools : false;
	return {
		...model,
		contextWindow,
		contextOrigin,
		disproved,
		tools,
		images: targets.every(({ images }) => images),
		reasoning: targets.every(({ reasoning }) => reasoning),
		kind: targets.every((target) => !canChat(target)) ? smallest.kind : model.kind,
	};
}

export function canChat({ kind }: Pick<ServerModel, "kind">): boolean {
	return kind === undefined || kind === "chat";
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
		...windowOf(model, {
			process,
			launch,
			probed,
			trained: launch?.modelPath === undefined ? undefined : sources.heads.get(launch.modelPath),
			remembered: sources.remembered.get(id),
			earlier: sources.disproved?.get(id),
		}),
		reasoning: reasons({ model, baseId, launch, thinks: facts.thinking?.thinks }),
		images: model.images ?? facts.images ?? launch?.images ?? false,
		thinking: facts.thinking,
		tools: model.tools ?? facts.tools,
		kind: model.kind ?? kindOf(id, baseId, launch),
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

/** A command says so only for what is no chat; where it does not, a name can. */
function kindOf(
	id: string,
	baseId: string,
	launch: LaunchOptions | undefined,
): ModelKind | undefined {
	const special = launch !== undefined && launch.kind !== "chat" ? launch.kind : undefined;
	return special ?? kindByName(id) ?? kindByName(baseId) ?? launch?.kind;
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
