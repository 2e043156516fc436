import type { ServerCall } from "./launchers.ts";
import { restOf, type Word } from "./shell-words.ts";

/** What an option sets, whatever each server calls it. */
export type ServerOption =
	| "contextSize"
	| "requestSize"
	| "slots"
	| "unifiedCache"
	| "slotLimit"
	| "fit"
	| "fitContext"
	| "fitTarget"
	| "ropeScaling"
	| "ropeScale"
	| "ropeFrequency"
	| "override"
	| "modelPath"
	| "projector"
	| "useProjector"
	| "embedding"
	| "reranking"
	| "pooling"
	| "reasoning"
	| "configFile"
	/** Free text, which may look like an option. */
	| "text";

interface Option {
	readonly servers: readonly string[];
	/** As the server spells them, the usual one first; by blanks. */
	readonly names: readonly string[];
	readonly setting: ServerOption;
	/** What an option without a value sets; undefined for one that takes the next word. */
	readonly value: boolean | undefined;
	/** The environment's name for it. */
	readonly variable: string | undefined;
}

const LLAMA = "llama-server";

function option(
	servers: string,
	names: string,
	setting: ServerOption,
	more: { readonly value?: boolean; readonly variable?: string } = {},
): Option {
	return {
		servers: servers.split(" "),
		names: names.split(" "),
		setting,
		value: more.value,
		variable: more.variable,
	};
}

const on = { value: true };
const off = { value: false };
const variable = (name: string): { readonly variable: string } => ({ variable: name });

/** Every option that is read, with the servers that have it. */
const OPTIONS: readonly Option[] = [
	option(LLAMA, "--ctx-size -c", "contextSize", variable("LLAMA_ARG_CTX_SIZE")),
	option("vllm", "--max-model-len", "requestSize"),
	option("sglang", "--context-length", "requestSize"),
	option("koboldcpp", "--contextsize", "requestSize"),
	option("llama_cpp.server", "--n_ctx", "requestSize", variable("N_CTX")),
	option("ds4-server", "--ctx -c", "requestSize"),
	option("tabbyAPI mistralrs-server", "--max-seq-len", "requestSize"),
	option("trtllm-serve", "--max_seq_len", "requestSize"),
	option(
		"text-generation-launcher",
		"--max-total-tokens",
		"requestSize",
		variable("MAX_TOTAL_TOKENS"),
	),
	option("lmdeploy", "--session-len", "requestSize"),
	option(LLAMA, "--parallel -np", "slots", variable("LLAMA_ARG_N_PARALLEL")),
	option(LLAMA, "--kv-unified -kvu", "unifiedCache", {
		value: true,
		variable: "LLAMA_ARG_KV_UNIFIED",
	}),
	option(LLAMA, "--no-kv-unified -no-kvu", "unifiedCache", off),
	option(LLAMA, "--kv-unified-per-slot", "slotLimit"),
	option(LLAMA, "--fit -fit", "fit", variable("LLAMA_ARG_FIT")),
	option(LLAMA, "--fit-ctx -fitc", "fitContext", variable("LLAMA_ARG_FIT_CTX")),
	option(LLAMA, "--fit-target -fitt", "fitTarget", variable("LLAMA_ARG_FIT_TARGET")),
	option(LLAMA, "--rope-scaling", "ropeScaling", variable("LLAMA_ARG_ROPE_SCALING_TYPE")),
	option(LLAMA, "--rope-scale", "ropeScale", variable("LLAMA_ARG_ROPE_SCALE")),
	option(LLAMA, "--rope-freq-scale", "ropeFrequency", variable("LLAMA_ARG_ROPE_FREQ_SCALE")),
	option(LLAMA, "--override-kv", "override"),
	option(
		`${LLAMA} llama_cpp.server koboldcpp ds4-server`,
		"--model -m",
		"modelPath",
		variable("LLAMA_ARG_MODEL"),
	),
	option(`${LLAMA} koboldcpp`, "--mmproj -mm", "projector", variable("LLAMA_ARG_MMPROJ")),
	option(LLAMA, "--mmproj-url -mmu", "projector", variable("LLAMA_ARG_MMPROJ_URL")),
	option(LLAMA, "--mmproj-auto", "useProjector", {
		value: true,
		variable: "LLAMA_ARG_MMPROJ_AUTO",
	}),
	option(LLAMA, "--no-mmproj --no-mmproj-auto", "useProjector", off),
	option(LLAMA, "--embeddings --embedding", "embedding", {
		value: true,
		variable: "LLAMA_ARG_EMBEDDINGS",
	}),
	option("sglang", "--is-embedding", "embedding", on),
	option(LLAMA, "--reranking --rerank", "reranking", {
		value: true,
		variable: "LLAMA_ARG_RERANKING",
	}),
	option(LLAMA, "--pooling", "pooling", variable("LLAMA_ARG_POOLING")),
	option("vllm", "--task", "pooling"),
	option(LLAMA, "--reasoning -rea", "reasoning", variable("LLAMA_ARG_REASONING")),
	option("llama_cpp.server", "--config_file", "configFile", variable("CONFIG_FILE")),
	option(
		LLAMA,
		"-p --prompt -sys --system-prompt -r --reverse-prompt --grammar -j --json-schema -a --alias --api-key --chat-template --chat-template-kwargs --reasoning-budget-message",
		"text",
	),
];

interface OptionTable {
	readonly byName: ReadonlyMap<string, Option>;
	readonly byVariable: ReadonlyMap<string, Option>;
}

const tables = new Map<string | undefined, OptionTable>();

/** The options of a server; where it is not known, any option that one of them has. */
function tableOf(server: string | undefined): OptionTable {
	const known = tables.get(server);
	if (known !== undefined) return known;
	const byName = new Map<string, Option>();
	const byVariable = new Map<string, Option>();
	for (const entry of OPTIONS) {
		if (server !== undefined && !entry.servers.includes(server)) continue;
		for (const name of entry.names.map(canonical)) {
			if (!byName.has(name)) byName.set(name, entry);
		}
		const isVariable = server !== undefined || entry.servers.includes(LLAMA);
		if (entry.variable !== undefined && isVariable) byVariable.set(entry.variable, entry);
	}
	const table = { byName, byVariable };
	tables.set(server, table);
	return table;
}

/**
 * llama-server and others take "_" for "-" in long options; those that do not, do not start with
 * it, so nothing is lost by reading all of them alike.
 */
function canonical(name: string): string {
	return name.startsWith("--") ? name.replaceAll("_", "-") : name;
}

/** The value of an option, and where it is written. */
export interface Given {
	readonly value: string | boolean;
	/** Undefined for a variable. */
	readonly option: string | undefined;
	readonly variable: string | undefined;
	readonly word: Word;
}

export type GivenOptions = ReadonlyMap<ServerOption, Given>;

export const NOTHING: Word = { text: "", places: [] };

/** The options that a call gives its server. The last one counts, and any before a variable. */
export function readOptions(
	{ args, env }: ServerCall,
	server: string | undefined,
	outer: readonly string[],
): GivenOptions {
	const { byName, byVariable } = tableOf(server);
	const settings = new Map<ServerOption, Given>();
	const set = (setting: ServerOption, given: Given): void => {
		// The two kinds of size are one setting, whose last option counts.
		if (setting === "contextSize") settings.delete("requestSize");
		if (setting === "requestSize") settings.delete("contextSize");
		settings.set(setting, given);
	};
	for (const entry of [...outer, ...Array.from(env, ([name, value]) => `${name}=${value}`)]) {
		const at = entry.indexOf("=");
		const found = byVariable.get(entry.slice(0, at));
		if (at <= 0 || found === undefined) continue;
		const value = entry.slice(at + 1);
		set(found.setting, { value, option: undefined, variable: found.variable, word: NOTHING });
	}
	for (let at = 0; at < args.length; at++) {
		const arg = args[at] ?? NOTHING;
		const equals = arg.text.startsWith("--") ? arg.text.indexOf("=") : -1;
		const written = equals < 0 ? arg.text : arg.text.slice(0, equals);
		const found = byName.get(canonical(written));
		if (found === undefined) continue;
		const given = { option: written, variable: undefined };
		if (found.value !== undefined) {
			set(found.setting, { ...given, value: found.value, word: NOTHING });
			continue;
		}
		// llama.cpp refuses "--name=value"; other servers take it.
		const word = equals < 0 ? (args[at + 1] ?? NOTHING) : restOf(arg, equals + 1);
		// The `-c` of a program that is not known may be anything.
		if (server === undefined && isSize(found) && !/^[$\d]/.test(word.text)) continue;
		set(found.setting, { ...given, value: word.text, word });
		if (equals < 0) at++;
	}
	return settings;
}

function isSize({ setting }: Option): boolean {
	return setting === "contextSize" || setting === "requestSize";
}

/** The option that a server has for the size of its context, as it is usually spelled. */
export function sizeOptionOf(server: string): string | undefined {
	return OPTIONS.find((entry) => isSize(entry) && entry.servers.includes(server))?.names[0];
}
