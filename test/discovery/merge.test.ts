import { expect, test } from "vitest";
import { type MergeSources, mergeModels, type ServerModel } from "../../discovery/merge.ts";
import { fingerprintOf, probedServer } from "../../discovery/probed.ts";
import type { ListedModel, RunningModel } from "../../lib/llama-swap/api/models.ts";
import { parseConfig, type SwapConfig } from "../../lib/llama-swap/config/read.ts";

const listed = (id: string, more: Partial<ListedModel> = {}): ListedModel => ({
	id,
	name: undefined,
	images: false,
	...more,
});
const running = (id: string, cmd?: string): RunningModel => ({ id, state: "ready", cmd });
const merged = (sources: Partial<MergeSources>): ReturnType<typeof mergeModels> =>
	mergeModels({
		listed: [],
		running: [],
		preset: undefined,
		probed: new Map(),
		heads: new Map(),
		remembered: new Map(),
		...sources,
	});

const presetOf = (models: string): SwapConfig => parseConfig(`models:\n${models}`);
const window = ({ contextWindow, contextOrigin }: ServerModel): unknown => [
	contextWindow,
	contextOrigin,
];
const declared = (tokens: number, measured = false): Partial<ListedModel> => ({
	context: { tokens, field: "context_length", measured },
});
const cmd = "llama-server -c 8192 -np 2";

test.each<[string, Partial<MergeSources>, number, string]>([
	[
		"what the loaded server says",
		{ listed: [listed("m", declared(9999))], running: [running("m", cmd)] },
		4096,
		"server",
	],
	["what it said before it stopped", { listed: [listed("m", declared(9999))] }, 4096, "cache"],
])("context: %s wins over all", (_name, sources, size, origin) => {
	const probed = new Map([["m", probedServer(fingerprintOf(cmd), { contextWindow: 4096 })]]);
	const preset = presetOf(`  m: { cmd: ${cmd} }`);
	expect(merged({ ...sources, probed, preset }).map(window)).toEqual([[size, origin]]);
});

test.each<[string, Partial<MergeSources>, number, string]>([
	["the list measures", { listed: [listed("m", declared(2048, true))] }, 2048, "server"],
	["the list declares", { listed: [listed("m", declared(2048))] }, 2048, "declared"],
	["the running command", { listed: [listed("m")], running: [running("m", cmd)] }, 4096, "command"],
	[
		"a router's arguments",
		{ listed: [listed("m", { args: ["llama-server", "-c", "512"] })] },
		512,
		"command",
	],
	["the config", { listed: [listed("m")] }, 16_384, "config"],
	[
		"the model's file",
		{
			listed: [listed("m")],
			preset: presetOf("  m: { cmd: llama-server -m m.gguf -c 0 }"),
			heads: new Map([["m.gguf", 40_960]]),
		},
		40_960,
		"gguf",
	],
	[
		"the command of a script",
		{ listed: [listed("m")], preset: presetOf("  m: { cmd: ./serve.sh --ctx-size 8192 }") },
		8192,
		"unconfirmed",
	],
	[
		"the running command of a script",
		{ listed: [listed("m")], running: [running("m", "bash ./run.sh --max-model-len 8192")] },
		8192,
		"unconfirmed",
	],
	[
		"another server's command",
		{ listed: [listed("m")], running: [running("m", "vllm serve x --max-model-len 8192")] },
		8192,
		"command",
	],
	["an earlier time", { listed: [listed("m")], preset: undefined }, 3000, "cache"],
	["nothing", { listed: [listed("m")], preset: undefined, remembered: new Map() }, 32_768, "guess"],
	[
		"not a command that has changed since",
		{
			listed: [listed("m")],
			probed: new Map([["m", probedServer("another", { contextWindow: 1 })]]),
		},
		16_384,
		"config",
	],
])("context: %s", (_name, sources, size, origin) => {
	const preset = presetOf("  m: { cmd: llama-server -c 16384 }");
	const remembered = new Map([["m", 3000]]);
	expect(merged({ preset, remembered, ...sources }).map(window)).toEqual([[size, origin]]);
});

test("an alias takes state, size and time to live from the model behind it", () => {
	const preset = presetOf("  m: { cmd: llama-server -c 512, aliases: [a], ttl: 60 }");
	const models = merged({
		listed: [listed("m"), listed("a")],
		running: [running("m", cmd)],
		preset,
	});
	expect(models).toMatchObject([
		{ id: "a", baseId: "m", state: "ready", contextWindow: 4096, ttl: 60 },
		{ id: "m", baseId: undefined, state: "ready", contextWindow: 4096, ttl: 60 },
	]);
});

test("peers and choices are never called stopped", () => {
	const models = merged({
		listed: [listed("p", { peer: "other" }), listed("s", { type: "selector" })],
	});
	expect(models).toMatchObject([
		{ id: "p", state: "unknown", peer: "other" },
		{ id: "s", state: "unknown", choice: "selector" },
	]);
});

test("a model that does not run is stopped; unknown when nobody could say", () => {
	expect(merged({ listed: [listed("m")] })[0]?.state).toBe("stopped");
	expect(merged({ listed: [listed("m")], running: undefined })[0]?.state).toBe("unknown");
});

test("names, images and the order: the most conservative model first", () => {
	const models = merged({
		listed: [listed("big"), listed("small", { name: "Small one", images: true }), listed("qwen3")],
		remembered: new Map([
			["big", 9000],
			["small", 4000],
			["qwen3", 4000],
		]),
	});
	expect(models.map(({ id }) => id)).toEqual(["small", "qwen3", "big"]);
	expect(models[0]).toMatchObject({ name: "Small one", images: true, reasoning: false });
	expect(models[1]).toMatchObject({ name: "qwen3", images: false, reasoning: true });
});

test("shards and doubles stay out, a model that runs unlisted comes in", () => {
	const models = merged({
		listed: [listed("a"), listed("a"), listed("b-00002-of-00003.gguf")],
		running: [running("hidden", "llama-server -c 1")],
	});
	expect(models.map(({ id }) => id)).toEqual(["hidden", "a"]);
});

const four = "llama-server -c 131072 -np 4";

test.each<[string, Partial<MergeSources>, number, string, unknown]>([
	[
		"the config's command gives less",
		{ preset: presetOf(`  m: { cmd: ${four} }`) },
		32_768,
		"config",
		{ tokens: 131_072, origin: "declared" },
	],
	[
		"the running command gives less",
		{ running: [running("m", four)] },
		32_768,
		"command",
		{ tokens: 131_072, origin: "declared" },
	],
	[
		"the model was trained for less",
		{
			preset: presetOf("  m: { cmd: llama-server -m m.gguf -c 0 }"),
			heads: new Map([["m.gguf", 40_960]]),
		},
		40_960,
		"gguf",
		{ tokens: 131_072, origin: "declared" },
	],
	[
		"another server's option gives less",
		{ preset: presetOf("  m: { cmd: vllm serve m --max-model-len 65536 }") },
		65_536,
		"config",
		{ tokens: 131_072, origin: "declared" },
	],
	[
		"the command gives more",
		{ preset: presetOf("  m: { cmd: llama-server -c 262144 }") },
		131_072,
		"declared",
		{ tokens: 262_144, origin: "config" },
	],
	[
		"both agree",
		{ preset: presetOf("  m: { cmd: llama-server -c 131072 }") },
		131_072,
		"declared",
		undefined,
	],
	[
		"the command cannot be read",
		{ preset: presetOf("  m: { cmd: ./serve.sh --ctx-size 4096 }") },
		131_072,
		"declared",
		undefined,
	],
	[
		"the command leaves it to the model",
		{ preset: presetOf("  m: { cmd: llama-server -m m.gguf }") },
		131_072,
		"declared",
		undefined,
	],
	[
		"it was disproved before, and nothing can be read now",
		{
			disproved: new Map([
				[
					"m",
					{
						contextWindow: 32_768,
						contextOrigin: "config",
						disproved: { tokens: 131_072, origin: "declared" },
					},
				],
			]),
		},
		32_768,
		"cache",
		{ tokens: 131_072, origin: "declared" },
	],
	[
		"another declaration was disproved before",
		{
			disproved: new Map([
				[
					"m",
					{
						contextWindow: 32_768,
						contextOrigin: "config",
						disproved: { tokens: 65_536, origin: "declared" },
					},
				],
			]),
		},
		131_072,
		"declared",
		undefined,
	],
])(
	"of a declaration and a command the smaller one counts: %s",
	(_name, more, size, origin, other) => {
		const [model] = merged({ listed: [listed("m", declared(131_072))], ...more });
		expect(model && window(model)).toEqual([size, origin]);
		expect(model?.disproved).toEqual(other);
	},
);

test("aliases and variants that the list only names can be chosen", () => {
	const models = merged({
		listed: [listed("m", { type: "model", aliases: ["a", "m:high"], ...declared(8192) })],
		running: [running("m", "llama-server -c 4096 -np 1")],
	});
	expect(
		models.map(({ id, baseId, state, contextWindow }) => [id, baseId, state, contextWindow]),
	).toEqual([
		["a", "m", "ready", 4096],
		["m", undefined, "ready", 4096],
		["m:high", "m", "ready", 4096],
	]);
});

test("aliases and variants come from the config too, unless the list hides their model", () => {
	const preset = presetOf(
		[
			"  m: { cmd: llama-server -c 512, aliases: [a], filters: { setParamsByID: { '${MODEL_ID}:low': {} } } }",
			"  hidden: { cmd: llama-server -c 512, unlisted: true, aliases: [b] }",
		].join("\n"),
	);
	const models = merged({ listed: [listed("m")], preset });
	expect(models.map(({ id, baseId, name }) => [id, baseId, name])).toEqual([
		["a", "m", "a"],
		["m", undefined, "m"],
		["m:low", "m", "m:low"],
	]);
});

test("a listed alias is no second one, and a peer's aliases are its own", () => {
	const models = merged({
		listed: [
			listed("m", { type: "model", aliases: ["a"] }),
			listed("a", { type: "alias", baseId: "m", name: "Mine" }),
			listed("p", { peer: "box", aliases: ["b"] }),
		],
	});
	expect(models.map(({ id, name }) => [id, name])).toEqual([
		["a", "Mine"],
		["m", "m"],
		["p", "p"],
	]);
});

test.each<[string, Partial<MergeSources>]>([
	[
		"by the list",
		{ listed: [listed("s", { type: "selector", targets: ["big", "small", "none"] })] },
	],
	["by the config", { listed: [listed("s", { type: "selector" })] }],
])("a selector has the smallest window of its targets: %s", (_name, { listed: selectors = [] }) => {
	const preset = parseConfig(
		[
			"models:",
			"  big: { cmd: llama-server -c 65536 }",
			"  small: { cmd: llama-server -c 8192, aliases: [little] }",
			"selectors: { s: { strategy: warm, targets: [big, little] } }",
		].join("\n"),
	);
	const models = merged({
		listed: [...selectors, listed("big", { images: true }), listed("small", { images: false })],
		preset,
	});
	expect(models.find(({ id }) => id === "s")).toMatchObject({
		contextWindow: 8192,
		contextOrigin: "config",
		images: false,
		choice: "selector",
	});
});

test("a name that can be no chat model counts where nothing else says so", () => {
	const kinds = (more: Partial<MergeSources>): unknown =>
		merged({ listed: [listed("bge-reranker-v2-m3")], ...more }).map(({ kind }) => kind);
	expect(kinds({})).toEqual(["reranker"]);
	expect(kinds({ preset: presetOf("  bge-reranker-v2-m3: { cmd: llama-server -m x }") })).toEqual([
		"reranker",
	]);
	expect(kinds({ listed: [listed("bge-reranker-v2-m3", { kind: "chat" })] })).toEqual(["chat"]);
	const preset = presetOf("  whisper-large-v3: { cmd: llama-server -c 512, aliases: [ears] }");
	expect(merged({ listed: [listed("whisper-large-v3")], preset }).map(({ kind }) => kind)).toEqual([
		"transcription",
		"transcription",
	]);
});
