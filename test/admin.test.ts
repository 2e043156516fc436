import { expect, test } from "vitest";
import { type Admin, createAdmin } from "../admin.ts";
import { loadSettings } from "../config.ts";
import { AiServerError } from "../lib/errors.ts";
import type { Http, HttpRequest } from "../lib/http/types.ts";
import type { Ssh } from "../lib/ssh/types.ts";

interface Answer {
	readonly status?: number;
	readonly body?: string;
	readonly headers?: Readonly<Record<string, string>>;
}

function rig(
	answer: Answer | Error,
	yaml = "",
): { readonly admin: Admin; readonly asked: HttpRequest[] } {
	const asked: HttpRequest[] = [];
	const http: Http = {
		async request(request) {
			asked.push(request);
			if (answer instanceof Error) throw answer;
			const bytes = new TextEncoder().encode(answer.body ?? "");
			const body = {
				destroy: () => undefined,
				async *[Symbol.asyncIterator]() {
					yield bytes;
				},
			};
			return { status: answer.status ?? 200, headers: answer.headers ?? {}, body };
		},
		close: async () => undefined,
	};
	const refuses = (): Promise<never> => Promise.reject(new Error("only readFile is served"));
	const ssh: Ssh = {
		target: "demo@box",
		readFile: async (path) => Buffer.from(`# ${path}\n${yaml}`),
		readRange: refuses,
		exec: refuses,
		withSftp: refuses,
		close: () => undefined,
	};
	const { routes, configPath } = loadSettings({}, "/home/me");
	const service = () => ({ scope: "user", unit: "llama-swap.service", user: "demo" }) as const;
	return {
		admin: createAdmin({
			routes,
			configPath,
			http,
			ssh,
			service,
			keySent: false,
		}),
		asked,
	};
}

const sent = (asked: readonly HttpRequest[]): unknown =>
	asked.map(({ method = "GET", path }) => `${method} ${path}`);

test.each<[string, (admin: Admin) => Promise<unknown>, string]>([
	["load", (admin) => admin.load("author/m:q4"), "GET /upstream/author/m%3Aq4/health"],
	["unload", (admin) => admin.unload("a b"), "POST /api/models/unload/a%20b"],
	["unloadAll", (admin) => admin.unloadAll(), "POST /api/models/unload"],
])("%s asks the right page, and a plain-text OK is fine", async (_name, act, line) => {
	const { admin, asked } = rig({ body: "OK" });
	await act(admin);
	expect(sent(asked)).toEqual([line]);
});

test("lists and running models are read", async () => {
	const list = rig({ body: '{"data":[{"id":"a"}]}' });
	expect(await list.admin.listModels()).toEqual([{ id: "a", name: undefined, images: undefined }]);
	const running = rig({ body: '{"running":[{"model":"a","state":"ready"}]}' });
	expect(await running.admin.listRunning()).toEqual([{ id: "a", state: "ready", cmd: undefined }]);
	expect(sent([...list.asked, ...running.asked])).toEqual(["GET /v1/models", "GET /running"]);
});

test("sizes come out of the file at the preset's path", async () => {
	const { admin } = rig({}, "models:\n  m:\n    cmd: llama-server -c 4096\n");
	expect(await admin.readPreset()).toContain("# ~/.config/llama-swap/config.yaml");
	const { models } = await admin.readConfig();
	expect([...models.values()].map(({ id, launch }) => [id, launch.contextSize])).toEqual([
		["m", 4096],
	]);
});

test("an error status carries code, status and the server's words", async () => {
	const { admin } = rig({
		status: 500,
		body: '{"src":"llama-swap","error":"unspecific error: x"}',
	});
	await expect(admin.load("m")).rejects.toMatchObject({
		code: "http",
		status: 500,
		message: "HTTP 500 for loading m: x",
	});
});

test("a redirect names where to", async () => {
	const { admin } = rig({ status: 302, headers: { location: "https://login/" } });
	await expect(admin.listModels()).rejects.toThrow("redirects the model list to https://login/");
});

test("an abort and a fault of the connection pass through as they are", async () => {
	const fault = new AiServerError("network", "gone");
	await expect(rig(fault).admin.listModels()).rejects.toBe(fault);
	const reason = new Error("stopped");
	const { admin } = rig(reason);
	await expect(admin.load("m", AbortSignal.abort(reason))).rejects.toBe(reason);
});

test("every request can be stopped by its caller", async () => {
	const { admin, asked } = rig({ body: '{"data":[],"running":[]}' });
	const { signal } = new AbortController();
	await admin.listModels(signal);
	await admin.load("m", signal);
	expect(asked.every((request) => request.signal !== undefined)).toBe(true);
});
