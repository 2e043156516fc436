import { expect, test } from "vitest";
import { createCatalog } from "../../discovery/catalog.ts";
import { AiServerError } from "../../lib/errors.ts";
import type { JsonFile } from "../../lib/json-file.ts";
import { parseConfig, type SwapConfig } from "../../lib/llama-swap/config/read.ts";
import { contexts, failing, listed, memory, NOW, now, source } from "../support/model-source.ts";

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
	expect(changes).toBe(2); // with what HTTP told, and with the config file
	const { models, others } = catalog.current();
	// "a" runs and was asked, but told nothing that is worth keeping.
	expect(file.written.at(-1)).toEqual({
		seenAt: NOW,
		models,
		others,
		learned: [],
		heads: [],
		isComplete: true,
	});
	expect(file.written).toHaveLength(2);
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
	const kept = JSON.parse(JSON.stringify(first.written.at(-1))) as unknown;
	const silent = source({ readConfig: failing("no ssh"), listRunning: async () => [] });
	const catalog = createCatalog({
		source: silent,
		file: memory(kept),
		now: () => NOW + 5000,
		signal: AbortSignal.any([]),
	});
	expect(await catalog.restore()).toEqual({ age: 5000, isComplete: true });
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
	const kept = JSON.parse(JSON.stringify(file.written.at(-1))) as unknown;
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
	expect(read).toEqual(["/models/m.gguf", "/models/missing.gguf"]);
	expect(contexts(catalog.current())).toEqual([
		["n", 512, "config"],
		["q", 1024, "config"],
		["p", 32_768, "guess"],
		["m", 40_960, "gguf"],
		["o", 40_960, "gguf"],
	]);
});

/** Three models whose windows are told by HTTP, by the config, and by the head of a file. */
const THREE = `models:
  a: { cmd: llama-server -c 99999 -m /a.gguf }
  b: { cmd: llama-server -c 8192 -m /b.gguf }
  c: { cmd: llama-server -c 2048 -m /c.gguf }
`;

interface Slow {
	readonly catalog: ReturnType<typeof createCatalog>;
	readonly file: ReturnType<typeof memory>;
	readonly sendConfig: (config: SwapConfig) => void;
	readonly sendHead: (path: string, trained: number | undefined) => void;
	/** Paths of the heads that were asked for. */
	readonly asked: readonly string[];
	/** The windows that were published, each time. */
	readonly published: unknown[];
}

/** A server whose files come when the test sends them. */
function slow(kept?: unknown): Slow {
	const config = Promise.withResolvers<SwapConfig>();
	const heads = new Map<string, PromiseWithResolvers<number | undefined>>();
	const published: unknown[] = [];
	const file = memory(kept);
	const catalog = createCatalog({
		source: source({
			listModels: async () => ["a", "b", "c"].map(listed),
			listRunning: async () => [],
			readConfig: () => config.promise,
			readTrained: (path) => {
				const head = Promise.withResolvers<number | undefined>();
				heads.set(path, head);
				return head.promise;
			},
		}),
		file,
		now,
		signal: AbortSignal.any([]),
	});
	catalog.onChange(() => published.push(contexts(catalog.current())));
	return {
		catalog,
		file,
		sendConfig: config.resolve,
		sendHead: (path, trained) => heads.get(path)?.resolve(trained),
		get asked() {
			return [...heads.keys()];
		},
		published,
	};
}

const later = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 20));

test("each part is published and kept as soon as it is there", async () => {
	const { catalog, file, sendConfig, sendHead, published } = slow();
	const whole = catalog.refresh();
	await later();
	const guesses = ["a", "b", "c"].map((id) => [id, 32_768, "guess"]);
	expect(published).toEqual([guesses]);
	sendConfig(parseConfig(THREE));
	await later();
	const written = [
		["c", 2048, "config"],
		["b", 8192, "config"],
		["a", 100_096, "config"],
	];
	expect(published.slice(1)).toEqual([written]);
	sendHead("/a.gguf", 40_960);
	await later();
	const [c, b] = written;
	expect(published.slice(2)).toEqual([[c, b, ["a", 40_960, "gguf"]]]);
	sendHead("/b.gguf", 131_072);
	expect(contexts(await whole)).toEqual([c, b, ["a", 40_960, "gguf"]]);
	const kept = file.written as readonly { readonly isComplete: boolean }[];
	expect(kept.map(({ isComplete }) => isComplete)).toEqual([false, false, false, true]);
	expect(file.written.at(-1)).toMatchObject({
		heads: [
			["/a.gguf", 40_960],
			["/b.gguf", 131_072],
		],
	});
});

test("a head is read where a window depends on it, and all of them side by side", async () => {
	const rig = slow();
	void rig.catalog.refresh();
	rig.sendConfig(parseConfig(THREE));
	await later();
	expect(rig.asked).toEqual(["/a.gguf", "/b.gguf"]); // no model is trained for less than c has
});

test("what was learned until the process ended is there at the next start", async () => {
	const first = slow();
	void first.catalog.refresh();
	first.sendConfig(parseConfig(THREE));
	await later();
	first.sendHead("/a.gguf", 40_960);
	await later();
	const kept = JSON.parse(JSON.stringify(first.file.written.at(-1))) as unknown;

	const second = slow(kept);
	expect(await second.catalog.restore()).toEqual({ age: 0, isComplete: false });
	expect(contexts(second.catalog.current())).toEqual([
		["c", 2048, "cache"],
		["b", 8192, "cache"],
		["a", 40_960, "cache"],
	]);
	const whole = second.catalog.refresh();
	second.sendConfig(parseConfig(THREE.replace("99999", "88888")));
	await later();
	expect(second.asked).toEqual(["/b.gguf"]); // that of a has its answer, whatever its command is now
	second.sendHead("/b.gguf", undefined);
	expect(await whole).toMatchObject({ isComplete: true });
});

test("windows that were known stay so while SSH is down, unless a model is new", async () => {
	const first = slow();
	const whole = first.catalog.refresh();
	first.sendConfig(parseConfig("models:\n  a: { cmd: llama-server -c 1024 }\n"));
	expect(await whole).toMatchObject({ isComplete: true });
	const kept = JSON.parse(JSON.stringify(first.file.written.at(-1))) as unknown;
	for (const [ids, isComplete] of [
		[["a", "b", "c"], true],
		[["a"], true],
		[["a", "new"], false],
	] as const) {
		const catalog = createCatalog({
			source: source({
				listModels: async () => ids.map(listed),
				listRunning: async () => [],
				readConfig: failing("no ssh"),
			}),
			file: memory(kept),
			now,
			signal: AbortSignal.any([]),
		});
		await catalog.restore();
		expect(await catalog.refresh()).toMatchObject({ isComplete });
		expect(await catalog.refresh({ quick: true })).toMatchObject({ isComplete });
	}
});
