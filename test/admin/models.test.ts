import { expect, test } from "vitest";
import type { Admin } from "../../admin.ts";
import { type Answer, adminRig, sent } from "../support/admin-rig.ts";

test.each<[string, (admin: Admin) => Promise<unknown>, string]>([
	["load", (admin) => admin.load("author/m:q4"), "GET /upstream/author/m%3Aq4/health"],
	["unload", (admin) => admin.unload("a b"), "POST /api/models/unload/a%20b"],
	["unloadAll", (admin) => admin.unloadAll(), "POST /api/models/unload"],
])("%s asks the right page, and a plain-text OK is fine", async (_name, act, line) => {
	const { admin, asked } = adminRig({ answers: () => ({ body: "OK" }) });
	await act(admin);
	expect(sent(asked)).toEqual([line]);
});

test("lists and running models are read", async () => {
	const list = adminRig({ answers: () => ({ body: '{"data":[{"id":"a"}]}' }) });
	expect(await list.admin.listModels()).toEqual([{ id: "a", name: undefined, images: undefined }]);
	const running = adminRig({
		answers: () => ({ body: '{"running":[{"model":"a","state":"ready"}]}' }),
	});
	expect(await running.admin.listRunning()).toEqual([{ id: "a", state: "ready", cmd: undefined }]);
	expect(sent([...list.asked, ...running.asked])).toEqual(["GET /v1/models", "GET /running"]);
});

test("an error status carries code, status and the server's words", async () => {
	const { admin } = adminRig({
		answers: () => ({
			status: 500,
			body: '{"src":"llama-swap","error":"unspecific error: x"}',
		}),
	});
	await expect(admin.load("m")).rejects.toMatchObject({
		code: "http",
		status: 500,
		message: "HTTP 500 for loading m: x",
	});
});

test.each<[string, (admin: Admin) => Promise<unknown>]>([
	["load", (admin) => admin.load("m")],
	["unload", (admin) => admin.unload("m")],
	["unloadAll", (admin) => admin.unloadAll()],
])("%s on a server that is not llama-swap says that there is no loading", async (_name, act) => {
	const { admin } = adminRig({ answers: () => ({ status: 404, body: "not found" }) });
	await expect(act(admin)).rejects.toMatchObject({
		message: "This server does not load or unload models on request",
		hint: "Loading and unloading need llama-swap; other servers keep the model they were started with",
	});
});

test("a 404 of llama-swap itself is about the model", async () => {
	const { admin } = adminRig({
		answers: (path) => (path === "/running" ? { body: '{"running":[]}' } : { status: 404 }),
	});
	await expect(admin.unload("m")).rejects.toMatchObject({
		message: "The server does not know the model m",
		command: "refresh",
	});
});

test.each<[string, (admin: Admin, signal: AbortSignal) => Promise<unknown>]>([
	["listModels", (admin, signal) => admin.listModels(signal)],
	["listRunning", (admin, signal) => admin.listRunning(signal)],
	["load", (admin, signal) => admin.load("m", signal)],
	["unload", (admin, signal) => admin.unload("m", signal)],
	["unloadAll", (admin, signal) => admin.unloadAll(signal)],
	["readProps", (admin, signal) => admin.readProps("m", signal)],
	["version", (admin, signal) => admin.version(signal)],
	["inFlight", (admin, signal) => admin.inFlight(signal)],
	["watchReload", (admin, signal) => admin.watchReload(signal)],
])("%s ends at once when its caller stops it, and its request with it", async (_name, act) => {
	const { admin, asked } = adminRig({ answers: () => "never" });
	const caller = new AbortController();
	const done = act(admin, caller.signal);
	await expect.poll(() => asked.length).toBe(1);
	expect(asked[0]?.signal?.aborted).toBe(false);
	const reason = new Error("stopped");
	caller.abort(reason);
	await expect(done).rejects.toBe(reason);
	expect(asked[0]?.signal?.aborted).toBe(true);
});

test("a load that fails carries the lines of the log that explain it", async () => {
	const { admin, asked } = adminRig({
		answers: (path) =>
			path.startsWith("/logs/")
				? { body: "loading\nerror: unable to allocate CUDA0 buffer\n" }
				: {
						status: 500,
						body: '{"error":"unspecific error: upstream command exited prematurely"}',
					},
	});
	await expect(admin.load("m")).rejects.toMatchObject({
		status: 500,
		hint: expect.stringMatching(/^Its log says: .*unable to allocate CUDA0 buffer/),
	});
	expect(sent(asked)).toEqual(["GET /upstream/m/health", "GET /logs/stream/m"]);
});

test("a log is not asked for where the model was never started", async () => {
	const { admin, asked } = adminRig({
		answers: (path) => (path === "/running" ? { body: '{"running":[]}' } : { status: 404 }),
	});
	await expect(admin.load("m")).rejects.toMatchObject({ status: 404, command: "refresh" });
	expect(sent(asked)).toEqual(["GET /upstream/m/health", "GET /running"]);
});

test("what a loaded model reports of itself", async () => {
	const body = JSON.stringify({
		default_generation_settings: { n_ctx: 4096 },
		modalities: { vision: true },
		chat_template: "{{ messages }}{% if tools %}{{ tools }}{% endif %}",
	});
	const { admin, asked } = adminRig({ answers: () => ({ body }) });
	expect(await admin.readProps("m")).toMatchObject({
		contextWindow: 4096,
		images: true,
		tools: true,
	});
	expect(sent(asked)).toEqual(["GET /upstream/m/props"]);
});

test.each<[string, Answer]>([
	["no such page", { status: 404, body: '{"detail":"Not Found"}' }],
	["no such method", { status: 405 }],
	["some other page", { body: '{"hello":"world"}' }],
])("a server without properties names its window in its list: %s", async (_name, page) => {
	const list = (...windows: readonly number[]): string =>
		JSON.stringify({
			object: "list",
			data: windows.map((max_model_len, at) => ({ id: `n${at}`, owned_by: "vllm", max_model_len })),
		});
	const ask = (body: string) => {
		const { admin, asked } = adminRig({
			answers: (path) => (path.endsWith("/props") ? page : { body }),
		});
		return { facts: admin.readProps("m"), asked };
	};
	const { facts, asked } = ask(list(32_768));
	expect(await facts).toEqual({ contextWindow: 32_768 });
	expect(sent(asked)).toEqual(["GET /upstream/m/props", "GET /upstream/m/v1/models"]);
	expect(await ask(list(32_768, 8192)).facts).toEqual({ contextWindow: 8192 });
	const named = JSON.stringify({
		data: [
			{ id: "m", max_model_len: 16_384 },
			{ id: "lora", max_model_len: 4096 },
		],
	});
	expect(await ask(named).facts).toEqual({ contextWindow: 16_384 });
	expect(await ask('{"data":[{"id":"m","owned_by":"me"}]}').facts).toEqual({});
});

test("a model whose server fails is not asked for its list", async () => {
	const { admin, asked } = adminRig({ answers: () => ({ status: 502, body: "down" }) });
	await expect(admin.readProps("m")).rejects.toMatchObject({ status: 502 });
	expect(asked).toHaveLength(1);
});
