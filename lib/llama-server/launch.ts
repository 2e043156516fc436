import { type ServerCall, serverCall, serverCallOf } from "./launchers.ts";
import {
	type GivenOptions,
	NOTHING,
	readOptions,
	type ServerOption,
	sizeOptionOf,
} from "./options.ts";
import type { ModelKind } from "./servers.ts";
import type { Word } from "./shell-words.ts";

/** A number of the command line; "unknown" where one is given that cannot be read here. */
export type Quantity = number | "unknown" | undefined;

/** What a model's command and its environment ask of the server. Undefined: not asked for. */
export interface LaunchOptions {
	/** Name of the program, module or container image. */
	readonly program: string;
	/**
	 * The server that it is. Undefined for a user's script and for any unknown program: the size in
	 * such a command is a claim until the loaded model's server confirms it.
	 */
	readonly server: string | undefined;
	readonly kind: ModelKind;
	/** llama.cpp's `-c`, in tokens for all slots; 0: as the model was trained. */
	readonly contextSize: Quantity;
	/** Tokens of one request, for servers that take it in this form (vLLM's `--max-model-len`). */
	readonly requestSize: Quantity;
	/** llama.cpp's `-np`; undefined also for "auto". */
	readonly slots: Quantity;
	readonly unifiedCache: boolean | undefined;
	/** `--kv-unified-per-slot`, in tokens. */
	readonly slotLimit: Quantity;
	/** False for `--fit off`. */
	readonly fit: boolean | undefined;
	/** `--fit-ctx`: the least context, in tokens, that is kept to make the model fit. */
	readonly fitContext: Quantity;
	/** True when `--fit-target` sets a margin. */
	readonly fitTarget: boolean;
	/** How many times the trained context the position encoding is stretched to. */
	readonly ropeScale: number | undefined;
	/** `--override-kv <arch>.context_length`: replaces what the model says it was trained for. */
	readonly trainedOverride: Quantity;
	/** File of `-m`. */
	readonly modelPath: string | undefined;
	/** Image input: true with `--mmproj`, false with `--no-mmproj`. */
	readonly images: boolean | undefined;
	/** `--reasoning on|off`. */
	readonly reasoning: boolean | undefined;
}

/** How the size of a context is set in a command. */
export interface SizeOption {
	readonly call: ServerCall;
	/** Undefined where the program is not known. */
	readonly server: string | undefined;
	/** The option that counts, which is the last one, as it is written; undefined without one. */
	readonly option: string | undefined;
	/** What follows it; empty when nothing does. */
	readonly value: Word;
	readonly size: Quantity;
	/** The variable that sets the size where no option does. */
	readonly variable: string | undefined;
	/** The option that this server has for it; undefined where it has none, or is not known. */
	readonly ownOption: string | undefined;
}

/** What these have without an option, in tokens; of two defaults in use, the smaller one. */
const DEFAULT_SIZES: ReadonlyMap<string, number> = new Map([
	["llama_cpp.server", 2048],
	["koboldcpp", 4096],
]);

/**
 * Reads what a command asks of its server. The command is as llama-swap holds it, in the YAML with
 * macros expanded or in `/running`; `env` are the `K=V` entries of the YAML. The last option wins,
 * as in llama.cpp, and an option wins over the environment.
 */
export function readLaunch(cmd: string, env: readonly string[] = []): LaunchOptions {
	return launchOf(serverCall(cmd), env);
}

/** The same for a command that is in words already. */
export function readLaunchOf(words: readonly string[]): LaunchOptions {
	return launchOf(serverCallOf(words), []);
}

/**
 * The context size that a llama-server command asks for, in tokens for all its slots together.
 * Undefined when there is none, when it leaves the size to the model (`-c 0`), and when it cannot
 * be read.
 */
export function extractCtxFromRunningCmd(cmd: string): number | undefined {
	const size = sizeOf(readLaunch(cmd));
	return typeof size === "number" && size > 0 ? size : undefined;
}

/** What the command asks for, whatever the server divides it by. */
export function sizeOf({ contextSize, requestSize }: LaunchOptions): Quantity {
	return contextSize ?? requestSize;
}

/** How a command sets its context size: what `readLaunch` goes by, with its place. */
export function findSize(cmd: string, env: readonly string[] = []): SizeOption {
	const call = serverCall(cmd);
	const server = call.server?.name;
	const settings = readOptions(call, server, env);
	const given = settings.get("contextSize") ?? settings.get("requestSize");
	return {
		call,
		server,
		option: given?.option,
		value: given?.word ?? NOTHING,
		size: sizeOf(launchOf(call, env)),
		variable: given?.variable,
		ownOption: server === undefined ? undefined : sizeOptionOf(server),
	};
}

function launchOf(call: ServerCall, env: readonly string[]): LaunchOptions {
	const { program, server: known } = call;
	const settings = readOptions(call, known?.name, env);
	const value = (setting: ServerOption): string | boolean | undefined =>
		settings.get(setting)?.value;
	const text = (setting: ServerOption): string | undefined => {
		const found = value(setting);
		return typeof found === "string" && found !== "" ? found : undefined;
	};
	const flag = (setting: ServerOption): boolean | undefined => switched(value(setting));
	const count = (setting: ServerOption): Quantity => countOf(value(setting));
	const slots = count("slots");
	return {
		program,
		server: known?.name,
		kind: known?.kind ?? kindOf(flag("embedding"), flag("reranking"), text("pooling")),
		contextSize: count("contextSize"),
		requestSize: requestSize(known?.name, settings),
		slots: slots === 0 ? "unknown" : isAuto(value("slots")) ? undefined : slots,
		unifiedCache: flag("unifiedCache"),
		slotLimit: count("slotLimit"),
		fit: flag("fit"),
		fitContext: count("fitContext"),
		fitTarget: settings.has("fitTarget"),
		ropeScale: ropeScale(text("ropeScaling"), text("ropeScale"), text("ropeFrequency")),
		trainedOverride: trainedOverride(text("override")),
		modelPath: text("modelPath"),
		images: flag("useProjector") === false ? false : settings.has("projector") ? true : undefined,
		reasoning: flag("reasoning"),
	};
}

function requestSize(server: string | undefined, settings: GivenOptions): Quantity {
	const given = settings.get("requestSize");
	if (given !== undefined) return wordySize(String(given.value));
	if (settings.has("configFile")) return "unknown";
	return server === undefined ? undefined : DEFAULT_SIZES.get(server);
}

/** As llama.cpp reads a number: what follows the digits is ignored, so `8k` is 8. */
function countOf(value: string | boolean | undefined): Quantity {
	if (value === undefined) return undefined;
	const digits = /^\s*\+?(\d{1,10})/.exec(String(value))?.[1];
	const count = Number(digits);
	return digits !== undefined && count < 2 ** 31 ? count : "unknown";
}

/** As vLLM reads a size: `32k` is 32000, `32K` is 32768; -1 and "auto" leave it to the model. */
function wordySize(value: string): Quantity {
	if (value === "auto" || value === "-1") return 0;
	const [, digits, unit = ""] = /^(\d{1,10}(?:\.\d{1,6})?)([kKmM]?)$/.exec(value) ?? [];
	if (digits === undefined) return "unknown";
	const units: Readonly<Record<string, number>> = { k: 1000, K: 1024, m: 1e6, M: 2 ** 20 };
	const size = Math.floor(Number(digits) * (units[unit] ?? 1));
	return size < 2 ** 31 ? size : "unknown";
}

function isAuto(value: string | boolean | undefined): boolean {
	return typeof value === "string" && /^\s*-\d/.test(value);
}

function switched(value: string | boolean | undefined): boolean | undefined {
	if (typeof value !== "string") return value;
	if (/^(?:on|enabled|true|1)$/i.test(value)) return true;
	return /^(?:off|disabled|false|0)$/i.test(value) ? false : undefined;
}

function ropeScale(
	scaling: string | undefined,
	scale: string | undefined,
	frequency: string | undefined,
): number | undefined {
	if (scaling === "none") return undefined;
	const factor = scale === undefined ? 1 / Number(frequency) : Number(scale);
	return Number.isFinite(factor) && factor > 1 ? factor : undefined;
}

function trainedOverride(override: string | undefined): Quantity {
	const value = /(?:^|,)[\w.-]{1,64}\.context_length=int:([^,]*)/.exec(override ?? "")?.[1];
	return countOf(value);
}

function kindOf(
	embedding: boolean | undefined,
	reranking: boolean | undefined,
	pooling = "",
): ModelKind {
	if (reranking || /^(?:rank|rerank|score)$/.test(pooling)) return "reranker";
	return embedding || /^embed(?:ding)?$/.test(pooling) ? "embedding" : "chat";
}
