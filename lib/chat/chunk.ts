import { errorFrom, type ServerError } from "../error-body.ts";

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

type Fields = Readonly<Record<string, unknown>>;

const NO_CALLS: readonly CallDelta[] = [];
const NO_FIELDS: Fields = {};

/**
 * Reads the data of one event, or a whole completion that came without streaming. Undefined for JSON
 * that is no object. Throws SyntaxError for what is no JSON.
 */
export function readChunk(data: string): Chunk | undefined {
	const raw: unknown = JSON.parse(data);
	if (!isFields(raw)) return undefined;
	const choice = firstChoice(raw);
	const delta = fieldsOf(choice["delta"]) ?? fieldsOf(choice["message"]) ?? NO_FIELDS;
	const thinkingField = fieldOfThinking(delta);
	const thinking = textOf(delta[thinkingField]);
	const { id, model, error } = raw;
	// llama-swap's loading frames have none of what every server's own frames have.
	const isLoading = id === undefined && model === undefined && raw["created"] === undefined;
	return {
		raw,
		error: error === undefined || error === "" ? undefined : errorFrom(raw),
		loading: isLoading && thinking !== "" ? thinking : undefined,
		id: wordOf(id),
		model: wordOf(model),
		thinking: isLoading ? "" : thinking,
		thinkingField,
		text: contentOf(delta["content"]),
		calls: readCalls(delta),
		// Some servers send "" until there is a reason, and some again after it.
		finish: wordOf(choice["finish_reason"]),
		usage: readUsage(raw["usage"]) ?? readUsage(choice["usage"]),
		timings: readTimings(raw["timings"]),
		progress: readProgress(raw["prompt_progress"]),
	};
}

function firstChoice(raw: Fields): Fields {
	const choices = raw["choices"];
	return (Array.isArray(choices) ? fieldsOf(choices[0]) : undefined) ?? NO_FIELDS;
}

/** The first that holds text; a server that sends two sends the same text twice. */
function fieldOfThinking(delta: Fields): ThinkingField {
	if (textOf(delta["reasoning_content"]) !== "") return "reasoning_content";
	if (textOf(delta["reasoning"]) !== "") return "reasoning";
	return textOf(delta["reasoning_text"]) === "" ? "reasoning_content" : "reasoning_text";
}

function readCalls(delta: Fields): readonly CallDelta[] {
	const calls = delta["tool_calls"];
	if (!Array.isArray(calls)) {
		// The form of before tool_calls; llama_cpp.server sends both.
		const single = fieldsOf(delta["function_call"]);
		return single === undefined ? NO_CALLS : [readCall({ index: 0, function: single })];
	}
	return calls.filter(isFields).map(readCall);
}

function readCall(call: Fields): CallDelta {
	const made = fieldsOf(call["function"]) ?? NO_FIELDS;
	const args = made["arguments"];
	return {
		index: typeof call["index"] === "number" ? call["index"] : undefined,
		id: textOf(call["id"]),
		name: textOf(made["name"]),
		arguments: isFields(args) ? JSON.stringify(args) : textOf(args),
	};
}

function readUsage(usage: unknown): TokenCounts | undefined {
	if (!isFields(usage)) return undefined;
	const prompt = numberOf(usage["prompt_tokens"]);
	const details = fieldsOf(usage["prompt_tokens_details"]);
	const cached = numberOf(
		details?.["cached_tokens"] ?? usage["prompt_cache_hit_tokens"] ?? usage["cached_tokens"],
	);
	const reasoning = fieldsOf(usage["completion_tokens_details"])?.["reasoning_tokens"];
	return {
		input: Math.max(0, prompt - cached),
		cached,
		output: numberOf(usage["completion_tokens"]),
		reasoning: typeof reasoning === "number" ? reasoning : undefined,
	};
}

function readTimings(timings: unknown): Timings | undefined {
	if (!isFields(timings)) return undefined;
	return {
		input: numberOf(timings["prompt_n"]),
		cached: numberOf(timings["cache_n"]),
		output: numberOf(timings["predicted_n"]),
		reasoning: undefined,
		promptPerSecond: numberOf(timings["prompt_per_second"]),
		outputPerSecond: numberOf(timings["predicted_per_second"]),
	};
}

function readProgress(progress: unknown): PromptProgress | undefined {
	if (!isFields(progress)) return undefined;
	return {
		total: numberOf(progress["total"]),
		cached: numberOf(progress["cache"]),
		processed: numberOf(progress["processed"]),
		milliseconds: numberOf(progress["time_ms"]),
	};
}

function numberOf(value: unknown): number {
	return typeof value === "number" && Number.isFinite(value) && value > 0 ? value : 0;
}

/** Text, or the text of a list of parts. */
function contentOf(value: unknown): string {
	if (!Array.isArray(value)) return textOf(value);
	return value.map((part) => textOf(fieldsOf(part)?.["text"])).join("");
}

function wordOf(value: unknown): string | undefined {
	return typeof value === "string" && value !== "" ? value : undefined;
}

function textOf(value: unknown): string {
	return typeof value === "string" ? value : "";
}

function fieldsOf(value: unknown): Fields | undefined {
	return isFields(value) ? value : undefined;
}

function isFields(value: unknown): value is Fields {
	return typeof value === "object" && value !== null && !Array.isArray(value);
}
