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
import type { ListedModel } from "../lib/llama-swap/api/models.ts";
import { parseConfig, type SwapConfig } from "../lib/llama-swap/config/read.ts";

const listed = (id: string): ListedModel => ({ id, name: undefined, images: false });
const preset = (id: string, size: number): SwapConfig =>
	parseConfig(`models:\n  ${id}:\n    cmd: llama-server -c ${size}\n`);
const NOW = 1_000_000;
const now = (): number => NOW;

function source(given: Partial<ModelSource> = {}): ModelSource {
	return {
		listModels: async () => [listed("a"), listed("b")],
		listRunning: async () => [{ id: "a", state: "ready", cmd: "llama-server -c 1000" }],
		readConfig: async () => preset("b", 2048),
		readProps: async () => ({}),
		readTrained: async () => undefined,
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
			sizes.resolve(preset("b", 2048));
		},
	});
	expect(contexts(await whole)).toContainEqual(["b", 2048, "config"]);
	expect(parts.map(contexts)).toEqual([
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
	const { models, others } = catalog.current();
	// "a" runs and was asked, but told nothing that is worth keeping.
	expect(file.written).toEqual([{ seenAt: NOW, models, others, learned: [] }]);
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
	const silent = source({ readConfig: failing("no ssh"), listRunning: async () => [] });
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
		["a", 1024, "cache"],
		["b", 2048, "cache"],
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
		readConfig: async () => {
			sizes += 1;
			return undefined;
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

const cold = { id: "m", state: "ready", cmd: "llama-server -c 8192 -np 2 --port 5801" } as const;
const told = { contextWindow: 4096, images: true } as const;

test("a loaded model is asked once for each command, whatever its port", async () => {
	const asked: string[] = [];
	let cmd: string = cold.cmd;
	const catalog = createCatalog({
		source: source({
			listModels: async () => [listed("m"), listed("sleeps")],
			listRunning: async () => [
				{ ...cold, cmd },
				{ id: "sleeps", state: "starting", cmd: "x" },
			],
			readProps: async (id) => {
				asked.push(id);
				return told;
			},
		}),
		file: memory(),
		now,
		signal: AbortSignal.any([]),
	});
	await catalog.refresh();
	cmd = cmd.replace("5801", "5802");
	await catalog.refresh();
	expect(asked).toEqual(["m"]);
	expect(contexts(catalog.current())).toContainEqual(["m", 4096, "server"]);
	cmd = cmd.replace("8192", "16384");
	await catalog.refresh();
	expect(asked).toEqual(["m", "m"]);
});

test("what a server told outlives pi, and dies with the command it belongs to", async () => {
	const file = memory();
	const running = source({
		listModels: async () => [listed("m")],
		listRunning: async () => [cold],
		readProps: async () => told,
	});
	const signal = AbortSignal.any([]);
	await createCatalog({ source: running, file, now, signal }).refresh();
	const kept = JSON.parse(JSON.stringify(file.written[0])) as unknown;
	const later = async (cmd: string): Promise<unknown> => {
		const yaml = `models:\n  m:\n    cmd: ${cmd}\n`;
		const stopped = source({
			listModels: async () => [listed("m")],
			listRunning: async () => [],
			readConfig: async () => parseConfig(yaml),
		});
		const catalog = createCatalog({ source: stopped, file: memory(kept), now, signal });
		await catalog.restore();
		await catalog.refresh();
		return contexts(catalog.current());
	};
	expect(await later("llama-server -c 8192 -np 2 --port ${PORT}")).toEqual([["m", 4096, "cache"]]);
	expect(await later("llama-server -c 2048 --port ${PORT}")).toEqual([["m", 2048, "config"]]);
});

test("what a model was trained for is read in its file, once, and bounds its window", async () => {
	const read: string[] = [];
	const yaml = `models:
  m: { cmd: llama-server -m /models/m.gguf -c 0 }
  n: { cmd: llama-server -m /models/m.gguf -c 512 }
  o: { cmd: llama-server -m /models/m.gguf -c 99999 }
  p: { cmd: llama-server -m /models/missing.gguf -c 0 }
  q: { cmd: llama-server -c 1024 }
`;
	const catalog = createCatalog({
		source: source({
			listModels: async () => ["m", "n", "o", "p", "q"].map(listed),
			listRunning: async () => [],
			readConfig: async () => parseConfig(yaml),
			readTrained: async (path) => {
				read.push(path);
				if (path.includes("missing")) throw new AiServerError("ssh", "no such file");
				return 40_960;
			},
		}),
		file: memory(),
		now,
		signal: AbortSignal.any([]),
	});
	await catalog.refresh();
	await catalog.refresh();
	expect(read).toEqual([
		"/models/m.gguf",
		"/models/m.gguf",
		"/models/m.gguf",
		"/models/missing.gguf",
	]);
	expect(contexts(catalog.current())).toEqual([
		["n", 512, "config"],
		["q", 1024, "config"],
		["p", 32_768, "guess"],
		["m", 40_960, "gguf"],
		["o", 40_960, "gguf"],
	]);
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
		"This server does not tell which models are loaded; loading and unloading need llama-swap",
	);
	expect(found.models.map(({ state }) => state)).toEqual(["unknown", "unknown"]);
});
