import { expect, test } from "vitest";
import { fallbackDiscovery } from "../discovery/fallback.ts";
import { type Discovery, discoverModels } from "../discovery.ts";
import { AiServerError } from "../lib/errors.ts";
import type { SwapConfig } from "../lib/llama-swap/config/read.ts";
import { contexts, failing, listed, NOW, now, presetOf, source } from "./support/model-source.ts";

test("asks all three and merges them", async () => {
	const found = await discoverModels(source(), { now });
	expect(contexts(found)).toEqual([
		["a", 1024, "command"],
		["b", 2048, "config"],
	]);
	expect(found).toMatchObject({ warnings: [], guesses: [], source: "server", seenAt: NOW });
});

test("gives the part of HTTP at once and the whole when SSH has answered", async () => {
	const sizes = Promise.withResolvers<SwapConfig>();
	const parts: Discovery[] = [];
	const whole = discoverModels(source({ readConfig: () => sizes.promise }), {
		now,
		onPart: (part) => {
			parts.push(part);
			sizes.resolve(presetOf("b", 2048));
		},
	});
	expect(contexts(await whole)).toContainEqual(["b", 2048, "config"]);
	expect(parts.slice(0, -1).map(contexts)).toEqual([
		[
			["a", 1024, "command"],
			["b", 32768, "guess"],
		],
	]);
});

test("the list is required, the rest becomes a warning that names the guesses", async () => {
	await expect(discoverModels(source({ listModels: failing("down") }), { now })).rejects.toThrow(
		"down",
	);
	const found = await discoverModels(
		source({ listRunning: failing("no running"), readConfig: failing("no ssh") }),
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
	const found = await discoverModels(
		source({ listModels: async () => [], listRunning: async () => [] }),
		{ now },
	);
	expect(found.models).toEqual(fallbackDiscovery().models);
	expect(found.warnings).toEqual([expect.stringContaining("The server lists no models")]);
});

test("what cannot chat is not offered, but told", async () => {
	const found = await discoverModels(
		source({
			listModels: async () => [listed("m"), { ...listed("e"), kind: "embedding" }],
			listRunning: async () => [],
		}),
		{ now },
	);
	expect(found.models.map(({ id }) => id)).toEqual(["m"]);
	expect(found.others).toMatchObject([{ id: "e", kind: "embedding" }]);
});

test("a plain server, which has no list of running models, is no fault", async () => {
	const missing = async (): Promise<never> => {
		throw new AiServerError("http", "no such page", { status: 404 });
	};
	const found = await discoverModels(
		source({ listRunning: missing, readConfig: async () => undefined }),
		{ now },
	);
	expect(found.warnings).toEqual([]);
	expect(found.guesses).toContain(
		"This server does not report which models are loaded; loading and unloading need llama-swap",
	);
	expect(found.models.map(({ state }) => state)).toEqual(["unknown", "unknown"]);
});
