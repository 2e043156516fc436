import type { JsonRecord } from "../../json.ts";
import type { Refused } from "./refusal.ts";

/** The window that a refusal names. */
const WINDOW = [
	/(?:maximum )?(?:context|model|sequence) length (?:of|is|=)\s*\(?([\d,]+)/i,
	/context length \(?([\d,]+) tokens/i,
	/(?:context (?:window|size)|max_seq_len|max_model_len|n_ctx|session_len)(?: of| is|[:=])?\s*\(?([\d,]+)/i,
	/must be <= ([\d,]+)/,
];
/** The tokens of the prompt that it names. */
const PROMPT = [
	/([\d,]+)(?: tokens)? (?:in|from|of|for) (?:the |your )?(?:input |text )?(?:messages|prompt|input)/i,
	/(?:prompt|request|input|messages) (?:has|have|contains?|resulted in|is|are|of)(?: at least| about)? ([\d,]+)(?: input| prompt)? tokens/i,
	/prompt (?:length|tokens?)(?: of|[:=])?\s*\(?([\d,]+)/i,
	/Given: ([\d,]+) .?inputs.? tokens/i,
	/([\d,]+) (?:input|prompt) tokens/i,
];
/** Servers count the tokens of the template's own end differently. */
const SPARE = 8;
/** With less room than this the conversation is too long, whatever its limit. */
const MIN_ROOM = 256;
const LIMITS = ["max_tokens", "max_completion_tokens"] as const;

/**
 * The request with the limit that fits, for a server that refuses a prompt and a limit that are larger
 * than its window together. Undefined for any other refusal, and where the prompt alone is too large.
 */
export function fitOutput({ request, message }: Refused): JsonRecord | undefined {
	const window = numberIn(WINDOW, message);
	const prompt = numberIn(PROMPT, message);
	if (window === undefined || prompt === undefined) return undefined;
	const room = window - prompt - SPARE;
	const limit = LIMITS.find((name) => typeof request[name] === "number") ?? "max_tokens";
	const asked = request[limit];
	if (room < MIN_ROOM || (typeof asked === "number" && asked <= room)) return undefined;
	const budget = request["thinking_budget_tokens"];
	return {
		...request,
		[limit]: room,
		...(typeof budget === "number"
			? { thinking_budget_tokens: Math.min(budget, Math.floor(room / 2)) }
			: {}),
	};
}

function numberIn(patterns: readonly RegExp[], text: string): number | undefined {
	for (const pattern of patterns) {
		const found = pattern.exec(text)?.[1];
		if (found !== undefined) return Number(found.replaceAll(",", ""));
	}
	return undefined;
}
