import { expect, test } from "vitest";
import {
	createCatalog,
	type Discovery,
	discoverModels,
	fallbackDiscovery,
	type ModelSource,
} from "../discovery.ts";
import { AiServerError } from "../lib/errors.ts";
import type { JsonFile } from "../lib/json-file.ts";
import type { ListedModel } from "../lib/llama-swap/model-list.ts";

const listed = (id: string): ListedModel => ({ id, name: undefined, images: false });
const NOW = 1_000_000;
const now = (): number => NOW;

function source(given: Partial<ModelSource> = {}): ModelSource {
	return {
		listModels: async () => [listed("a"), listed("b")],
		listRunning: async () => [{ id: "a", state: "ready", cmd: "llama-server -c 1000" }],
		readContextSizes: async () => new Map([["b", 2000]]),
		...given,
	};
}

const failing = (message: string) => async (): Promise<never> => {
	throw new AiServerError("network", message, { hint: "Do this" });
};

function memory(kept?: unknown): JsonFile & { readonly written: unknown[] } {
	const written: unknown[] = [];
	return { written, read: async () => kept, write: async (value) => void written.push(value) };
}

const contexts = ({ models }: Discovery): unknown =>
	models.map(({ id, contextWindow, contextOrigin }) => [id, contextWindow, contextOrigin]);

test("asks all three and merges them", async () => {
	const found = await discoverModels(source(), { now });
	expect(contexts(found)).toEqual([
		["a", 1000, "command"],
		["b", 2000, "config"],
	]);
	expect(found).toMatchObject({ warnings: [], guesses: [], source: "server", seenAt: NOW });
});

test("gives the part of HTTP at once and the whole when SSH has answered", async () => {
	const sizes = Promise.withResolvers<ReadonlyMap<string, number>>();
	const parts: Discovery[] = [];
	const whole = discoverModels(source({ readContextSizes: () => sizes.promise }), {
		now,
		onPart: (part) => {
			parts.push(part);
			sizes.resolve(new Map([["b", 2000]]));
		},
	});
	expect(contexts(await whole)).toContainEqual(["b", 2000, "config"]);
	expect(parts.map(contexts)).toEqual([
		[
			["a", 1000, "command"],
			["b", 32768, "guess"],
		],
	]);
});

test("the list is required, the rest becomes a warning that names the guesses", async () => {
	await expect(discoverModels(source({ listModels: failing("down") }), { now })).rejects.toThrow(
		"down",
	);
	const found = await discoverModels(
		source({ listRunning: failing("no running"), readContextSizes: failing("no ssh") }),
		{ now },
	);
	expect(found.warnings).toEqual([
		"Which models are loaded is unknown: no running. Do this",
		"The server's config could not be read: no ssh. Do this. Context windows that may be wrong: a, b",
	]);
	expect(found.guesses).toEqual([
		"Context window unknown, taken as 32768: a, b. Give the model's cmd a --ctx-size",
	]);
	expect(found.models.map(({ state }) => state)).toEqual(["unknown", "unknown"]);
});

test("a server without models keeps the fallback and says so", async () => {
	const found = await discoverModels(source({ listModels: async () => [] }), { now });
	expect(found.models).toEqual(fallbackDiscovery().models);
	expect(found.warnings).toEqual([expect.stringContaining("The server lists no models")]);
});

test("a catalog begins with the fallback, then has what the server says, and keeps that", async () => {
	const file = memory();
	const catalog = createCatalog({ source: source(), file, now, signal: AbortSignal.any([]) });
	expect(catalog.current().source).toBe("fallback");
	expect(await catalog.restore()).toBeUndefined();
	let changes = 0;
	const stop = catalog.onChange(() => {
		changes += 1;
	});
	await catalog.refresh();
	expect(changes).toBe(2); // the part, and the whole
	expect(file.written).toEqual([{ seenAt: NOW, models: catalog.current().models }]);
	stop();
	await catalog.refresh();
	expect(changes).toBe(2);
});

test("a kept list comes back as what it is: old, its states unknown, its sizes remembered", async () => {
	const first = memory();
	await createCatalog({
		source: source(),
		file: first,
		now,
		signal: AbortSignal.any([]),
	}).refresh();
	const kept = JSON.parse(JSON.stringify(first.written[0])) as unknown;
	const silent = source({ readContextSizes: failing("no ssh"), listRunning: async () => [] });
	const catalog = createCatalog({
		source: silent,
		file: memory(kept),
		now: () => NOW + 5000,
		signal: AbortSignal.any([]),
	});
	expect(await catalog.restore()).toBe(5000);
	expect(catalog.current()).toMatchObject({ source: "cache", seenAt: NOW });
	expect(catalog.current().models.map(({ state }) => state)).toEqual(["unknown", "unknown"]);
	await catalog.refresh();
	expect(contexts(catalog.current())).toEqual([
		["a", 1000, "cache"],
		["b", 2000, "cache"],
	]);
});

test.each([
	["nothing", undefined],
	["another shape", { models: "x", seenAt: 1 }],
	["no time", { models: [] }],
	["no usable model", { seenAt: 1, models: [{ id: 1 }, null, { id: "x", name: "x" }] }],
])("a kept file with %s is no list", async (_name, kept) => {
	const catalog = createCatalog({
		source: source(),
		file: memory(kept),
		now,
		signal: AbortSignal.any([]),
	});
	expect(await catalog.restore()).toBeUndefined();
	expect(catalog.current().source).toBe("fallback");
});

test("refreshes join: one question at a time, and a whole one follows a quick one", async () => {
	let asked = 0;
	let sizes = 0;
	const counting = source({
		listModels: async () => {
			asked += 1;
			return [listed("a")];
		},
		readContextSizes: async () => {
			sizes += 1;
			return new Map();
		},
	});
	const catalog = createCatalog({
		source: counting,
		file: memory(),
		now,
		signal: AbortSignal.any([]),
	});
	await Promise.all([catalog.refresh(), catalog.refresh(), catalog.refresh({ quick: true })]);
	expect([asked, sizes]).toEqual([1, 1]);
	await Promise.all([catalog.refresh({ quick: true }), catalog.refresh()]);
	expect([asked, sizes]).toEqual([3, 2]);
});

test("a failure keeps the list, and the next refresh asks again", async () => {
	let down = false;
	const moody = source({
		listModels: async () => {
			if (down) throw new AiServerError("network", "down");
			return [listed("a")];
		},
	});
	const catalog = createCatalog({
		source: moody,
		file: memory(),
		now,
		signal: AbortSignal.any([]),
	});
	await catalog.refresh();
	down = true;
	await expect(catalog.refresh()).rejects.toThrow("down");
	expect(catalog.current().source).toBe("server");
	down = false;
	expect((await catalog.refresh()).models).toHaveLength(1);
});

test("a list that cannot be kept is used all the same", async () => {
	const file: JsonFile = {
		read: async () => undefined,
		write: async () => {
			throw new Error("disk full");
		},
	};
	const catalog = createCatalog({ source: source(), file, now, signal: AbortSignal.any([]) });
	const { warnings, models } = await catalog.refresh();
	expect(models).toHaveLength(2);
	expect(warnings).toEqual(["The model list could not be kept for an offline start: disk full"]);
});
