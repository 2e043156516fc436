import { CONTAINER_SWITCHES, CONTAINERS, SHELLS } from "../../../llama-server/launchers.ts";
import { refusal } from "../document.ts";
import { splitWords, type Traced, textOf } from "./source-map.ts";

export type PresetFlag = "ctx-size" | "temp" | "n-gpu-layers";

interface FlagRule {
	/** The first one is written when the flag is absent. */
	readonly names: readonly [string, ...string[]];
	readonly least: number;
	readonly most: number;
	readonly whole: boolean;
	/** Values that are no number, and may be replaced by one. */
	readonly words: RegExp;
	/** What llama-server reads when the flag is absent. */
	readonly variable: string | undefined;
}

const FLAGS: Readonly<Record<PresetFlag, FlagRule>> = {
	"ctx-size": {
		names: ["--ctx-size", "-c"],
		least: 0,
		most: 2 ** 31 - 1,
		whole: true,
		words: /^\d+[kKmM]$/,
		variable: "LLAMA_ARG_CTX_SIZE",
	},
	temp: {
		names: ["--temp", "--temperature"],
		least: 0,
		most: 10,
		whole: false,
		words: /^$/,
		variable: undefined,
	},
	"n-gpu-layers": {
		names: ["--n-gpu-layers", "-ngl", "--gpu-layers"],
		least: -1,
		most: 65_535,
		whole: true,
		words: /^(?:auto|all)$/,
		variable: "LLAMA_ARG_N_GPU_LAYERS",
	},
};

/** How the flag is written when it is not there yet. */
export function flagName(flag: PresetFlag): string {
	return FLAGS[flag].names[0];
}

/** The variable that llama-server reads in the flag's place. */
export function flagVariable(flag: PresetFlag): string | undefined {
	return FLAGS[flag].variable;
}

/** The value as it is written. Throws AiServerError "config" for one that the flag cannot have. */
export function flagText(flag: PresetFlag, value: number): string {
	const { least, most, whole } = FLAGS[flag];
	const text = String(value);
	// String() writes very small numbers with an exponent, which nobody would expect in the file.
	if (value >= least && value <= most && (!whole || Number.isInteger(value)) && !/e/.test(text)) {
		return text;
	}
	throw refusal(`${flagName(flag)} cannot be ${text}`, {
		hint: `Give a ${whole ? "whole " : ""}number from ${least} to ${most}`,
	});
}

/** The number that a flag's value states; undefined for `32k`, `auto` and the like. */
export function numberIn(text: string): number | undefined {
	return /^-?(?:\d+\.?\d*|\.\d+)$/.test(text) ? Number(text) : undefined;
}

/** True for what may be replaced by a number: a number, or a word that stands for one. */
export function isReplaceable(flag: PresetFlag, text: string): boolean {
	return numberIn(text) !== undefined || FLAGS[flag].words.test(text);
}

/**
 * The value of the last occurrence, which is the one that llama.cpp takes; empty for a flag without
 * a value, undefined without the flag. Only whole words count: no look-alike and no prompt does.
 */
export function lastValue(args: readonly Traced[], flag: PresetFlag): Traced | undefined {
	const { names } = FLAGS[flag];
	let value: Traced | undefined;
	args.forEach((word, at) => {
		const text = textOf(word);
		const joined = names.find((name) => name.startsWith("--") && text.startsWith(`${name}=`));
		if (joined !== undefined) value = word.slice(joined.length + 1);
		else if (names.includes(text)) value = args[at + 1] ?? [];
	});
	return value;
}

/** Whose arguments a command's words are. */
export type Arguments =
	| { readonly kind: "server"; readonly words: readonly Traced[]; readonly script: boolean }
	| { readonly kind: "unclear"; readonly program: string };

const SERVER = /^(?:llama-server[\w-]*|server)(?:\.exe)?$/;
/** Programs that start another one and have options of their own, `-c` among them. */
const LAUNCHER =
	/^(?:chrt|env|exec|firejail|ionice|nice|nohup|numactl|prlimit|runuser|script|setsid|stdbuf|su|sudo|systemd-run|taskset|time|timeout|unshare|xargs)$/;
/**
 * The words that are the server's own: behind a launcher, a container's image, or within a shell's
 * script. "unclear" where a flag might belong to another program.
 */
export function serverArguments(words: readonly Traced[]): Arguments {
	const texts = words.map(textOf);
	const program = programOf(texts[0]);
	if (SHELLS.test(program)) return shellArguments(words, texts);
	if (CONTAINERS.test(program)) return containerArguments(words, texts);
	const server = texts.findIndex((text) => SERVER.test(programOf(text)));
	if (LAUNCHER.test(program)) {
		const inner = texts.findIndex((text) => {
			const name = programOf(text);
			return SHELLS.test(name) || CONTAINERS.test(name) || SERVER.test(name);
		});
		return inner > 0 ? serverArguments(words.slice(inner)) : { kind: "unclear", program };
	}
	return { kind: "server", words: words.slice(Math.max(server, 0) + 1), script: false };
}

function shellArguments(words: readonly Traced[], texts: readonly string[]): Arguments {
	const unclear = { kind: "unclear", program: programOf(texts[0]) } as const;
	let at = 1;
	while (/^-[a-z]+$/.test(texts[at] ?? "") && !/c$/.test(texts[at] ?? "")) at++;
	if (!/^-[a-z]*c$/.test(texts[at] ?? "")) {
		return { kind: "server", words: words.slice(at + 1), script: false };
	}
	const script = words[at + 1] ?? [];
	if (/[^\\\s]\s*\n\s*\S/.test(textOf(script))) return unclear;
	const inner = splitWords(script);
	const names = inner.map(textOf);
	const servers = names.flatMap((name, index) => (SERVER.test(programOf(name)) ? [index] : []));
	const [start, second] = servers;
	if (second !== undefined) return unclear;
	if (start === undefined) {
		const found = names.some(endsCommand) ? unclear : serverArguments(inner);
		return found.kind === "server" ? { ...found, script: true } : found;
	}
	const end = names.findIndex((name, index) => index > start && endsCommand(name));
	return { kind: "server", words: inner.slice(start + 1, end < 0 ? undefined : end), script: true };
}

function endsCommand(word: string): boolean {
	return /^(?:[|&;<>#]|\d[<>])|[;&]$/.test(word);
}

function containerArguments(words: readonly Traced[], texts: readonly string[]): Arguments {
	let at = texts.indexOf("run") + 1;
	if (at === 0) {
		const server = texts.findIndex((text) => SERVER.test(programOf(text)));
		if (server < 0) return { kind: "unclear", program: programOf(texts[0]) };
		return { kind: "server", words: words.slice(server + 1), script: false };
	}
	while (texts[at]?.startsWith("-")) at += CONTAINER_SWITCHES.test(texts[at] ?? "") ? 1 : 2;
	const rest = words.slice(at + 1);
	return texts[at + 1] === undefined || texts[at + 1]?.startsWith("-")
		? { kind: "server", words: rest, script: false }
		: serverArguments(rest);
}

function programOf(word: string | undefined): string {
	return word?.split("/").at(-1) ?? "";
}
