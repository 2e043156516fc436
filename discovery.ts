import type { Admin } from "./admin.ts";
import { fallbackDiscovery } from "./discovery/fallback.ts";
import { mergeModels, type ServerModel } from "./discovery/merge.ts";
import {
	fingerprintOf,
	isServerAsked,
	type Probed,
	probedFile,
	probedServer,
	stillTrue,
} from "./discovery/probed.ts";
import { configWarnings, emptyListWarning, notes, runningWarnings } from "./discovery/warnings.ts";
import { withDeadline } from "./lib/deadline.ts";
import type { Names } from "./lib/errors.ts";
import type { ListedModel, RunningModel } from "./lib/llama-swap/api/models.ts";
import type { SwapConfig, SwapModel } from "./lib/llama-swap/config/read.ts";

export interface Discovery {
	/** Those that can chat. Never empty; the most conservative model first. */
	readonly models: readonly ServerModel[];
	/** Those that cannot: embedding, reranker, image and audio models. */
	readonly others: readonly ServerModel[];
	/** What loaded models and model files were asked, by id; kept, so that none is asked twice. */
	readonly probed: ReadonlyMap<string, Probed>;
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
	readonly probed?: ReadonlyMap<string, Probed>;
	/** Gets the list as soon as HTTP has answered, before the slower SSH has. */
	readonly onPart?: (part: Discovery) => void;
	/** Leaves the config file out: for a start that remembers its sizes. */
	readonly quick?: boolean;
	readonly signal?: AbortSignal | undefined;
	/** Milliseconds since 1970. */
	readonly now: () => number;
	/** How the warnings name settings and commands. */
	readonly names?: Names | undefined;
}

/** Many files over a slow line must not hold up the list. */
const FILES_DEADLINE_MS = 10_000;

/**
 * Asks the model list, the running models and the config file side by side, then the loaded models
 * that have not been asked yet, and merges it all. Only the list is required: its failure rejects,
 * with AiServerError. The others become warnings. No model is ever loaded by this.
 */
export async function discoverModels(
	source: ModelSource,
	options: DiscoverOptions,
): Promise<Discovery> {
	const { onPart, quick = false, signal } = options;
	const reading = quick ? undefined : settle(source.readConfig(signal));
	const processes = settle(source.listRunning(signal));
	const listed = await source.listModels(signal);
	const running = await processes;
	const probed = new Map(options.probed);
	await probeServers(source, running.value ?? [], probed, signal);
	const merge = (config?: Settled<SwapConfig | undefined>): Discovery =>
		mergeAnswers({ listed, running, config, probed }, options);

	if (reading === undefined) return merge();
	onPart?.(merge());
	const config = await reading;
	await probeFiles(source, config.value?.models.values() ?? [], probed, signal);
	return merge(config);
}

interface Answers {
	readonly listed: readonly ListedModel[];
	readonly running: Settled<readonly RunningModel[]>;
	/** Undefined while it is not read. */
	readonly config: Settled<SwapConfig | undefined> | undefined;
	readonly probed: ReadonlyMap<string, Probed>;
}

function mergeAnswers(
	{ listed, running, config, probed }: Answers,
	{ remembered = new Map(), now, names }: DiscoverOptions,
): Discovery {
	const all = mergeModels({
		listed,
		running: running.value,
		preset: config?.value,
		probed,
		remembered,
	});
	const models = all.filter(canChat);
	const isEmpty = models.length === 0;
	return {
		models: isEmpty ? fallbackDiscovery().models : models,
		others: all.filter((model) => !canChat(model)),
		probed: new Map(probed),
		warnings: [
			...runningWarnings(running.error, names),
			...configWarnings(config?.error, models, names),
			...(isEmpty ? [emptyListWarning(names)] : []),
		],
		guesses: isEmpty ? [] : notes(models, running.error),
		source: "server",
		seenAt: now(),
	};
}

function canChat({ kind }: ServerModel): boolean {
	return kind === undefined || kind === "chat";
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

/**
 * Asks each model's file what it was trained for: a window may be that, and is never more. The head
 * of a file is read once for each command.
 */
async function probeFiles(
	source: ModelSource,
	configured: Iterable<SwapModel>,
	probed: Map<string, Probed>,
	signal: AbortSignal | undefined,
): Promise<void> {
	const read = async (limit: AbortSignal): Promise<void> => {
		for (const { id, cmd, launch } of configured) {
			const { modelPath, contextSize } = launch;
			if (stillTrue(probed.get(id), cmd) !== undefined || modelPath === undefined) continue;
			if (contextSize === "unknown") continue;
			const { value: trained } = await settle(source.readTrained(modelPath, limit));
			// What was not read in time is asked for again.
			if (trained === undefined && limit.aborted) return;
			probed.set(id, probedFile(fingerprintOf(cmd), trained));
		}
	};
	await settle(withDeadline(FILES_DEADLINE_MS, read, { signal }));
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
