import { expect, test } from "vitest";
import {
	isReasoningModel,
	isShardArtefact,
	type MergeSources,
	mergeModels,
} from "../../../lib/llama-swap/merge.ts";
import type { ListedModel, RunningModel } from "../../../lib/llama-swap/model-list.ts";

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
		configured: new Map(),
		remembered: new Map(),
		...sources,
	});

test.each([
	["the running command wins", "llama-server -c 1000", 2000, 3000, 1000, "command"],
	["then the config", "llama-server", 2000, 3000, 2000, "config"],
	["then what is remembered", undefined, undefined, 3000, 3000, "cache"],
	["then the guess", undefined, undefined, undefined, 32768, "guess"],
	["-c 0 leaves it to the config", "llama-server -c 0", 2000, undefined, 2000, "config"],
] as const)("context: %s", (_name, cmd, configured, remembered, window, origin) => {
	const [model] = merged({
		listed: [listed("m")],
		running: [running("m", cmd)],
		configured: new Map(configured === undefined ? [] : [["m", configured]]),
		remembered: new Map(remembered === undefined ? [] : [["m", remembered]]),
	});
	expect(model).toMatchObject({ contextWindow: window, contextOrigin: origin, state: "ready" });
});

test("a model that does not run is stopped; unknown when nobody could say", () => {
	expect(merged({ listed: [listed("m")] })[0]?.state).toBe("stopped");
	expect(merged({ listed: [listed("m")], running: undefined })[0]?.state).toBe("unknown");
});

test("names, images and the order: the most conservative model first", () => {
	const models = merged({
		listed: [listed("big"), listed("small", { name: "Small one", images: true }), listed("qwen3")],
		configured: new Map([
			["big", 9000],
			["small", 4000],
			["qwen3", 4000],
		]),
	});
	expect(models.map(({ id }) => id)).toEqual(["small", "qwen3", "big"]);
	expect(models[0]).toMatchObject({ name: "Small one", images: true, reasoning: false });
	expect(models[1]).toMatchObject({ name: "qwen3", images: false, reasoning: true });
});

test("shards, doubles and running models that are not listed stay out", () => {
	const models = merged({
		listed: [listed("a"), listed("a"), listed("b-00002-of-00003.gguf")],
		running: [running("hidden", "llama-server -c 1")],
	});
	expect(models.map(({ id }) => id)).toEqual(["a"]);
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
