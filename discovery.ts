import type { Admin } from "./admin.ts";
import { MODELS } from "./config.ts";
import {
	type ContextOrigin,
	conservativeFirst,
	mergeModels,
	type ServerModel,
} from "./discovery/merge.ts";
import { fingerprintOf, type Learned, parseLearned, stillTrue } from "./discovery/probed.ts";
import { notes, presetWarnings, runningWarnings } from "./discovery/warnings.ts";
import { describeError, type Names } from "./lib/errors.ts";
import type { JsonFile } from "./lib/json-file.ts";
import type { RunningModel } from "./lib/llama-swap/api/models.ts";
import type { SwapConfig } from "./lib/llama-swap/config/read.ts";

export interface Discovery {
	/** Those that can chat. Never empty; the most conservative model first. */
	readonly models: readonly ServerModel[];
	/** Those that cannot: embedding, reranker, image and audio models. */
	readonly others: readonly ServerModel[];
	/** What loaded models have told, by id; kept, so that no model is asked twice. */
	readonly learned: ReadonlyMap<string, Learned>;
	/** What could not be had, in sentences for a person; worth telling at once. */
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
	readonly learned?: ReadonlyMap<string, Learned>;
	/** Gets the list as soon as HTTP has answered, before the slower SSH has. */
	readonly onPart?: (part: Discovery) => void;
	/** Leaves the config file out: for a start that remembers its sizes. */
	readonly quick?: boolean;
	readonly signal?: AbortSignal;
	/** Milliseconds since 1970. */
	readonly now: () => number;
	/** How the warnings name settings. */
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
	const { remembered = new Map(), onPart, quick = false, signal, now, names } = options;
	const reading = quick ? undefined : settle(source.readConfig(signal));
	const processes = settle(source.listRunning(signal));
	const listed = await source.listModels(signal);
	const running = await processes;
	const known = new Map(options.learned);
	for (const [id, facts] of await askLoaded(source, running.value ?? [], known, signal)) {
		known.set(id, facts);
	}

	const merge = (config?: Settled<SwapConfig | undefined>): Discovery => {
		const preset = config?.value;
		const all = mergeModels({ listed, running: running.value, preset, learned: known, remembered });
		const models = all.filter(canChat);
		const others = all.filter((model) => !canChat(model));
		const warnings = [
			...runningWarnings(running.error, names),
			...presetWarnings(config?.error, models, names),
		];
		const found: Discovery = {
			...{ models, others, learned: new Map(known), warnings },
			...{ guesses: notes(models, running.error), source: "server", seenAt: now() },
		};
		return models.length === 0 ? withFallbackModels(found) : found;
	};
	if (reading === undefined) return merge();
	onPart?.(merge());
	const config = await reading;
	for (const [id, facts] of await readFiles(source, config.value, known, signal)) {
		known.set(id, facts);
	}
	return merge(config);
}

/**
 * Asks each loaded model once: the question restarts its TTL. A model without an answer is
 * remembered too, as one that is not to be asked again.
 */
async function askLoaded(
	source: ModelSource,
	running: readonly RunningModel[],
	learned: ReadonlyMap<string, Learned>,
	signal: AbortSignal | undefined,
): Promise<readonly (readonly [string, Learned])[]> {
	const fresh = running.filter(({ id, state, cmd }) => {
		const facts = stillTrue(learned.get(id), cmd);
		const wasAsked = facts !== undefined && facts.trained === undefined && facts.file === undefined;
		return state === "ready" && !wasAsked;
	});
	return Promise.all(
		fresh.map(async ({ id, cmd }) => {
			const fingerprint = cmd === undefined ? undefined : fingerprintOf(cmd);
			const { value } = await settle(source.readProps(id, signal));
			// What its file said is left out: the server itself has taken that into account.
			return [id, { ...value, fingerprint }] as const;
		}),
	);
}

/**
 * Asks each model's file what it was trained for: a window may be that, and is never more. The head
 * of a file is read once for each command.
 */
async function readFiles(
	source: ModelSource,
	preset: SwapConfig | undefined,
	learned: ReadonlyMap<string, Learned>,
	signal: AbortSignal | undefined,
): Promise<readonly (readonly [string, Learned])[]> {
	const deadline = AbortSignal.timeout(FILES_DEADLINE_MS);
	const limit = signal === undefined ? deadline : AbortSignal.any([signal, deadline]);
	const read: (readonly [string, Learned])[] = [];
	for (const { id, cmd, launch } of preset?.models.values() ?? []) {
		const { modelPath, contextSize } = launch;
		if (stillTrue(learned.get(id), cmd) !== undefined || modelPath === undefined) continue;
		if (contextSize === "unknown" || limit.aborted) continue;
		const { value: trained, error } = await settle(source.readTrained(modelPath, limit));
		const fingerprint = fingerprintOf(cmd);
		if (trained !== undefined) read.push([id, { fingerprint, trained }]);
		else if (error === undefined || !limit.aborted) {
			read.push([id, { fingerprint, file: "unreadable" }]);
		}
	}
	return read;
}

function canChat({ kind }: ServerModel): boolean {
	return kind === undefined || kind === "chat";
}

/** Many files over a slow line must not hold up the list. */
const FILES_DEADLINE_MS = 10_000;

/** The list that stands in until the server has answered once. */
export function fallbackDiscovery(): Discovery {
	const models = MODELS.map(({ id, contextWindow, reasoning }): ServerModel => {
		const known = { contextWindow, contextOrigin: "guess", state: "unknown" } as const;
		return { id, name: id, reasoning, images: false, ...known };
	});
	return {
		models: conservativeFirst(models),
		others: [],
		learned: new Map(),
		warnings: [],
		guesses: [],
		source: "fallback",
		seenAt: undefined,
	};
}

/** The models as pi sees them: what is known now, and one way to learn more. */
export interface Catalog {
	current(): Discovery;
	/** Takes the list that an earlier start has kept, and tells its age in ms; undefined for none. */
	restore(): Promise<number | undefined>;
	/**
	 * Asks the server, without the config file when `quick`; a call while one is under way joins it.
	 * Rejects with AiServerError when the list could not be had, and leaves the current one as it is.
	 */
	refresh(options?: { readonly quick?: boolean }): Promise<Discovery>;
	/** Calls back after every change of the current list; returns the way to stop that. */
	onChange(listener: () => void): () => void;
}

export interface CatalogDeps {
	readonly source: ModelSource;
	/** Where the last good list is kept for an offline start. */
	readonly file: JsonFile;
	/** Milliseconds since 1970. */
	readonly now: () => number;
	/** How the warnings name settings. */
	readonly names?: Names | undefined;
	/** Ends a refresh under way, at shutdown. */
	readonly signal: AbortSignal;
}

export function createCatalog({ source, file, now, signal, names }: CatalogDeps): Catalog {
	const listeners = new Set<() => void>();
	let current = fallbackDiscovery();
	let running: { readonly quick: boolean; readonly result: Promise<Discovery> } | undefined;

	const publish = (next: Discovery): void => {
		current = next;
		for (const listener of listeners) listener();
	};
	const ask = async (quick: boolean): Promise<Discovery> => {
		try {
			const remembered = rememberedSizes(current);
			const { learned } = current;
			const options = { remembered, learned, onPart: publish, quick, signal, now, names };
			const found = await discoverModels(source, options);
			publish(await keep(found, file));
			return current;
		} finally {
			running = undefined;
		}
	};
	const refresh = ({ quick = false } = {}): Promise<Discovery> => {
		if (running !== undefined && (quick || !running.quick)) return running.result;
		// The whole list was asked for while a quick look is under way: it comes next.
		const before = running?.result.catch(() => undefined);
		const result = before === undefined ? ask(quick) : before.then(() => refresh({ quick }));
		if (before === undefined) running = { quick, result };
		return result;
	};
	return {
		current: () => current,
		async restore() {
			const kept = parseKept(await file.read());
			if (kept?.seenAt === undefined) return undefined;
			publish(kept);
			return now() - kept.seenAt;
		},
		refresh,
		onChange(listener) {
			listeners.add(listener);
			return () => listeners.delete(listener);
		},
	};
}

/** A list that cannot be kept is as good as any for now, so the failure is a warning beside it. */
async function keep(found: Discovery, file: JsonFile): Promise<Discovery> {
	try {
		const { seenAt, models, others } = found;
		// A model that gave no answer may give one after the next start.
		const learned = [...found.learned].filter(
			([, { fingerprint: _, file, ...facts }]) =>
				file === undefined && Object.keys(facts).length > 0,
		);
		await file.write({ seenAt, models, others, learned });
		return found;
	} catch (error) {
		const warning = `The model list could not be kept for an offline start: ${describeError(error)}`;
		return { ...found, warnings: [...found.warnings, warning] };
	}
}

function parseKept(kept: unknown): Discovery | undefined {
	const file = (kept ?? {}) as Partial<Record<"seenAt" | "models" | "others" | "learned", unknown>>;
	const { seenAt } = file;
	if (typeof seenAt !== "number") return undefined;
	const models = conservativeFirst(keptModels(file.models));
	if (models.length === 0) return undefined;
	const learned = parseLearned(file.learned);
	const others = keptModels(file.others);
	return {
		...{ models, others, learned, warnings: [], guesses: notes(models, undefined) },
		...{ source: "cache", seenAt },
	};
}

/** Sizes that are no better known for having been kept. */
const UNSURE: ReadonlySet<ContextOrigin> = new Set<ContextOrigin>(["guess", "unconfirmed"]);

function keptModels(list: unknown): readonly ServerModel[] {
	if (!Array.isArray(list)) return [];
	return list.filter(isKeptModel).map((model) => ({
		...model,
		state: "unknown" as const,
		contextOrigin: UNSURE.has(model.contextOrigin) ? model.contextOrigin : ("cache" as const),
	}));
}

function isKeptModel(value: unknown): value is ServerModel {
	const model = (value ?? {}) as Partial<Record<keyof ServerModel, unknown>>;
	return (
		typeof model.id === "string" &&
		typeof model.name === "string" &&
		Number.isSafeInteger(model.contextWindow) &&
		typeof model.contextOrigin === "string" &&
		typeof model.reasoning === "boolean" &&
		typeof model.images === "boolean"
	);
}

function rememberedSizes({ models, source }: Discovery): ReadonlyMap<string, number> {
	if (source === "fallback") return new Map();
	// What a server or a file has told is in `learned`, and dies with the command it belongs to.
	const known = models.filter(
		({ contextOrigin }) => contextOrigin !== "server" && !UNSURE.has(contextOrigin),
	);
	return new Map(known.map(({ id, contextWindow }) => [id, contextWindow]));
}

function withFallbackModels(found: Discovery): Discovery {
	const warning = "The server lists no models. Add one to its config, then run /ai-server-refresh";
	const { models } = fallbackDiscovery();
	return { ...found, models, guesses: [], warnings: [...found.warnings, warning] };
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
