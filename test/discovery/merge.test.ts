import { expect, test } from "vitest";
import {
	isReasoningModel,
	isShardArtefact,
	type MergeSources,
	mergeModels,
	type ServerModel,
} from "../../discovery/merge.ts";
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

test.each([
	["model-00002-of-00003.gguf", true],
	["Model-Q4-00003-of-00003", true],
	["model-00001-of-00003.gguf", false], // the part that is loaded, and loads the others
	["model-2-of-3", false],
	["plain-model", false],
])("shard artefact %s: %s", (id, answer) => {
	expect(isShardArtefact(id)).toBe(answer);
});

test.each([
	["Qwen_Qwen3.6-35B-A3B-Q8_0", true],
	["MiniMax-M2.7-IQ3_XXS", true],
	["gpt-oss:120b", true],
	["deepseek-r1-distill-llama-8b", true],
	["unsloth/GLM-4.7-Flash", true],
	["QwQ-32B", true],
	["Kimi-K2-Thinking", true],
	["Qwen3-Coder-30B", false],
	["Qwen3-30B-A3B-Instruct-2507", false],
	["qwen3-embedding-0.6b", false],
	["llama-3.1-70b", false],
	["gemma-3-27b-it", false],
	["mistral-small", false],
])("thinking %s: %s", (id, answer) => {
	expect(isReasoningModel(id)).toBe(answer);
});
