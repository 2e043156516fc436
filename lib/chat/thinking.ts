import type { Thinking } from "../llama-server/thinking.ts";

/** How much a turn lets the model think. */
export interface ThinkingRequest {
	/** pi's name of the level; undefined for no thinking. */
	readonly level: string | undefined;
	/** The model's own name of the level, if its settings contain one. */
	readonly word: string | undefined;
	/** Tokens that the user allows for the level. */
	readonly budget: number | undefined;
	/** Tokens that the thought may take without eating up the answer. */
	readonly room: number;
}

/** Tokens for thinking by level, as pi's own providers have them. */
const BUDGETS: Readonly<Record<string, number>> = {
	minimal: 1024,
	low: 2048,
	medium: 8192,
	high: 16_384,
	xhigh: 16_384,
	max: 16_384,
};
const MIN_BUDGET = 256;

/**
 * llama.cpp's switches, as parameters of a request: the template reads a boolean or an effort out of
 * `chat_template_kwargs`, `thinking_budget_tokens` bounds the thought. An unknown template gets
 * `enable_thinking`, which most templates have and the others ignore. `preserve_thinking` keeps the
 * thoughts of earlier turns in the prompt, as they are in the server's cache; pi sends it too.
 */
export function thinkingParameters(
	{ level, word, budget, room }: ThinkingRequest,
	facts: Thinking | undefined,
): Readonly<Record<string, unknown>> {
	const toggle = facts === undefined ? "enable_thinking" : facts.toggle;
	const { variable = "reasoning_effort", values = [] } = facts?.effort ?? {};
	const effort = new Map(values).get(level ?? "off") ?? (level === undefined ? undefined : word);
	const inTemplate = variable === "thinking_effort" && effort !== undefined;
	const kwargs = {
		...(toggle === undefined ? {} : { [toggle]: level !== undefined }),
		...(toggle === "enable_thinking" ? { preserve_thinking: true } : {}),
		...(inTemplate ? { thinking_effort: effort } : {}),
	};
	const tokens = level === undefined ? undefined : (budget ?? BUDGETS[level]);
	return {
		...(Object.keys(kwargs).length === 0 ? {} : { chat_template_kwargs: kwargs }),
		...(effort === undefined || inTemplate ? {} : { reasoning_effort: effort }),
		...(tokens === undefined
			? {}
			: { thinking_budget_tokens: Math.max(MIN_BUDGET, Math.min(tokens, room)) }),
	};
}
