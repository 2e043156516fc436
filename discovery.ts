import type { Admin } from "./admin.ts";
import { fallbackDiscovery } from "./discovery/fallback.ts";
import { type Heads, missingHeads, readHeads } from "./discovery/heads.ts";
import { canChat, mergeModels, type ServerModel } from "./discovery/merge.ts";
import {
	fingerprintOf,
	isServerAsked,
	type Probed,
	probedServer,
	stillTrue,
} from "./discovery/probed.ts";
import { configWarnings, emptyListWarning, notes, runningWarnings } from "./discovery/warnings.ts";
import type { Window } from "./discovery/window.ts";
import type { Names } from "./lib/errors.ts";
import type { ListedModel, RunningModel } from "./lib/llama-swap/api/models.ts";
import type { SwapConfig } from "./lib/llama-swap/config/read.ts";

export interface Discovery {
	/** Those that can chat. Never empty; the most conservative model first. */
	readonly models: readonly ServerModel[];
	/** Those that cannot: embedding, reranker, image and audio models. */
	readonly others: readonly ServerModel[];
	/** What loaded models were asked, by id; kept, so that none is asked twice. */
	readonly probed: ReadonlyMap<string, Probed>;
	/** What model files hold; kept, so that none is read twice. */
	readonly heads: Heads;
	/** True when all that a window depends on has been read: a guess among them stays one. */
	readonly isComplete: boolean;
	/** What could not be had, in sentences for a person; to be shown at once. */
	readonly warnings: readonly string[];
	/** Which numbers are guesses; shown with the table. */
	readonly guesses: readonly string[];
	readonly source: "server" | "cache" | "fallback";
	/** When the server gave this list, in ms since 1970; undefined for the fallback. */
	readonly seenAt: number | undefined;
}

/** What discovery asks; each method rejects with AiServerError. */
export interface ModelSource
	extends Pick<Admin, "listModels" | "listRunning" | "readProps" | "readTrained"> {
	/** Undefined where there is no way to the config file. */
	readConfig(signal?: AbortSignal): Promise<SwapConfig | undefined>;
}

export interface DiscoverOptions {
	/** Sizes from an earlier time, for models whose size cannot be read now. */
	readonly remembered?: ReadonlyMap<string, number>;
	/** Windows from an earlier time whose declaration was disproved. */
	readonly disproved?: ReadonlyMap<string, Window>;
	readonly probed?: ReadonlyMap<string, Probed>;
	readonly heads?: Heads;
	/** Gets the list as soon as HTTP has answered, again with the config file, again with heads of files. */
	readonly onPart?: (part: Discovery) => void;
	/** Leaves the config file out: for a start that remembers its sizes. */
	readonly quick?: boolean;
	readonly signal?: AbortSignal | undefined;
	/** Milliseconds since 1970. */
	readonly now: () => number;
	/** How the warnings name settings and commands. */
	readonly names?: Names | undefined;
}

/**
 * Asks the model list, the running models and the config file side by side, then the loaded models
 * that have not been asked yet, and merges it all. Only the list is required: its failure rejects,
 * with AiServerError. The others become warnings. No model is ever loaded by this.
 */
export async function discoverModels(
	source: ModelSource,
	options: DiscoverOptions,
): Promise<Discovery> {
	const { quick = false, signal, now } = options;
	const reading = quick ? undefined : settle(source.readConfig(signal));
	const processes = settle(source.listRunning(signal));
	const listed = await source.listModels(signal);
	const running = await processes;
	const seenAt = now();
	const probed = new Map(options.probed);
	const heads = new Map(options.heads);
	await probeServers(source, running.value ?? [], probed, signal);

	let config: Settled<SwapConfig | undefined> | undefined;
	const report = (): Discovery => {
		const part = mergeAnswers({ listed, running, config, probed, heads, seenAt }, options);
		options.onPart?.(part);
		return part;
	};
	let latest = report();
	if (reading === undefined) return latest;
	config = await reading;
	signal?.throwIfAborted();
	latest = report();
	const missing = missingHeads(config.value?.models.values() ?? [], probed, heads);
	const onSome = (): void => {
		latest = report();
	};
	await readHeads(source, missing, { heads, signal, onSome });
	return latest;
}

interface Answers {
	readonly listed: readonly ListedModel[];
	readonly running: Settled<readonly RunningModel[]>;
	/** Undefined while it is not read. */
	readonly config: Settled<SwapConfig | undefined> | undefined;
	readonly probed: ReadonlyMap<string, Probed>;
	readonly heads: Heads;
	readonly seenAt: number;
}

function mergeAnswers(
	{ listed, running, config, probed, heads, seenAt }: Answers,
	{ remembered = new Map(), disproved, names }: DiscoverOptions,
): Discovery {
	const all = mergeModels({
		listed,
		running: running.value,
		preset: config?.value,
		probed,
		heads,
		remembered,
		disproved,
	});
	const models = all.filter(canChat);
	const isEmpty = models.length === 0;
	const isRead = config !== undefined && config.error === undefined;
	const configured = config?.value?.models.values() ?? [];
	return {
		models: isEmpty ? fallbackDiscovery().models : models,
		others: all.filter((model) => !canChat(model)),
		probed: new Map(probed),
		heads: new Map(heads),
		isComplete:
			models.every((model) => isTold(model, config?.error)) ||
			(isRead && missingHeads(configured, probed, heads).length === 0),
		warnings: [
			...runningWarnings(running.error, names),
			...configWarnings(config?.error, models, names),
			...(isEmpty ? [emptyListWarning(all, names)] : []),
		],
		guesses: isEmpty ? [] : notes(models, running.error),
		source: "server",
		seenAt,
	};
}

/**
 * True where the server itself has named the window, so that no file is needed for it. The config may
 * disprove what is only declared, unless it cannot be had.
 */
function isTold({ contextOrigin }: ServerModel, configError: unknown): boolean {
	return contextOrigin === "server" || (contextOrigin === "declared" && configError !== undefined);
}

/**
 * Asks each loaded model once: the question restarts its TTL. A model without an answer is
 * remembered too, so that it is not asked again.
 */
async function probeServers(
	source: ModelSource,
	running: readonly RunningModel[],
	probed: Map<string, Probed>,
	signal: AbortSignal | undefined,
): Promise<void> {
	const fresh = running.filter(
		({ id, state, cmd }) => state === "ready" && !isServerAsked(stillTrue(probed.get(id), cmd)),
	);
	const answers = fresh.map(async ({ id, cmd }) => {
		const fingerprint = cmd === undefined ? undefined : fingerprintOf(cmd);
		const { value } = await settle(source.readProps(id, signal));
		// It replaces what the model's file holds: the server itself has taken that into account.
		return [id, probedServer(fingerprint, value)] as const;
	});
	for (const [id, answer] of await Promise.all(answers)) probed.set(id, answer);
}

interface Settled<T> {
	readonly value: T | undefined;
	/** Undefined when there is a value. */
	readonly error: unknown;
}

async function settle<T>(promise: Promise<T>): Promise<Settled<T>> {
	try {
		return { value: await promise, error: undefined };
	} catch (error) {
		return { value: undefined, error };
	}
}
