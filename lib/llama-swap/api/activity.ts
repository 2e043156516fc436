import { flagOf, lineOf, recordOf, textOf } from "../../json.ts";

/** A finished request, as llama-swap has measured it. What it did not measure is undefined. */
export interface Activity {
	/** Counts from 0 or 1, anew in each process. */
	readonly id: number;
	/** Milliseconds since 1970, by the server's clock. */
	readonly endedAt: number | undefined;
	readonly model: string | undefined;
	readonly path: string | undefined;
	readonly status: number | undefined;
	/** The model server's message about a request that failed (v225 and later). */
	readonly error: string | undefined;
	readonly durationMs: number | undefined;
	/** Tokens of the prompt that had to be read, and those that the cache already had. */
	readonly inputTokens: number | undefined;
	readonly cachedTokens: number | undefined;
	readonly outputTokens: number | undefined;
	/** Tokens a second. */
	readonly promptSpeed: number | undefined;
	readonly outputSpeed: number | undefined;
	/** True when request and answer can be looked at. */
	readonly hasCapture: boolean;
}

/** Undefined for what is no entry of llama-swap's activity. */
export function readActivity(entry: unknown): Activity | undefined {
	const record = recordOf(entry);
	const id = measured(record?.["id"]);
	if (record === undefined || id === undefined) return undefined;
	const tokens = recordOf(record["tokens"]) ?? {};
	const ended = Date.parse(textOf(record["timestamp"]) ?? "");
	return {
		id,
		endedAt: Number.isNaN(ended) ? undefined : ended,
		model: textOf(record["model"]),
		path: lineOf(record["req_path"]),
		status: measured(record["resp_status_code"]),
		error: lineOf(record["error_msg"]),
		durationMs: measured(record["duration_ms"]),
		inputTokens: measured(tokens["input_tokens"]),
		cachedTokens: measured(tokens["cache_tokens"]),
		outputTokens: measured(tokens["output_tokens"]),
		promptSpeed: measured(tokens["prompt_per_second"]),
		outputSpeed: measured(tokens["tokens_per_second"]),
		hasCapture: flagOf(record["has_capture"]) ?? false,
	};
}

/** llama-swap writes -1 for a number that it does not have. */
function measured(value: unknown): number | undefined {
	return typeof value === "number" && value >= 0 ? value : undefined;
}
