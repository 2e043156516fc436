import { expect, test } from "vitest";
import { createCatalog } from "../../discovery/catalog.ts";
import { AiServerError } from "../../lib/errors.ts";
import type { JsonFile } from "../../lib/json-file.ts";
import { parseConfig } from "../../lib/llama-swap/config/read.ts";
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
