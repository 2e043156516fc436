import { type Discovery, discoverModels, type ModelSource } from "../discovery.ts";
import type { Names } from "../lib/errors.ts";
import type { JsonFile } from "../lib/json-file.ts";
import { isSure, keepList, parseKept } from "./cache.ts";
import { fallbackDiscovery } from "./fallback.ts";
import type { ServerModel } from "./merge.ts";

/** The models as pi sees them: what is known now, and one way to learn more. */
export interface Catalog {
	current(): Discovery;
	/** Takes the list that an earlier start has kept; undefined for none. */
	restore(): Promise<KeptList | undefined>;
	/**
	 * Asks the server, without the config file when `quick`; a call while one is under way joins it.
	 * Rejects with AiServerError when the list could not be had, and leaves the current one as it is.
	 */
	refresh(options?: { readonly quick?: boolean }): Promise<Discovery>;
	/** Calls back after every change of the current list; returns the way to stop that. */
	onChange(listener: () => void): () => void;
}

export interface KeptList {
	/** In milliseconds. */
	readonly age: number;
	/** False when windows in it are guesses because something was not read in time. */
	readonly isComplete: boolean;
}

export interface CatalogDeps {
	readonly source: ModelSource;
	/** Where the last good list is kept for an offline start. */
	readonly file: JsonFile;
	/** Milliseconds since 1970. */
	readonly now: () => number;
	/** How the warnings name settings and commands. */
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
	/** Each part is kept at once: the process may end before the next one comes. */
	const take = async (part: Discovery): Promise<void> => {
		publish(part);
		const kept = await keepList(part, file);
		// Unless the next part has come meanwhile.
		if (kept !== part && current === part) publish(kept);
	};
	const ask = async (quick: boolean): Promise<Discovery> => {
		const before = current;
		let taken: Promise<void> = Promise.resolve();
		try {
			await discoverModels(source, {
				remembered: rememberedSizes(before),
				disproved: disprovedWindows(before),
				probed: before.probed,
				heads: before.heads,
				onPart(part) {
					taken = take(withKnown(part, before));
				},
				quick,
				signal,
				now,
				names,
			});
			await taken;
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
			return { age: now() - kept.seenAt, isComplete: kept.isComplete };
		},
		refresh,
		onChange(listener) {
			listeners.add(listener);
			return () => listeners.delete(listener);
		},
	};
}

/** Windows that were complete are no less so for being remembered, where no model is new. */
function withKnown(part: Discovery, before: Discovery): Discovery {
	if (part.isComplete || !before.isComplete) return part;
	const known = new Set([...before.models, ...before.others].map(({ id }) => id));
	return { ...part, isComplete: part.models.every(({ id }) => known.has(id)) };
}

function disprovedWindows({ models }: Discovery): ReadonlyMap<string, ServerModel> {
	return new Map(
		models.flatMap((model) => (model.disproved === undefined ? [] : [[model.id, model] as const])),
	);
}

function rememberedSizes({ models, source }: Discovery): ReadonlyMap<string, number> {
	if (source === "fallback") return new Map();
	// What a server or a file has reported is in `probed`, and dies with the command it belongs to.
	const known = models.filter(
		({ contextOrigin }) => contextOrigin !== "server" && isSure(contextOrigin),
	);
	return new Map(known.map(({ id, contextWindow }) => [id, contextWindow]));
}
