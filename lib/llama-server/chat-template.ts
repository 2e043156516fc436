import { type JinjaSource, jinjaSource } from "./jinja-source.ts";

/** Thinking levels by pi's names, from none to most. */
export type ThinkingLevel = "off" | "minimal" | "low" | "medium" | "high" | "xhigh";

/** What a chat template shows about its model. */
export interface TemplateFacts {
	/** False for a model that never thinks, or whose template does not let it. */
	readonly thinks: boolean;
	/**
	 * The levels that make a difference; empty when the model does not think. Without "off" it
	 * always thinks. Where the template knows only on and off, the levels between are token
	 * budgets, which llama-server keeps for every template.
	 */
	readonly levels: readonly ThinkingLevel[];
	/** Name of the boolean in `chat_template_kwargs` that turns thinking on and off. */
	readonly toggle: "enable_thinking" | "thinking" | undefined;
	readonly effort: TemplateEffort | undefined;
	/** Name of the number of tokens in `chat_template_kwargs` that bounds the thought. */
	readonly budget: "thinking_budget" | "reasoning_budget" | undefined;
	/** True when the template shows tools to the model. */
	readonly tools: boolean;
}

/** A template that takes an effort by name. */
export interface TemplateEffort {
	readonly variable: "reasoning_effort" | "thinking_effort";
	/** What to send for a level; a level that is missing does not exist. */
	readonly values: ReadonlyMap<ThinkingLevel, string>;
}

const EVERY_BUDGET: readonly ThinkingLevel[] = ["minimal", "low", "medium", "high"];
const ORDER: readonly ThinkingLevel[] = ["off", ...EVERY_BUDGET, "xhigh"];

/** What templates call the levels. */
const EFFORTS: ReadonlyMap<string, ThinkingLevel> = new Map<string, ThinkingLevel>([
	["none", "off"],
	["off", "off"],
	["no_think", "off"],
	["minimal", "minimal"],
	["low", "low"],
	["medium", "medium"],
	["high", "high"],
	["max", "xhigh"],
	["xhigh", "xhigh"],
]);
/** A template that writes the effort into the prompt without a look at it: gpt-oss, StepFun. */
const USUAL_EFFORTS: readonly string[] = ["low", "medium", "high"];

const THOUGHT_MARKS =
	/<\/?(?:\w+:)?think(?:ing)?>|\[THINK\]|<\|channel\|>analysis|<\|channel>thought|<\|think\|>|<\|START_THINKING\|>|<thought>|<\|begin_of_thought\|>/;
/** An answer that begins with an empty thought. */
const CLOSED_THOUGHT = /<think>(?:\s|\\n)*<\/think>/;

/**
 * Reads out of a chat template how its model thinks and whether it takes tools. Patterns, not a
 * Jinja interpreter: templates differ in wording but agree on the names of what they are given.
 */
export function readTemplate(template: string): TemplateFacts {
	const source = jinjaSource(template);
	const toggle = findToggle(source.code);
	const effort = findEffort(source);
	const budget = (["thinking_budget", "reasoning_budget"] as const).find((name) =>
		isRead(source.code, name),
	);
	const tools = isRead(source.code, "tools");
	const controlled = toggle !== undefined || effort !== undefined || budget !== undefined;
	if (!controlled && !alwaysThinks(source)) {
		return { thinks: false, levels: [], toggle, effort, budget, tools };
	}
	const off = toggle !== undefined || budget !== undefined || effort?.values.has("off");
	const degrees = effort === undefined ? EVERY_BUDGET : [...effort.values.keys()];
	const levels = ORDER.filter((level) => (level === "off" ? off : degrees.includes(level)));
	return { thinks: true, levels, toggle, effort, budget, tools };
}

function findToggle(code: string): TemplateFacts["toggle"] {
	if (isRead(code, "enable_thinking")) return "enable_thinking";
	// "thinking" is also a field of messages and a name for anything: it must be asked for.
	const asked =
		/(?<![.\w])thinking\s+is\s+(?:not\s+)?(?:un)?defined|(?<![.\w])thinking\s*\|\s*default|\bif\s+(?:not\s+)?thinking\b(?!\s*[.[])/;
	return asked.test(code) ? "thinking" : undefined;
}

function findEffort({ code, written }: JinjaSource): TemplateEffort | undefined {
	const variable = (["reasoning_effort", "thinking_effort"] as const).find((name) =>
		isRead(code, name),
	);
	if (variable === undefined) return undefined;
	const listed = comparedWith(written, variable);
	const known = listed.filter((name) => EFFORTS.has(name));
	// One name alone is the default or a special case, and no list.
	const names = new Set(known).size > 1 ? known : USUAL_EFFORTS;
	const values = new Map<ThinkingLevel, string>();
	for (const name of names) {
		const level = EFFORTS.get(name);
		if (level !== undefined && !values.has(level)) values.set(level, name);
	}
	return { variable, values };
}

/** The texts that a variable is compared with, or looked up in. */
function comparedWith(written: string, variable: string): readonly string[] {
	const uses = new RegExp(
		`(?<![.\\w])${variable}\\s*(?:[=!]=\\s*(["'][\\w-]{1,16}["'])|(?:not\\s+)?in\\s*[[({]([^\\])}]{0,200}))`,
		"g",
	);
	return [...written.matchAll(uses)].flatMap(([, one, list]) =>
		[...(one ?? list ?? "").matchAll(/["']([\w-]{1,16})["']/g)].map(([, name]) => name ?? ""),
	);
}

/** True when a template uses what it is given by this name: not a field, not only set by itself. */
function isRead(code: string, name: string): boolean {
	return new RegExp(`(?<![.\\w])${name}\\b(?!\\s*=(?!=))`).test(code);
}

/** A thought without a switch: always, unless every answer is begun behind an empty one. */
function alwaysThinks({ text }: JinjaSource): boolean {
	if (!THOUGHT_MARKS.test(text)) return false;
	const prompt = text.lastIndexOf("add_generation_prompt");
	return prompt < 0 || !CLOSED_THOUGHT.test(text.slice(prompt));
}
