import { programName, serverCall } from "./launchers.ts";
import { splitCommand } from "./shell-words.ts";

/** A number of the command line; "unknown" where one is given that cannot be read here. */
export type Quantity = number | "unknown" | undefined;

/** What a model is good for, as its command tells. */
export type ModelKind = "chat" | "embedding" | "reranker" | "image" | "transcription" | "speech";

/** What a model's command and its environment ask of the server. Undefined: not asked for. */
export interface LaunchOptions {
	/** Name of the program, module or container image. */
	readonly program: string;
	readonly kind: ModelKind;
	/** llama.cpp's `-c`, in tokens for all slots; 0: as the model was trained. */
	readonly contextSize: Quantity;
	/** Tokens of one request, for servers that are told that (vLLM's `--max-model-len`). */
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
	/** True when `--fit-target` asks for a margin of its own. */
	readonly fitTarget: boolean;
	/** How many times the trained context the position encoding is stretched to. */
	readonly ropeScale: number | undefined;
	/** `--override-kv <arch>.context_length`: replaces what the model says it was trained for. */
	readonly trainedOverride: Quantity;
	/** File of `-m`. */
	readonly modelPath: string | undefined;
	/** Repository of `-hf`: the server fetches the file, so its path is unknown. */
	readonly repository: string | undefined;
	/** Image input: true with `--mmproj`, false with `--no-mmproj`. */
	readonly images: boolean | undefined;
	readonly jinja: boolean | undefined;
	/** True when a chat template of the command replaces the one in the model file. */
	readonly ownTemplate: boolean;
	/** `--reasoning on|off`. */
	readonly reasoning: boolean | undefined;
}

type Setting =
	| Exclude<keyof LaunchOptions, "program" | "kind" | "ropeScale" | "images">
	| "embedding"
	| "reranking"
	| "pooling"
	| "task"
	| "projector"
	| "useProjector"
	| "ropeScaling"
	| "ropeScale"
	| "ropeFrequency"
	| "override";

const VALUES: ReadonlyMap<string, Setting> = new Map<string, Setting>([
	["-c", "contextSize"],
	["--ctx-size", "contextSize"],
	["--max-model-len", "requestSize"], // vLLM
	["--context-length", "requestSize"], // SGLang
	["--contextsize", "requestSize"], // koboldcpp
	["--n-ctx", "requestSize"], // llama_cpp.server
	["-np", "slots"],
	["--parallel", "slots"],
	["--kv-unified-per-slot", "slotLimit"],
	["-fit", "fit"],
	["--fit", "fit"],
	["-fitc", "fitContext"],
	["--fit-ctx", "fitContext"],
	["-fitt", "fitTarget"],
	["--fit-target", "fitTarget"],
	["--rope-scaling", "ropeScaling"],
	["--rope-scale", "ropeScale"],
	["--rope-freq-scale", "ropeFrequency"],
	["--override-kv", "override"],
	["-m", "modelPath"],
	["--model", "modelPath"],
	["-hf", "repository"],
	["-hfr", "repository"],
	["--hf-repo", "repository"],
	["-mm", "projector"],
	["--mmproj", "projector"],
	["-mmu", "projector"],
	["--mmproj-url", "projector"],
	["--pooling", "pooling"],
	["--task", "task"], // vLLM
	["--chat-template", "ownTemplate"],
	["--chat-template-file", "ownTemplate"],
	["-rea", "reasoning"],
	["--reasoning", "reasoning"],
]);

const SWITCHES: ReadonlyMap<string, readonly [Setting, boolean]> = new Map<
	string,
	readonly [Setting, boolean]
>([
	["-kvu", ["unifiedCache", true]],
	["--kv-unified", ["unifiedCache", true]],
	["-no-kvu", ["unifiedCache", false]],
	["--no-kv-unified", ["unifiedCache", false]],
	["--no-mmproj", ["useProjector", false]],
	["--no-mmproj-auto", ["useProjector", false]],
	["--mmproj-auto", ["useProjector", true]],
	["--embedding", ["embedding", true]],
	["--embeddings", ["embedding", true]],
	["--rerank", ["reranking", true]],
	["--reranking", ["reranking", true]],
	["--jinja", ["jinja", true]],
	["--no-jinja", ["jinja", false]],
]);

/** Options whose value is somebody's text, which may look like an option. */
const TEXTS: ReadonlySet<string> = new Set(
	"-p --prompt -sys --system-prompt -r --reverse-prompt --grammar -j --json-schema -a --alias --api-key --chat-template-kwargs --reasoning-budget-message".split(
		" ",
	),
);

const ENVIRONMENT: ReadonlyMap<string, Setting> = new Map<string, Setting>([
	["LLAMA_ARG_CTX_SIZE", "contextSize"],
	["LLAMA_ARG_N_PARALLEL", "slots"],
	["LLAMA_ARG_KV_UNIFIED", "unifiedCache"],
	["LLAMA_ARG_FIT", "fit"],
	["LLAMA_ARG_FIT_CTX", "fitContext"],
	["LLAMA_ARG_FIT_TARGET", "fitTarget"],
	["LLAMA_ARG_ROPE_SCALING_TYPE", "ropeScaling"],
	["LLAMA_ARG_ROPE_SCALE", "ropeScale"],
	["LLAMA_ARG_ROPE_FREQ_SCALE", "ropeFrequency"],
	["LLAMA_ARG_MODEL", "modelPath"],
	["LLAMA_ARG_HF_REPO", "repository"],
	["LLAMA_ARG_MMPROJ", "projector"],
	["LLAMA_ARG_MMPROJ_URL", "projector"],
	["LLAMA_ARG_MMPROJ_AUTO", "useProjector"],
	["LLAMA_ARG_EMBEDDINGS", "embedding"],
	["LLAMA_ARG_RERANKING", "reranking"],
	["LLAMA_ARG_POOLING", "pooling"],
	["LLAMA_ARG_JINJA", "jinja"],
	["LLAMA_ARG_CHAT_TEMPLATE", "ownTemplate"],
	["LLAMA_ARG_CHAT_TEMPLATE_FILE", "ownTemplate"],
	["LLAMA_ARG_REASONING", "reasoning"],
]);

/**
 * Reads what a command asks of its server. The command is as llama-swap holds it, in the YAML with
 * macros expanded or in `/running`; `env` are the `K=V` entries of the YAML. The last option wins,
 * as in llama.cpp, and an option wins over the environment.
 */
export function readLaunch(cmd: string, env: readonly string[] = []): LaunchOptions {
	const call = serverCall(splitCommand(cmd));
	const settings = new Map<Setting, string | boolean>();
	for (const entry of [...env, ...Array.from(call.env, ([name, value]) => `${name}=${value}`)]) {
		const at = entry.indexOf("=");
		const setting = ENVIRONMENT.get(entry.slice(0, at));
		if (at > 0 && setting !== undefined) settings.set(setting, entry.slice(at + 1));
	}
	readArguments(call.args, settings);
	return launchOf(call.program, settings);
}

/**
 * The context size that a llama-server command asks for, in tokens for all its slots together.
 * Undefined when there is none, when it leaves the size to the model (`-c 0`), and when it cannot
 * be read.
 */
export function extractCtxFromRunningCmd(cmd: string): number | undefined {
	const { contextSize, requestSize } = readLaunch(cmd);
	const size = contextSize ?? requestSize;
	return typeof size === "number" && size > 0 ? size : undefined;
}

function readArguments(args: readonly string[], settings: Map<Setting, string | boolean>): void {
	for (let at = 0; at < args.length; at++) {
		const arg = args[at] ?? "";
		const equals = arg.startsWith("--") ? arg.indexOf("=") : -1;
		const flag = canonical(equals < 0 ? arg : arg.slice(0, equals));
		const setting = VALUES.get(flag);
		const change = SWITCHES.get(flag);
		if (change !== undefined) settings.set(...change);
		else if (setting !== undefined) {
			// llama.cpp refuses "--name=value"; other servers take it.
			settings.set(setting, equals < 0 ? (args[at + 1] ?? "") : arg.slice(equals + 1));
		}
		if (equals < 0 && (setting !== undefined || TEXTS.has(flag))) at++;
	}
}

/** llama.cpp takes "_" for "-" in the names of long options. */
function canonical(flag: string): string {
	return flag.startsWith("--") ? flag.replaceAll("_", "-") : flag;
}

function launchOf(
	program: string,
	settings: ReadonlyMap<Setting, string | boolean>,
): LaunchOptions {
	const text = (setting: Setting): string | undefined => {
		const value = settings.get(setting);
		return typeof value === "string" && value !== "" ? value : undefined;
	};
	const flag = (setting: Setting): boolean | undefined => switched(settings.get(setting));
	const count = (setting: Setting): Quantity => countOf(settings.get(setting));
	const slots = count("slots");
	return {
		program,
		kind: kindOf(program, {
			embedding: flag("embedding"),
			reranking: flag("reranking"),
			pooling: text("pooling") ?? text("task"),
		}),
		contextSize: count("contextSize"),
		requestSize: wordySize(settings.get("requestSize")),
		slots: slots === 0 ? "unknown" : isAuto(settings.get("slots")) ? undefined : slots,
		unifiedCache: flag("unifiedCache"),
		slotLimit: count("slotLimit"),
		fit: flag("fit"),
		fitContext: count("fitContext"),
		fitTarget: settings.has("fitTarget"),
		ropeScale: ropeScale(text("ropeScaling"), text("ropeScale"), text("ropeFrequency")),
		trainedOverride: trainedOverride(text("override")),
		modelPath: text("modelPath"),
		repository: text("repository"),
		images: flag("useProjector") === false ? false : settings.has("projector") ? true : undefined,
		jinja: flag("jinja"),
		ownTemplate: settings.has("ownTemplate"),
		reasoning: flag("reasoning"),
	};
}

/** As llama.cpp reads a number: what follows the digits is ignored, so `8k` is 8. */
function countOf(value: string | boolean | undefined): Quantity {
	if (value === undefined) return undefined;
	const digits = /^\s*\+?(\d{1,10})/.exec(String(value))?.[1];
	const count = Number(digits);
	return digits !== undefined && count < 2 ** 31 ? count : "unknown";
}

/** As vLLM reads a size: `32k` is 32000, `32K` is 32768; -1 and "auto" leave it to the model. */
function wordySize(value: string | boolean | undefined): Quantity {
	if (value === "auto" || value === "-1") return 0;
	const [, digits, unit = ""] = /^(\d{1,10}(?:\.\d{1,6})?)([kKmM]?)$/.exec(String(value)) ?? [];
	if (value === undefined || digits === undefined) return value === undefined ? value : "unknown";
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

const SERVERS_OF_OTHER_KINDS: readonly (readonly [ModelKind, RegExp])[] = [
	["transcription", /whisper|parakeet/],
	["speech", /(?:^|[-_.])tts(?:$|[-_.:])|piper|kokoro|chatterbox|orpheus/],
	["image", /(?:^|[-_.])(?:sd|sdcpp)(?:$|[-_.:])|stable-?diffusion|comfyui/],
];

function kindOf(
	program: string,
	asked: {
		readonly embedding: boolean | undefined;
		readonly reranking: boolean | undefined;
		readonly pooling: string | undefined;
	},
): ModelKind {
	const name = programName(program);
	const other = SERVERS_OF_OTHER_KINDS.find(([, pattern]) => pattern.test(name));
	if (other !== undefined) return other[0];
	if (asked.reranking || /^(?:rank|rerank|score)$/.test(asked.pooling ?? "")) return "reranker";
	return asked.embedding || /^embed(?:ding)?$/.test(asked.pooling ?? "") ? "embedding" : "chat";
}
