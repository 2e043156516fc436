import { createHash } from "node:crypto";
import { splitCommand } from "../lib/llama-server/shell-words.ts";
import type { Thinking } from "../lib/llama-server/thinking.ts";

/** What a model's server, or its file, has told once. Kept over restarts of pi, so it is plain JSON. */
export interface Learned {
	/** Of the command that it was learned with; undefined where the server shows no command. */
	readonly fingerprint: string | undefined;
	/** Tokens of one request, as the loaded server has allocated them. */
	readonly contextWindow?: number | undefined;
	readonly images?: boolean | undefined;
	readonly thinking?: Thinking | undefined;
	readonly tools?: boolean | undefined;
	/** Tokens that the model was trained for, out of the head of its file. */
	readonly trained?: number | undefined;
	/** Set when that file could not be read, so that it is not looked for again before the next start. */
	readonly file?: "unreadable" | undefined;
}

/**
 * Tells one command from another. The port does not count: llama-swap deals it anew when a model is
 * added to the config.
 */
export function fingerprintOf(cmd: string): string {
	const words = splitCommand(cmd);
	const counted = words.filter(
		(word, at) => !/^--port(?:=|$)/.test(word) && words[at - 1] !== "--port",
	);
	return createHash("sha256").update(JSON.stringify(counted)).digest("hex").slice(0, 16);
}

/** What was learned with this command, or with one that nobody can compare. */
export function stillTrue(
	learned: Learned | undefined,
	cmd: string | undefined,
): Learned | undefined {
	if (learned?.fingerprint === undefined || cmd === undefined) return learned;
	return learned.fingerprint === fingerprintOf(cmd) ? learned : undefined;
}

/**
 * Reads what was kept. Left out are entries of another form, and those without a command: nobody
 * could tell when they are no longer true.
 */
export function parseLearned(kept: unknown): ReadonlyMap<string, Learned> {
	if (!Array.isArray(kept)) return new Map();
	return new Map(
		kept.filter((entry): entry is [string, Learned] => {
			const [id, learned] = Array.isArray(entry) ? entry : [];
			return typeof id === "string" && isLearned(learned);
		}),
	);
}

function isLearned(value: unknown): value is Learned {
	if (typeof value !== "object" || value === null) return false;
	const { fingerprint, contextWindow, images, thinking, tools, trained } = value as Record<
		keyof Learned,
		unknown
	>;
	const is = (type: string, ...fields: readonly unknown[]): boolean =>
		fields.every((field) => field === undefined || typeof field === type);
	return (
		typeof fingerprint === "string" &&
		is("number", contextWindow, trained) &&
		is("boolean", images, tools) &&
		(thinking === undefined || isThinking(thinking))
	);
}

function isThinking(value: unknown): boolean {
	const { thinks, levels, effort } = (value ?? {}) as Partial<Record<keyof Thinking, unknown>>;
	const words = (effort as { values?: unknown } | undefined)?.values;
	return (
		typeof thinks === "boolean" &&
		Array.isArray(levels) &&
		(effort === undefined || (Array.isArray(words) && words.every(Array.isArray)))
	);
}
