import { errorFrom, type ServerError } from "../error-body.ts";
import { type JsonRecord, recordOf, textOf } from "../json.ts";

export interface CallDelta {
	readonly index: number | undefined;
	readonly id: string;
	readonly name: string;
	readonly arguments: string;
}

/** Tokens of a finished or running answer; `input` counts only what was not in the prompt cache. */
export interface TokenCounts {
	readonly input: number;
	readonly cached: number;
	readonly output: number;
	/** Part of `output` that was thinking, if the server reports it. */
	readonly reasoning: number | undefined;
}

/** llama-server's `timings`. */
export interface Timings extends TokenCounts {
	/** Tokens a second; 0 when there is nothing to divide by yet. */
	readonly promptPerSecond: number;
	readonly outputPerSecond: number;
}

/** llama-server's `prompt_progress`: how much of the prompt has been read, in tokens. */
export interface PromptProgress {
	readonly total: number;
	readonly cached: number;
	readonly processed: number;
	readonly milliseconds: number;
}

/** One event of a chat stream, in the form that all servers have in common. */
export interface Chunk {
	/** The event as parsed. */
	readonly raw: unknown;
	readonly error: ServerError | undefined;
	/** llama-swap's own text while it loads the model; never part of the answer. */
	readonly loading: string | undefined;
	readonly id: string | undefined;
	readonly model: string | undefined;
	readonly thinking: string;
	/** The field the thinking came in, and goes back in with the history. */
	readonly thinkingField: ThinkingField;
	readonly text: string;
	readonly calls: readonly CallDelta[];
	readonly finish: string | undefined;
	readonly usage: TokenCounts | undefined;
	readonly timings: Timings | undefined;
	readonly progress: PromptProgress | undefined;
}

export type ThinkingField = "reasoning_content" | "reasoning" | "reasoning_text";

const NO_CALLS: readonly CallDelta[] = [];
const NO_FIELDS: JsonRecord = {};

/**
 * Reads the data of one event, or a whole completion that came without streaming. Undefined for JSON
 * that is not an object. Throws SyntaxError for what is not JSON.
 */
export function readChunk(data: string): Chunk | undefined {
	const raw = recordOf(JSON.parse(data));
	if (raw === undefined) return undefined;
	const choice = firstChoice(raw);
	const delta = recordOf(choice["delta"]) ?? recordOf(choice["message"]) ?? NO_FIELDS;
	const thinkingField = fieldOfThinking(delta);
	const thinking = stringOf(delta[thinkingField]);
	const { id, model, error } = raw;
	// llama-swap's loading frames have none of what every server's own frames have.
	const isLoading = id === undefined && model === undefined && raw["created"] === undefined;
	return {
		raw,
		error:
			(error === undefined || error === "") && raw["object"] !== "error"
				? undefined
				: errorFrom(raw),
		loading: isLoading && thinking !== "" ? thinking : undefined,
		id: textOf(id),
		model: textOf(model),
		thinking: isLoading ? "" : thinking,
		thinkingField,
		text: contentOf(delta["content"]),
		calls: readCalls(delta),
		// Some servers send "" until there is a reason, and some again after it.
		finish: textOf(choice["finish_reason"]),
		usage: readUsage(recordOf(raw["usage"]) ?? recordOf(choice["usage"])),
		timings: readTimings(recordOf(raw["timings"])),
		progress: readProgress(recordOf(raw["prompt_progress"])),
	};
}

function firstChoice(raw: JsonRecord): JsonRecord {
	const choices = raw["choices"];
	return (Array.isArray(choices) ? recordOf(choices[0]) : undefined) ?? NO_FIELDS;
}

/** The first that holds text; a server that sends two sends the same text twice. */
function fieldOfThinking(delta: JsonRecord): ThinkingField {
	if (stringOf(delta["reasoning_content"]) !== "") return "reasoning_content";
	if (stringOf(delta["reasoning"]) !== "") return "reasoning";
	return stringOf(delta["reasoning_text"]) === "" ? "reasoning_content" : "reasoning_text";
}

function readCalls(delta: JsonRecord): readonly CallDelta[] {
	const calls = delta["tool_calls"];
	if (!Array.isArray(calls)) {
		// The older form; llama_cpp.server sends both.
		const single = recordOf(delta["function_call"]);
		return single === undefined ? NO_CALLS : [readCall({ index: 0, function: single })];
	}
	const deltas: CallDelta[] = [];
	for (const call of calls) {
		const record = recordOf(call);
		if (record !== undefined) deltas.push(readCall(record));
	}
	return deltas;
}

function readCall(call: JsonRecord): CallDelta {
	const made = recordOf(call["function"]) ?? NO_FIELDS;
	const args = made["arguments"];
	const object = recordOf(args);
	return {
		index: typeof call["index"] === "number" ? call["index"] : undefined,
		id: stringOf(call["id"]),
		name: stringOf(made["name"]),
		arguments: object === undefined ? stringOf(args) : JSON.stringify(object),
	};
}

function readUsage(usage: JsonRecord | undefined): TokenCounts | undefined {
	if (usage === undefined) return undefined;
	const prompt = countOf(usage["prompt_tokens"]);
	// There is no answer without a prompt: such a server does not count.
	if (prompt === 0) return undefined;
	const details = recordOf(usage["prompt_tokens_details"]);
	const cached = countOf(
		details?.["cached_tokens"] ?? usage["prompt_cache_hit_tokens"] ?? usage["cached_tokens"],
	);
	const reasoning = recordOf(usage["completion_tokens_details"])?.["reasoning_tokens"];
	return {
		input: Math.max(0, prompt - cached),
		cached,
		output: countOf(usage["completion_tokens"]),
		reasoning: typeof reasoning === "number" ? reasoning : undefined,
	};
}

function readTimings(timings: JsonRecord | undefined): Timings | undefined {
	if (timings === undefined) return undefined;
	const input = countOf(timings["prompt_n"]);
	const cached = countOf(timings["cache_n"]);
	return {
		input,
		cached,
		output: countOf(timings["predicted_n"]),
		reasoning: undefined,
		promptPerSecond: countOf(timings["prompt_per_second"]),
		outputPerSecond: countOf(timings["predicted_per_second"]),
	};
}

function readProgress(progress: JsonRecord | undefined): PromptProgress | undefined {
	if (progress === undefined) return undefined;
	return {
		total: countOf(progress["total"]),
		cached: countOf(progress["cache"]),
		processed: countOf(progress["processed"]),
		milliseconds: countOf(progress["time_ms"]),
	};
}

function countOf(value: unknown): number {
	return typeof value === "number" && Number.isFinite(value) && value > 0 ? value : 0;
}

/** Text, or the text of a list of parts. */
function contentOf(value: unknown): string {
	if (!Array.isArray(value)) return stringOf(value);
	return value.map((part) => stringOf(recordOf(part)?.["text"])).join("");
}

function stringOf(value: unknown): string {
	return typeof value === "string" ? value : "";
}
