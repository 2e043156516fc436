import { expect, test } from "vitest";
import { keptHeads, missingHeads, parseHeads, readHeads } from "../../discovery/heads.ts";
import { fingerprintOf, probedServer } from "../../discovery/probed.ts";
import { parseConfig } from "../../lib/llama-swap/config/read.ts";

const missing = (cmd: string): readonly string[] => {
	const { models } = parseConfig(`models:\n  m:\n    cmd: ${cmd}\n`);
	return missingHeads(models.values(), new Map(), new Map());
};

test.each([
	["no size", "llama-server -m /m.gguf", true],
	["the model's own size", "llama-server -m /m.gguf -c 0", true],
	["a size above what it may be trained for", "llama-server -m /m.gguf -c 4096", true],
	["a large size for one slot of many", "llama-server -m /m.gguf -c 8192 -np 4", false],
	["a size that any model has", "llama-server -m /m.gguf -c 2048", false],
	[
		"an override of what it says",
		"llama-server -m /m.gguf -c 9000 --override-kv llama.context_length=int:8192",
		false,
	],
	["a size that cannot be read", "llama-server -m /m.gguf -c many", false],
	["no file", "llama-server -hf ggml-org/m -c 0", false],
	["another server's size", "vllm serve /m.gguf --max-model-len 8192", false],
])("with %s the head of a file is needed, or not: %s", (_what, cmd, isNeeded) => {
	expect(missing(cmd)).toEqual(isNeeded ? ["/m.gguf"] : []);
});

test("a head with an answer is not missing, nor one whose server has told", () => {
	const cmd = "llama-server -m /m.gguf -c 0";
	const { models } = parseConfig(`models:\n  m: { cmd: ${cmd} }\n  n: { cmd: ${cmd} }\n`);
	expect(missingHeads(models.values(), new Map(), new Map())).toEqual(["/m.gguf"]);
	expect(missingHeads(models.values(), new Map(), new Map([["/m.gguf", undefined]]))).toEqual([]);
	const told = probedServer(fingerprintOf(cmd), { contextWindow: 1024 });
	const both = new Map([
		["m", told],
		["n", told],
	]);
	expect(missingHeads(models.values(), both, new Map())).toEqual([]);
	expect(missingHeads(models.values(), new Map([["m", told]]), new Map())).toEqual(["/m.gguf"]);
});

test("heads that come together are told together, and a failure is an answer", async () => {
	const heads = new Map<string, number | undefined>();
	let told = 0;
	const readTrained = async (path: string): Promise<number | undefined> => {
		if (path === "/b") throw new Error("no such file");
		return 4096;
	};
	const onSome = (): void => {
		told += 1;
	};
	await readHeads({ readTrained }, ["/a", "/b", "/c"], { heads, signal: undefined, onSome });
	expect([...heads].toSorted()).toEqual([
		["/a", 4096],
		["/b", undefined],
		["/c", 4096],
	]);
	expect(told).toBe(1);
});

test("what an abort has ended is no answer", async () => {
	const heads = new Map<string, number | undefined>();
	const controller = new AbortController();
	const readTrained = (_path: string, signal?: AbortSignal): Promise<never> =>
		new Promise((_resolve, reject) => {
			signal?.addEventListener("abort", () => reject(signal.reason as Error));
		});
	const { signal } = controller;
	const reading = readHeads({ readTrained }, ["/a"], { heads, signal, onSome: () => undefined });
	controller.abort();
	await reading;
	expect(heads.size).toBe(0);
});

test("answers are kept, failures are not", () => {
	const kept = JSON.parse(
		JSON.stringify(
			keptHeads(
				new Map([
					["/a", 4096],
					["/b", undefined],
				]),
			),
		),
	) as unknown;
	expect([...parseHeads(kept)]).toEqual([["/a", 4096]]);
});

test.each([[undefined], [{}], [["/a", null, [], ["/a"], ["/a", "4096"], ["/a", -1], [5, 4096]]]])(
	"what is not of that form, %j, is left out",
	(kept) => {
		expect([...parseHeads(kept)]).toEqual([]);
	},
);
