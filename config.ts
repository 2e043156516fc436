import { join } from "node:path";
import type { CertificatePaths } from "./lib/certificates/check.ts";
import { AiServerError, type Names, type Setting } from "./lib/errors.ts";
import { parseServiceScope, parseServiceUnit, type ServiceScope } from "./lib/service/commands.ts";
import { parseSshTarget } from "./lib/ssh/openssh/target.ts";
import type { SshTarget } from "./lib/ssh/types.ts";

export const PROVIDER_ID = "ai-server";

export interface Variable {
	readonly name: string;
	readonly setting: Setting;
	/** As a person would write it: "~" and "<certs>" stand for folders. Empty: not set. */
	readonly default: string;
	readonly purpose: string;
}

const TABLE = [
	{
		name: "AI_SERVER_URL",
		setting: "url",
		default: "https://ai.shahondin1624.de",
		purpose:
			"Base URL of the server: `https://` (client certificate), `http://` (plain) or `llama-swap://[key@]host[:port]` (plain, port 8080). A path prefix is kept",
	},
	{
		name: "AI_SERVER_CERTS_DIR",
		setting: "certsDir",
		default: "~/.pi/agent/certs",
		purpose: "Folder of the client certificate, its key and the CA",
	},
	{ name: "AI_SERVER_CA", setting: "ca", default: "<certs>/root-ca.pem", purpose: "CA file" },
	{
		name: "AI_SERVER_CLIENT_CERT",
		setting: "clientCert",
		default: "<certs>/client.pem",
		purpose: "Client certificate",
	},
	{
		name: "AI_SERVER_CLIENT_KEY",
		setting: "clientKey",
		default: "<certs>/client-key.pem",
		purpose: "Private key of the client certificate",
	},
	{
		name: "AI_SERVER_TIMEOUT_MS",
		setting: "timeoutMs",
		default: "300000",
		purpose:
			"How long a chat may stay silent, in milliseconds; the total length of an answer is not limited",
	},
	{
		name: "AI_SERVER_SSH_HOST",
		setting: "sshHost",
		default: "ai-server@192.168.2.3",
		purpose:
			"SSH target for the server's config and service: `user@host[:port]` or a Host alias of `~/.ssh/config`; `none` for no SSH",
	},
	{
		name: "AI_SERVER_PRESET_PATH",
		setting: "configPath",
		default: "~/.config/llama-swap/config.yaml",
		purpose: "llama-swap's YAML config on the SSH target: a file, or the folder of `-config-dir`",
	},
	{
		name: "AI_SERVER_SERVICE_UNIT",
		setting: "serviceUnit",
		default: "llama-swap.service",
		purpose: "systemd unit (or OpenRC service) of llama-swap",
	},
	{
		name: "AI_SERVER_SERVICE_SCOPE",
		setting: "serviceScope",
		default: "user",
		purpose:
			"Who runs that service: `user` (`systemctl --user`), `system` (`sudo -n systemctl`) or `openrc`",
	},
	{
		name: "AI_SERVER_MODELS_PATH",
		setting: "paths",
		default: "/v1/models",
		purpose: "Lists the models",
	},
	{
		name: "AI_SERVER_RUNNING_PATH",
		setting: "paths",
		default: "/running",
		purpose: "Lists the loaded models",
	},
	{
		name: "AI_SERVER_UNLOAD_PATH",
		setting: "paths",
		default: "/api/models/unload/<id>",
		purpose: "Unloads one model",
	},
	{
		name: "AI_SERVER_UNLOAD_ALL_PATH",
		setting: "paths",
		default: "/api/models/unload",
		purpose: "Unloads every model",
	},
	{
		name: "AI_SERVER_UPSTREAM_HEALTH_PATH",
		setting: "paths",
		default: "/upstream/<id>/health",
		purpose: "Loads a model and responds when it is ready",
	},
	{
		name: "AI_SERVER_API_KEY",
		setting: "apiKey",
		default: "",
		purpose:
			"Bearer token, for a server that requires one; without it no `Authorization` header is sent",
	},
	{
		name: "AI_SERVER_KEY_PASSPHRASE",
		setting: "keyPassphrase",
		default: "",
		purpose: "Passphrase, for an encrypted client key",
	},
] as const satisfies readonly Variable[];

/** Every environment variable the extension reads; the README's table is this one. */
export const VARIABLES: readonly Variable[] = TABLE;

/** How messages name the settings and commands of the server that the environment describes. */
export const ENVIRONMENT_NAMES: Names = {
	setting(setting) {
		const [variable, ...more] = TABLE.filter((row) => row.setting === setting);
		return variable === undefined || more.length > 0 ? "AI_SERVER_..._PATH" : variable.name;
	},
	command: (name) => `/${PROVIDER_ID}-${name}`,
};

type VariableName = (typeof TABLE)[number]["name"];
type Environment = Readonly<Record<string, string | undefined>>;

/** Paths on the server; `<id>` is replaced by a model id. */
export interface Routes {
	readonly models: string;
	readonly running: string;
	readonly unload: string;
	readonly unloadAll: string;
	readonly upstreamHealth: string;
}

/** Everything by which servers differ. */
export interface Settings {
	/** pi's name for the provider, and what its commands begin with. */
	readonly id: string;
	/** What the user calls these settings and the commands. */
	readonly names: Names;
	/** http: or https:, without a slash at the end. Undefined when unusable: then nothing is asked. */
	readonly url: string | undefined;
	readonly apiKey: string | undefined;
	readonly certificates: CertificatePaths;
	readonly timeoutMs: number;
	/** "none" when the user wants no SSH, undefined when unusable. */
	readonly ssh: SshTarget | "none" | undefined;
	/** llama-swap's config.yaml on the SSH target; may begin with "~/". */
	readonly configPath: string;
	/** Undefined when unusable: no other machinery is tried in its place. */
	readonly serviceScope: ServiceScope | undefined;
	/** Undefined when unusable: no other service is touched in its place. */
	readonly serviceUnit: string | undefined;
	readonly routes: Routes;
	/** One error of code "settings", with the setting, for each that could not be used. */
	readonly problems: readonly AiServerError[];
}

/**
 * Turns the environment into complete settings. Never throws: an unusable value becomes a problem
 * and everything else still works. An unusable address or service has no substitute; anything else
 * gets its default.
 */
export function loadSettings(env: Environment, home: string): Settings {
	const problems: AiServerError[] = [];
	const text = (name: VariableName): string => {
		const value = env[name]?.trim();
		return value === undefined || value === "" ? defaultOf(name) : value;
	};
	const attempt = <T>(read: () => T): T | undefined => {
		try {
			return read();
		} catch (error) {
			if (!(error instanceof AiServerError)) throw error;
			problems.push(error);
			return undefined;
		}
	};
	const path = (name: VariableName): string => expandHome(text(name), home);
	const route = (name: VariableName): string =>
		attempt(() => parseRoute(name, text(name))) ?? defaultOf(name);

	const server = attempt(() => parseServerUrl(text("AI_SERVER_URL")));
	const certs = path("AI_SERVER_CERTS_DIR");
	const certificate = (name: VariableName): string => path(name).replace("<certs>", () => certs);
	const passphrase = env["AI_SERVER_KEY_PASSPHRASE"];
	const serviceScope = attempt(() => parseServiceScope(text("AI_SERVER_SERVICE_SCOPE")));
	const serviceUnit = attempt(() =>
		parseServiceUnit(serviceScope ?? "user", text("AI_SERVER_SERVICE_UNIT")),
	);

	return {
		id: PROVIDER_ID,
		names: ENVIRONMENT_NAMES,
		url: server?.url,
		apiKey: attempt(() => parseKey(text("AI_SERVER_API_KEY"))) ?? server?.key,
		certificates: {
			ca: certificate("AI_SERVER_CA"),
			cert: certificate("AI_SERVER_CLIENT_CERT"),
			key: certificate("AI_SERVER_CLIENT_KEY"),
			...(passphrase === undefined || passphrase === "" ? {} : { passphrase }),
		},
		timeoutMs:
			attempt(() => parseMilliseconds("AI_SERVER_TIMEOUT_MS", text("AI_SERVER_TIMEOUT_MS"))) ??
			Number(defaultOf("AI_SERVER_TIMEOUT_MS")),
		ssh:
			text("AI_SERVER_SSH_HOST") === "none"
				? "none"
				: attempt(() => parseSshTarget(text("AI_SERVER_SSH_HOST"))),
		configPath: text("AI_SERVER_PRESET_PATH"),
		serviceScope,
		serviceUnit,
		routes: {
			models: route("AI_SERVER_MODELS_PATH"),
			running: route("AI_SERVER_RUNNING_PATH"),
			unload: route("AI_SERVER_UNLOAD_PATH"),
			unloadAll: route("AI_SERVER_UNLOAD_ALL_PATH"),
			upstreamHealth: route("AI_SERVER_UPSTREAM_HEALTH_PATH"),
		},
		problems,
	};
}

export interface FallbackModel {
	readonly id: string;
	readonly contextWindow: number;
	readonly reasoning: boolean;
}

/** What pi shows when neither the server nor a cached list is available: the original's two models. */
export const MODELS: readonly FallbackModel[] = [
	{ id: "MiniMax-M2.7-IQ3_XXS", contextWindow: 131_072, reasoning: true },
	{ id: "Qwen_Qwen3.6-35B-A3B-Q8_0", contextWindow: 262_144, reasoning: true },
];

function defaultOf(name: VariableName): string {
	return TABLE.find((variable) => variable.name === name)?.default ?? "";
}

function expandHome(path: string, home: string): string {
	return path === "~" || path.startsWith("~/") ? join(home, path.slice(1)) : path;
}

function parseServerUrl(text: string): { readonly url: string; readonly key?: string } {
	const parsed = URL.parse(text);
	if (parsed === null || parsed.hostname === "") {
		throw unusable("AI_SERVER_URL", "is not a URL", "Write it like https://ai.example.net");
	}
	if (parsed.search !== "" || parsed.hash !== "") {
		throw unusable(
			"AI_SERVER_URL",
			"has a ? or # part",
			"Give only the host and, where needed, a path",
		);
	}
	const prefix = parsed.pathname.replace(/\/+$/, "");
	switch (parsed.protocol) {
		case "https:":
		case "http:":
			if (parsed.username !== "" || parsed.password !== "") {
				throw unusable(
					"AI_SERVER_URL",
					"holds a user or password",
					"Put a key into AI_SERVER_API_KEY",
				);
			}
			return { url: `${parsed.protocol}//${parsed.host}${prefix}` };
		case "llama-swap:": {
			const url = `http://${parsed.hostname}:${parsed.port || "8080"}${prefix}`;
			const key = parseKey(decoded(parsed.password || parsed.username));
			return key === undefined ? { url } : { url, key };
		}
		default:
			throw unusable(
				"AI_SERVER_URL",
				`begins with ${parsed.protocol}//`,
				"Use https://, http:// or llama-swap://",
			);
	}
}

function decoded(text: string): string {
	try {
		return decodeURIComponent(text);
	} catch {
		return text; // a key with a bare "%" in it
	}
}

/** A key travels in a header, so it can hold printable ASCII only; the message never repeats it. */
function parseKey(text: string): string | undefined {
	if (text === "") return undefined;
	if (/^[\x21-\x7e]+$/.test(text)) return text;
	throw unusable(
		"AI_SERVER_API_KEY",
		"holds a blank or another character that no header can carry",
		"Copy the key again",
	);
}

function parseMilliseconds(name: VariableName, text: string): number {
	const value = Number(text);
	// 2^31 - 1 is the longest timer that Node can set.
	if (Number.isInteger(value) && value > 0 && value < 2 ** 31) return value;
	throw unusable(name, "is not a number of milliseconds", "Give a whole number such as 300000");
}

function parseRoute(name: VariableName, text: string): string {
	if (!text.startsWith("/")) {
		throw unusable(name, "does not begin with /", `Give a path such as ${defaultOf(name)}`);
	}
	if (defaultOf(name).includes("<id>") && !text.includes("<id>")) {
		throw unusable(name, "lacks <id>", `Give a path such as ${defaultOf(name)}`);
	}
	return text;
}

function unusable(name: VariableName, problem: string, hint: string): AiServerError {
	const setting = TABLE.find((variable) => variable.name === name)?.setting;
	// The message names the variable, and so better than the name that all the paths share.
	const named = setting === "paths" ? {} : { setting };
	return new AiServerError("settings", `${name} ${problem}`, { hint, ...named });
}
