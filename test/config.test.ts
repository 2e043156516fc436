import { readFile } from "node:fs/promises";
import { expect, test } from "vitest";
import { ENVIRONMENT_NAMES, loadSettings, MODELS, type Settings, VARIABLES } from "../config.ts";
import { describeError, type Setting } from "../lib/errors.ts";
import { commandsTable, variablesTable } from "./support/tables.ts";

const HOME = "/home/me";
const load = (env: Record<string, string> = {}): Settings => loadSettings(env, HOME);
const readme = (): Promise<string> => readFile(new URL("../README.md", import.meta.url), "utf8");

test("the defaults are the original's", () => {
	expect(load()).toEqual({
		id: "ai-server",
		names: ENVIRONMENT_NAMES,
		url: "https://ai.shahondin1624.de",
		apiKey: undefined,
		certificates: {
			ca: "/home/me/.pi/agent/certs/root-ca.pem",
			cert: "/home/me/.pi/agent/certs/client.pem",
			key: "/home/me/.pi/agent/certs/client-key.pem",
		},
		timeoutMs: 300_000,
		ssh: { user: "ai-server", host: "192.168.2.3", port: undefined },
		configPath: "~/.config/llama-swap/config.yaml",
		serviceScope: "user",
		serviceUnit: "llama-swap.service",
		routes: {
			models: "/v1/models",
			running: "/running",
			unload: "/api/models/unload/<id>",
			unloadAll: "/api/models/unload",
			upstreamHealth: "/upstream/<id>/health",
		},
		problems: [],
	});
	expect(MODELS.map(({ id, contextWindow }) => [id, contextWindow])).toEqual([
		["MiniMax-M2.7-IQ3_XXS", 131_072],
		["Qwen_Qwen3.6-35B-A3B-Q8_0", 262_144],
	]);
});

test.each<[Record<string, string>, Partial<Settings>]>([
	[{ AI_SERVER_URL: "https://box.example/" }, { url: "https://box.example" }],
	[{ AI_SERVER_URL: "https://box.example:8443/ai/v2/" }, { url: "https://box.example:8443/ai/v2" }],
	[{ AI_SERVER_URL: "http://127.0.0.1:8080" }, { url: "http://127.0.0.1:8080" }],
	[{ AI_SERVER_URL: "http://[::1]:8080" }, { url: "http://[::1]:8080" }],
	[{ AI_SERVER_URL: "llama-swap://box" }, { url: "http://box:8080", apiKey: undefined }],
	[
		{ AI_SERVER_URL: "llama-swap://k%2Fey@box:9000/p" },
		{ url: "http://box:9000/p", apiKey: "k/ey" },
	],
	[{ AI_SERVER_URL: "llama-swap://[::1]" }, { url: "http://[::1]:8080" }],
	[{ AI_SERVER_URL: "llama-swap://old@box", AI_SERVER_API_KEY: "new" }, { apiKey: "new" }],
	[{ AI_SERVER_URL: "  " }, { url: "https://ai.shahondin1624.de" }],
	[{ AI_SERVER_TIMEOUT_MS: "1000" }, { timeoutMs: 1000 }],
	[{ AI_SERVER_SSH_HOST: "box" }, { ssh: { user: undefined, host: "box", port: undefined } }],
	[{ AI_SERVER_SSH_HOST: "me@box:2222" }, { ssh: { user: "me", host: "box", port: 2222 } }],
	[{ AI_SERVER_SSH_HOST: "none" }, { ssh: "none" }],
	[{ AI_SERVER_PRESET_PATH: "/etc/swap.yaml" }, { configPath: "/etc/swap.yaml" }],
	[{ AI_SERVER_SERVICE_UNIT: "swap.service" }, { serviceUnit: "swap.service" }],
	[{ AI_SERVER_SERVICE_SCOPE: "openrc" }, { serviceScope: "openrc", serviceUnit: "llama-swap" }],
	[{ AI_SERVER_API_KEY: "sk-1" }, { apiKey: "sk-1" }],
])("%o", (env, expected) => {
	const config = load(env);
	expect(config).toMatchObject(expected);
	expect(config.problems).toEqual([]);
});

test("certificates: the folder, each file, ~ and the passphrase", () => {
	const { certificates } = load({
		AI_SERVER_CERTS_DIR: "~/certs",
		AI_SERVER_CA: "~/ca.pem",
		AI_SERVER_CLIENT_KEY: "/keys/$&.pem",
		AI_SERVER_KEY_PASSPHRASE: " secret ",
	});
	expect(certificates).toEqual({
		ca: "/home/me/ca.pem",
		cert: "/home/me/certs/client.pem",
		key: "/keys/$&.pem",
		passphrase: " secret ",
	});
});

test.each([
	["AI_SERVER_MODELS_PATH", "/m", "models"],
	["AI_SERVER_RUNNING_PATH", "/r", "running"],
	["AI_SERVER_UNLOAD_PATH", "/u/<id>", "unload"],
	["AI_SERVER_UNLOAD_ALL_PATH", "/ua", "unloadAll"],
	["AI_SERVER_UPSTREAM_HEALTH_PATH", "/h/<id>", "upstreamHealth"],
] as const)("%s sets its route", (name, value, route) => {
	expect(load({ [name]: value }).routes[route]).toBe(value);
});

test.each([
	["AI_SERVER_URL", "nonsense", "AI_SERVER_URL is not a URL. Write it like https://ai.example.net"],
	[
		"AI_SERVER_URL",
		"ftp://box",
		"AI_SERVER_URL begins with ftp://. Use https://, http:// or llama-swap://",
	],
	["AI_SERVER_URL", "https://user:pw@box", "AI_SERVER_URL holds a user or password"],
	["AI_SERVER_URL", "https://box/?a=b", "AI_SERVER_URL has a ? or # part"],
	["AI_SERVER_URL", "https://", "AI_SERVER_URL is not a URL"],
	["AI_SERVER_TIMEOUT_MS", "5 minutes", "AI_SERVER_TIMEOUT_MS is not a number of milliseconds"],
	["AI_SERVER_TIMEOUT_MS", "-1", "AI_SERVER_TIMEOUT_MS is not a number of milliseconds"],
	["AI_SERVER_TIMEOUT_MS", "99999999999", "AI_SERVER_TIMEOUT_MS is not a number of milliseconds"],
	["AI_SERVER_UNLOAD_PATH", "/unload", "AI_SERVER_UNLOAD_PATH lacks <id>"],
	["AI_SERVER_MODELS_PATH", "models", "AI_SERVER_MODELS_PATH does not begin with /"],
	["AI_SERVER_SSH_HOST", "a b", '"a b" is not an SSH target'],
	[
		"AI_SERVER_SERVICE_SCOPE",
		"global",
		'"global" is not a service scope. Use user, system or openrc',
	],
	["AI_SERVER_API_KEY", "two words", "AI_SERVER_API_KEY holds a blank or another character"],
])("%s=%s becomes one problem and the rest still works", (name, value, line) => {
	const config = load({ [name]: value, AI_SERVER_SERVICE_UNIT: "other.service" });
	expect(config.problems.map((problem) => describeError(problem))).toEqual([
		expect.stringContaining(line),
	]);
	expect(config.problems[0]).toMatchObject({ code: "settings" });
	expect(config.serviceUnit).toBe("other.service");
});

test("an unusable address is never replaced by the default", () => {
	expect(load({ AI_SERVER_URL: "nonsense" }).url).toBeUndefined();
	expect(load({ AI_SERVER_SSH_HOST: "a b" }).ssh).toBeUndefined();
});

test("an unusable service is never replaced by another one", () => {
	const config = load({ AI_SERVER_SERVICE_UNIT: "a; reboot" });
	expect(config.serviceUnit).toBeUndefined();
	expect(config.problems.map((problem) => describeError(problem))).toEqual([
		expect.stringContaining('"a; reboot" is not a service name'),
	]);
});

test("an unusable key is never repeated", () => {
	const [problem] = load({ AI_SERVER_API_KEY: "my secret" }).problems;
	expect(describeError(problem)).not.toContain("secret");
});

test.each<[Setting, string]>([
	["url", "AI_SERVER_URL"],
	["sshHost", "AI_SERVER_SSH_HOST"],
	["configPath", "AI_SERVER_PRESET_PATH"],
	["paths", "AI_SERVER_..._PATH"],
])("the setting %s is %s in the environment", (setting, variable) => {
	expect(ENVIRONMENT_NAMES.setting(setting)).toBe(variable);
});

test("a problem carries its setting, and its message names it once", () => {
	const [problem] = load({ AI_SERVER_URL: "nonsense" }).problems;
	expect(problem?.settings).toEqual(["url"]);
	expect(describeError(problem, ENVIRONMENT_NAMES)).toBe(
		"AI_SERVER_URL is not a URL. Write it like https://ai.example.net",
	);
});

test("every variable is read", () => {
	const read = new Set<string>();
	const env = new Proxy<Record<string, string>>(
		{},
		{
			get: (_target, name) => void read.add(String(name)),
		},
	);
	loadSettings(env, HOME);
	expect([...read].toSorted()).toEqual(VARIABLES.map(({ name }) => name).toSorted());
});

test("the README's tables are the program's", async () => {
	const text = await readme();
	expect(text).toContain(variablesTable());
	expect(text).toContain(commandsTable());
});
