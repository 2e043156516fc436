import { expect, test } from "vitest";
import { adviceOn, createAdviser } from "../../stream/advice.ts";

const of = (text: string, more: object = {}): string | undefined =>
	adviceOn({ text, hasThoughts: false, hasCalls: false, ...more }, "m", true);

test.each<[string, RegExp, object]>([
	["<think>hm</think>Yes", /left its thoughts/, {}],
	["\n<think>\nhm", /left its thoughts/, {}],
	["so it is\n</think>\n\nYes", /left its thoughts/, {}],
	["<thinking>hm</thinking> Yes", /left its thoughts/, {}],
	['<tool_call>\n{"name":"f"}\n</tool_call>', /wrote a tool call as text/, {}],
	["<tool_call>\n<function=f>", /wrote a tool call as text/, {}],
	['[TOOL_CALLS][{"name":"f"}]', /wrote a tool call as text/, {}],
	["", /thoughts alone/, { hasThoughts: true }],
	[" \n", /thoughts alone/, { hasThoughts: true }],
])("%j", (text, advice, more) => {
	expect(of(text, more)).toMatch(advice);
});

test.each<[string, object]>([
	["Yes", {}],
	["", {}],
	["Yes", { hasThoughts: true }],
	["", { hasThoughts: true, hasCalls: true }],
	["Models wrap it in `<think>` and `</think>`.", {}],
	["Use <think> ... </think> for that", {}],
	['<tool_call>{"name":"f"}</tool_call>', { hasCalls: true }],
])("nothing about %j %j", (text, more) => {
	expect(of(text, more)).toBeUndefined();
});

test("each kind is said once, whichever model it is about", () => {
	const told: string[] = [];
	const advise = createAdviser((text) => told.push(text));
	const outcome = { text: "<think>hm", hasThoughts: false, hasCalls: false };
	advise(outcome, "m", true);
	advise(outcome, "n", true);
	advise({ ...outcome, text: "[TOOL_CALLS]" }, "n", true);
	expect(told.map((text) => text.slice(0, 12))).toEqual(["m left its t", "n wrote a to"]);
});
