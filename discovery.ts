import type { Admin } from "./admin.ts";
import { MODELS } from "./config.ts";
import { describeError } from "./lib/errors.ts";
import type { JsonFile } from "./lib/json-file.ts";
import {
	conservativeFirst,
	FALLBACK_CONTEXT,
	mergeModels,
	type ServerModel,
} from "./lib/llama-swap/merge.ts";

export interface Discovery {
	/** Never empty; the most conservative model first. */
	readonly models: readonly ServerModel[];
	/** What could not be had, in sentences for a person; worth telling at once. */
	readonly warnings: readonly string[];
	/** Which numbers are guesses; shown with the table. */
	readonly guesses: readonly string[];
	readonly source: "server" | "cache" | "fallback";
	/** When the server gave this list, in ms since 1970; undefined for the fallback. */
	readonly seenAt: number | undefined;
}

/** What discovery asks; each method rejects with AiServerError. */
export type ModelSource = Pick<Admin, "listModels" | "listRunning" | "readContextSizes">;

export interface DiscoverOptions {
	/** Sizes from an earlier time, for models whose size cannot be read now. */
	readonly remembered?: ReadonlyMap<string, number>;
	/** Gets the list as soon as HTTP has answered, before the slower SSH has. */
	readonly onPart?: (part: Discovery) => void;
	/** Leaves the config file out: for a start that remembers its sizes. */
	readonly quick?: boolean;
	readonly signal?: AbortSignal;
	/** Milliseconds since 1970. */
	readonly now: () => number;
}

/**
 * Asks the model list, the running models and the config file side by side and merges them. Only
 * the list is required: its failure rejects, with AiServerError. The others become warnings.
 */
export async function discoverModels(
	source: ModelSource,
	{ remembered = new Map(), onPart, quick = false, signal, now }: DiscoverOptions,
): Promise<Discovery> {
	const preset = quick ? undefined : settle(source.readContextSizes(signal));
	const processes = settle(source.listRunning(signal));
	const listed = await source.listModels(signal);
	const running = await processes;

	const merge = (sizes?: Settled<ReadonlyMap<string, number>>): Discovery => {
		const configured = sizes?.value ?? new Map();
		const models = mergeModels({ listed, running: running.value, configured, remembered });
		const warnings = [...runningWarnings(running.error), ...presetWarnings(sizes?.error, models)];
		const guesses = guessNotes(models);
		const found: Discovery = { models, warnings, guesses, source: "server", seenAt: now() };
		return models.length === 0 ? withFallbackModels(found) : found;
	};
	if (preset === undefined) return merge();
	onPart?.(merge());
	return merge(await preset);
}

/** The list that stands in until the server has answered once. */
export function fallbackDiscovery(): Discovery {
	const models = MODELS.map(({ id, contextWindow, reasoning }): ServerModel => {
		const known = { contextWindow, contextOrigin: "guess", state: "unknown" } as const;
		return { id, name: id, reasoning, images: false, ...known };
	});
	return {
		models: conservativeFirst(models),
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
	/** Ends a refresh under way, at shutdown. */
	readonly signal: AbortSignal;
}

export function createCatalog({ source, file, now, signal }: CatalogDeps): Catalog {
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
			const options = { remembered, onPart: publish, quick, signal, now };
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
		await file.write({ seenAt: found.seenAt, models: found.models });
		return found;
	} catch (error) {
		const warning = `The model list could not be kept for an offline start: ${describeError(error)}`;
		return { ...found, warnings: [...found.warnings, warning] };
	}
}

function parseKept(kept: unknown): Discovery | undefined {
	const { seenAt, models: list } = (kept ?? {}) as { seenAt?: unknown; models?: unknown };
	if (typeof seenAt !== "number" || !Array.isArray(list)) return undefined;
	const usable = list.filter(isKeptModel).map((model) => ({
		...model,
		state: "unknown" as const,
		contextOrigin: model.contextOrigin === "guess" ? ("guess" as const) : ("cache" as const),
	}));
	if (usable.length === 0) return undefined;
	const models = conservativeFirst(usable);
	return { models, warnings: [], guesses: guessNotes(models), source: "cache", seenAt };
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
	const known = models.filter(({ contextOrigin }) => contextOrigin !== "guess");
	return new Map(known.map(({ id, contextWindow }) => [id, contextWindow]));
}

function withFallbackModels(found: Discovery): Discovery {
	const warning = "The server lists no models. Add one to its config, then run /ai-server-refresh";
	const { models } = fallbackDiscovery();
	return { ...found, models, guesses: [], warnings: [...found.warnings, warning] };
}

function runningWarnings(error: unknown): readonly string[] {
	return error === undefined ? [] : [`Which models are loaded is unknown: ${describeError(error)}`];
}

function presetWarnings(error: unknown, models: readonly ServerModel[]): readonly string[] {
	if (error === undefined) return [];
	const unsure = models.filter(({ contextOrigin }) => contextOrigin !== "command");
	const effect =
		unsure.length === 0 ? "" : `. Context windows that may be wrong: ${idList(unsure)}`;
	return [`The server's config could not be read: ${describeError(error)}${effect}`];
}

function guessNotes(models: readonly ServerModel[]): readonly string[] {
	const guessed = models.filter(({ contextOrigin }) => contextOrigin === "guess");
	if (guessed.length === 0) return [];
	return [
		`Context window unknown, taken as ${FALLBACK_CONTEXT}: ${idList(guessed)}. Give the model's cmd a --ctx-size`,
	];
}

function idList(models: readonly ServerModel[]): string {
	const ids = models.slice(0, 3).map(({ id }) => id);
	const more = models.length > 3 ? ` and ${models.length - 3} more` : "";
	return `${ids.join(", ")}${more}`;
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
