import type { TemplateFacts, ThinkingLevel } from "./chat-template.ts";

/** How thinking is switched on and off for a model. */
export interface Thinking extends Pick<TemplateFacts, "thinks" | "levels" | "toggle" | "budget"> {
	readonly effort:
		| {
				readonly variable: "reasoning_effort" | "thinking_effort";
				/** Level and the word for it. */
				readonly values: readonly (readonly [level: string, word: string])[];
		  }
		| undefined;
}

export function toThinking({ thinks, levels, toggle, budget, effort }: TemplateFacts): Thinking {
	const words = effort && { variable: effort.variable, values: [...effort.values] };
	return { thinks, levels, toggle, budget, effort: words };
}

/** Each level and the word for it; null for one that the model does not have. */
export function levelMap({ levels, effort }: Thinking): Record<ThinkingLevel, string | null> {
	const words = new Map(effort?.values);
	const word = (level: ThinkingLevel): string | null =>
		levels.includes(level) ? (words.get(level) ?? level) : null;
	return {
		off: word("off"),
		minimal: word("minimal"),
		low: word("low"),
		medium: word("medium"),
		high: word("high"),
		xhigh: word("xhigh"),
	};
}
