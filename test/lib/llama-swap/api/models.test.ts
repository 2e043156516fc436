import { expect, test } from "vitest";
import {
	type ListedModel,
	parseModelList,
	parseRunning,
} from "../../../../lib/llama-swap/api/models.ts";
import { readRecords } from "../../../support/records.ts";

const ERAS = ["v217", "v220", "v225", "v236", "v250", "head"] as const;

async function recorded(file: string, id: string): Promise<string> {
	const { exchanges } = await readRecords(file);
	const found = exchanges.find((exchange) => exchange.id === id);
	if (found === undefined) throw new Error(`no exchange ${id} in ${file}`);
	return found.body;
}

async function listOf(file: string, id: string): Promise<ReadonlyMap<string, ListedModel>> {
	const models = parseModelList(await recorded(file, id));
	return new Map(models.map((model) => [model.id, model]));
}

const one = (record: object): ListedModel | undefined =>
	parseModelList(JSON.stringify({ data: [{ id: "m", ...record }] }))[0];
const inMetadata = (metadata: object): object => ({ meta: { llamaswap: metadata } });

const LOCAL = [
	...["author/slash-model", "colon:model:q4", "echo", "late", "late-loading", "renamed"],
	...["slow", "stubborn", "tiny", "tools", "vision"],
];
const ALIASES = ["echo:high", "gpt-4o-mini", "tiny-alias", "tiny:cold", "tiny:hot"];

test.each(ERAS)("%s lists its models, its peers' and, where it shall, the aliases", async (era) => {
	const peers =
		era === "v250" || era === "head"
			? ["peer1/org/remote-b", "peer1/remote-a"]
			: ["org/remote-b", "remote-a"];
	const plain = await listOf(`llama-swap-${era}`, "models");
	expect([...plain.keys()].toSorted()).toEqual([...LOCAL, ...peers].toSorted());
	const all = await listOf(`llama-swap-${era}`, "models-aliases");
	expect([...all.keys()].toSorted()).toEqual([...LOCAL, ...peers, ...ALIASES].toSorted());
	expect((await listOf(`llama-swap-${era}`, "models-empty")).size).toBe(0);

	for (const id of peers) {
		const remote = id.replace("peer1/", "");
		expect(plain.get(id)).toMatchObject({ type: "peer", peer: "peer1", name: `peer1: ${remote}` });
	}
	expect(plain.get("late")?.peer).toBeUndefined();
});

test.each([
	["v217", "meta.llamaswap.n_ctx", undefined, undefined],
	["v220", "meta.llamaswap.n_ctx", undefined, undefined],
	["v225", "context_length", false, true],
	["v236", "context_length", false, true],
	["v250", "context_length", false, true],
	["head", "context_length", false, true],
] as const)("%s: what the config declares of a model", async (era, field, images, tools) => {
	const models = await listOf(`llama-swap-${era}`, "models");
	expect(models.get("tiny")).toMatchObject({
		name: "Tiny Markov",
		description: "a tiny model",
		images,
		tools,
		context: { tokens: 1024, field, measured: false },
	});
	expect(models.get("tiny")?.kind).toBe(tools === undefined ? undefined : "chat");
	expect(models.get("vision")?.images).toBe(true);
	// The metadata says 99 tokens, which no window has.
	expect(models.get("vision")?.context).toBeUndefined();
	const { id, name, type, ...silent } = models.get("late") ?? {};
	expect(new Set(Object.values(silent))).toEqual(new Set([undefined]));
});

test.each(["v250", "head"])("%s tells aliases, selectors and profile pins apart", async (era) => {
	const models = await listOf(`llama-swap-${era}`, "models-aliases");
	expect(models.get("tiny")?.type).toBe("model");
	expect(models.get("tiny")?.aliases?.toSorted()).toEqual([
		...["gpt-4o-mini", "tiny-alias", "tiny:cold", "tiny:hot"],
	]);
	const alias = { type: "alias", baseId: "tiny", context: { tokens: 1024 }, tools: true };
	expect(models.get("tiny:hot")).toMatchObject(alias);
	expect(models.get("echo:high")).toMatchObject({ type: "alias", baseId: "echo" });
	expect(models.get("tiny")?.baseId).toBeUndefined();

	const virtual = await listOf(`llama-swap-${era}`, "profiles-models");
	expect(virtual.get("pick")).toMatchObject({ type: "selector", targets: ["tiny", "slow"] });
	expect(virtual.get("gpt-4")?.type).toBe("profile");
});

test("llama-server tells its window itself", async () => {
	expect([...(await listOf("llama-server", "models-v1")).values()]).toMatchObject([
		{
			id: "tiny-markov",
			images: false,
			kind: "chat",
			context: { tokens: 4096, field: "meta.n_ctx", measured: true },
		},
	]);
	expect((await listOf("llama-server", "models-v1")).get("tiny-markov")?.aliases).toBeUndefined();
	expect([...(await listOf("llama-server", "sleep-models")).keys()]).toEqual(["/models/tiny.gguf"]);
});

test("a llama-server router: the trained size is no window, the command is known", async () => {
	const models = await listOf("llama-server", "router-models-after-swap");
	expect(models.get("alpha")?.context).toMatchObject({ tokens: 2048, measured: true });
	expect(models.get("beta")?.context).toBeUndefined();
	expect(models.get("beta")?.args?.slice(-6)).toEqual([
		...["--n-gpu-layers", "0", "--parallel", "2", "--threads", "1"],
	]);
});

test("llama_cpp.server tells an id and no more", async () => {
	expect(parseModelList(await recorded("llama-cpp-python", "models"))).toEqual([
		{ id: "tiny.gguf" },
	]);
});

test.each([
	["context_length wins", { context_length: 4096, meta: { n_ctx: 8192 } }, "context_length"],
	["then meta.n_ctx", { meta: { n_ctx: 8192, llamaswap: { n_ctx: 512 } } }, "meta.n_ctx"],
	["then metadata", inMetadata({ ctx: 512, n_ctx: 1024 }), "meta.llamaswap.n_ctx"],
	["context_window", inMetadata({ context_window: 1024 }), "meta.llamaswap.context_window"],
	["ctx", inMetadata({ ctx: 1024 }), "meta.llamaswap.ctx"],
	["a bad one is passed over", { context_length: 0, meta: { n_ctx: 8192 } }, "meta.n_ctx"],
	["the trained size", { meta: { n_ctx_train: 8192 } }, undefined],
	["vLLM's length", { owned_by: "vllm", max_model_len: 4096 }, "max_model_len"],
	["SGLang's length", { owned_by: "sglang", max_model_len: 4096 }, "max_model_len"],
	["its name in metadata", inMetadata({ max_model_len: 1024 }), "meta.llamaswap.max_model_len"],
	["a trained size as such", { owned_by: "llamacpp", context_length: 8192 }, undefined],
	["a fraction", { context_length: 4096.5 }, undefined],
	["a negative number", { context_length: -4096 }, undefined],
	["an absurd number", { context_length: 1e15 }, undefined],
	["a text", { context_length: "4096" }, undefined],
	["a list", inMetadata({ n_ctx: [4096] }), undefined],
	["nothing", {}, undefined],
])("the window: %s", (_name, record, field) => {
	expect(one(record)?.context?.field).toBe(field);
});

const modalities = (input: unknown, output: unknown): object => ({
	architecture: { input_modalities: input, output_modalities: output },
});

test.each([
	[
		"a reranker",
		{ capabilities: { reranker: true }, ...modalities(["text"], ["text"]) },
		"reranker",
	],
	["embeddings", modalities(["text"], ["embeddings"]), "embedding"],
	["embeddings by metadata", inMetadata({ embedding: true }), "embedding"],
	["images", modalities(["text"], ["image"]), "image"],
	["images from images", { capabilities: { image_to_image: true } }, "image"],
	["speech", modalities(["text"], ["audio"]), "audio"],
	["a transcriber", modalities(["audio"], ["text"]), "audio"],
	["a reader of images", modalities(["text", "image"], ["text"]), "chat"],
	[
		"a listener",
		{ capabilities: { audio_transcriptions: true }, ...modalities(["text", "audio"], ["text"]) },
		"chat",
	],
	["tools alone", { capabilities: { function_calling: true } }, undefined],
	["what metadata says of images", inMetadata({ image: true, audio: true }), undefined],
	["lists of nothing", modalities([], []), undefined],
	["lists of rubbish", modalities([7, null], { text: true }), undefined],
])("the kind: %s", (_name, record, kind) => {
	expect(one(record)?.kind).toBe(kind);
});

test.each([
	["a flag", { capabilities: { vision: true } }, { images: true }],
	["a flag that says no", { capabilities: { vision: false } }, { images: false }],
	["a flag of another sort", { capabilities: { vision: "yes" } }, { images: undefined }],
	["a list with it", modalities(["text", "image"], ["text"]), { images: true }],
	["a list without it", modalities(["text"], ["text"]), { images: false }],
	[
		"a list beats metadata",
		{ ...modalities(["text"], ["text"]), ...inMetadata({ vision: true }) },
		{ images: false },
	],
	["parameters", { supported_parameters: ["tools"] }, { tools: true }],
	["other parameters", { supported_parameters: ["top_k"] }, { tools: false }],
	["other flags", { capabilities: { vision: true } }, { tools: undefined }],
	["metadata", inMetadata({ tools: false, reasoning: true }), { tools: false, thinking: true }],
	["metadata in other words", inMetadata({ thinking: false }), { thinking: false }],
	[
		"a text",
		inMetadata({ tools: "no", thinking: "high" }),
		{ tools: undefined, thinking: undefined },
	],
])("abilities: %s", (_name, record, expected) => {
	expect(one(record)).toMatchObject(expected);
});

test("what a terminal would obey is neither an id nor in a name", () => {
	const body = JSON.stringify({
		data: [
			{
				id: "a",
				name: "\u001b[1mA\n b",
				description: " two\nlines\u202e ",
				aliases: ["a", "x\ty", "z"],
			},
			{ id: "\u001b[2Jevil" },
			{ id: "tab\tbed" },
			{ object: "model" },
			null,
			[],
			{ id: 7 },
			{ id: "odd", meta: "x", architecture: 1, capabilities: [], status: { args: ["a", 1] } },
		],
	});
	expect(parseModelList(body)).toEqual([
		{ id: "a", name: "A b", description: "two lines", aliases: ["z"] },
		{ id: "odd" },
	]);
});

test("keys that an object already has do no harm", () => {
	const body =
		'{"data":[{"id":"__proto__","meta":{"llamaswap":{"__proto__":{"n_ctx":4096},"type":"constructor"}}},{"id":"constructor","capabilities":{"__proto__":{"vision":true}}}]}';
	expect(parseModelList(body)).toEqual([{ id: "__proto__" }, { id: "constructor" }]);
});

test("a bare array is a list, too", () => {
	expect(parseModelList('[{"id":"a"}]')).toEqual([{ id: "a" }]);
});

test.each(ERAS)("%s: the running models", async (era) => {
	const running = async (id: string): Promise<unknown> =>
		parseRunning(await recorded(`llama-swap-${era}`, id));
	expect(await running("running-empty")).toEqual([]);
	expect(await running("running-ready")).toEqual([
		{
			id: "late",
			state: "ready",
			ttl: 0,
			cmd: expect.stringMatching(/^\S+ -m \/models\/tiny\.gguf --port \d+ -c 1024 -np 1 -t 1$/),
		},
	]);
	// Up to v217 a model that starts or stops cannot be seen, and v220 stops by killing at once.
	const seen = (id: string, state: string): unknown => [expect.objectContaining({ id, state })];
	const starting = era === "v217" ? [] : seen("late", "starting");
	const stopping = era === "v217" || era === "v220" ? [] : seen("stubborn", "stopping");
	expect(await running("running-starting")).toEqual(starting);
	expect(await running("running-stopping")).toEqual(stopping);
});

test.each(["v217", "v225", "v236", "v250", "head"])("%s: all fields of one", async (era) => {
	const [slashed] = parseRunning(await recorded(`llama-swap-${era}`, "slash-running"));
	expect(slashed).toMatchObject({ id: "author/slash-model", ttl: 300, name: "Slash" });
	expect(slashed?.cmd).toContain('\n--ctx-size 2048   -np 2 --alias "two words"\n');
	const [byAlias] = parseRunning(await recorded(`llama-swap-${era}`, "upstream-alias-running"));
	expect(byAlias).toMatchObject({ id: "tiny", name: "Tiny Markov", description: "a tiny model" });
});

test("running models of other servers and other years", () => {
	const body = JSON.stringify({
		running: [
			{ model: "v94", state: "ready" },
			{ model: "v94-stopped", state: "stopped" },
			{ model: "v94-gone", state: "shutdown" },
			{ id: "odd", state: "loading", ttl: -1, cmd: "" },
			{ model: "stateless", ttl: 1.5 },
			{ model: "\u001b[2Jevil", state: "ready" },
			{ state: "ready" },
			null,
		],
	});
	expect(parseRunning(body)).toEqual([
		{ id: "v94", state: "ready" },
		{ id: "odd", state: "unknown" },
		{ id: "stateless", state: "unknown" },
	]);
});

test.each([
	["", "nothing"],
	["<html><body>Sign in</body></html>", '"<html>'],
	['{"error":"x"}', '"{'],
	['{"data":{},"running":{}}', '"{'],
	["null", '"null"'],
	["404 page not found", '"404 page not found"'],
	["\u001b[2Jgone", '"gone"'],
])("refuses %j and quotes it", (body, quoted) => {
	expect(() => parseModelList(body)).toThrow(quoted);
	expect(() => parseRunning(body)).toThrow(quoted);
});
