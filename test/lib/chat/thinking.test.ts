import { expect, test } from "vitest";
import { type ThinkingRequest, thinkingParameters } from "../../../lib/chat/thinking.ts";
import { readTemplate } from "../../../lib/llama-server/chat-template.ts";
import { levelMap, type Thinking, toThinking } from "../../../lib/llama-server/thinking.ts";

const facts = (more: Partial<Thinking>): Thinking => ({
	thinks: true,
	levels: ["off", "medium"],
	toggle: undefined,
	budget: undefined,
	effort: undefined,
	...more,
});
const EFFORT: Thinking["effort"] = {
	variable: "reasoning_effort",
	values: [
		["off", "none"],
		["medium", "mid"],
	],
};
const on: ThinkingRequest = { level: "medium", word: undefined, budget: undefined, room: 100_000 };
const off: ThinkingRequest = { ...on, level: undefined };

test.each<[string, ThinkingRequest, Thinking | undefined, unknown]>([
	[
		"an unread template",
		on,
		undefined,
		{
			chat_template_kwargs: { enable_thinking: true, preserve_thinking: true },
			thinking_budget_tokens: 8192,
		},
	],
	[
		"an unread template, off",
		off,
		undefined,
		{ chat_template_kwargs: { enable_thinking: false, preserve_thinking: true } },
	],
	[
		"a toggle of another name",
		on,
		facts({ toggle: "thinking" }),
		{ chat_template_kwargs: { thinking: true }, thinking_budget_tokens: 8192 },
	],
	["that, off", off, facts({ toggle: "thinking" }), { chat_template_kwargs: { thinking: false } }],
	[
		"an effort",
		on,
		facts({ effort: EFFORT }),
		{ reasoning_effort: "mid", thinking_budget_tokens: 8192 },
	],
	["an effort that can be none", off, facts({ effort: EFFORT }), { reasoning_effort: "none" }],
	[
		"an effort in the template's own words",
		on,
		facts({ effort: { ...EFFORT, variable: "thinking_effort" } }),
		{ chat_template_kwargs: { thinking_effort: "mid" }, thinking_budget_tokens: 8192 },
	],
	["a model that always thinks", off, facts({}), {}],
	[
		"little room",
		{ ...on, room: 500 },
		facts({ toggle: "enable_thinking" }),
		{
			chat_template_kwargs: { enable_thinking: true, preserve_thinking: true },
			thinking_budget_tokens: 500,
		},
	],
	[
		"a budget of the user's",
		{ ...on, budget: 99, room: 500 },
		facts({ toggle: "enable_thinking" }),
		{
			chat_template_kwargs: { enable_thinking: true, preserve_thinking: true },
			thinking_budget_tokens: 256,
		},
	],
])("%s", (_name, wish, template, expected) => {
	expect(thinkingParameters(wish, template)).toEqual(expected);
});

test("pi is shown the levels of the template, and no others", () => {
	const read = toThinking(readTemplate("{%- set r = reasoning_effort %}Reasoning: {{ r }}"));
	expect(JSON.parse(JSON.stringify(read))).toMatchObject({ thinks: true });
	expect(levelMap(read)).toEqual({
		off: null,
		minimal: null,
		low: "low",
		medium: "medium",
		high: "high",
		xhigh: null,
	});
});
