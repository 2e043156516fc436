import { expect, test } from "vitest";
import { readChunk } from "../../../lib/chat/chunk.ts";

const HEAD = { id: "c1", model: "m", created: 1 };
const withDelta = (delta: unknown): unknown =>
	readChunk(JSON.stringify({ ...HEAD, choices: [{ delta }] }));

test.each(["1", "null", '"text"', "[]", "true"])("%s is no chunk", (data) => {
	expect(readChunk(data)).toBeUndefined();
});

test("what is no JSON throws", () => {
	expect(() => readChunk("{nope")).toThrow(SyntaxError);
});

const NOTHING = { thinking: "", text: "", calls: [], finish: undefined, loading: undefined };

test.each<[string, unknown]>([
	["no choices", {}],
	["null for choices", { choices: null }],
	["no choice", { choices: [] }],
	["null for a choice", { choices: [null] }],
	["no delta", { choices: [{ finish_reason: null }] }],
	["null for a delta", { choices: [{ delta: null }] }],
	["null for content", { choices: [{ delta: { role: "assistant", content: null } }] }],
	["empty texts", { choices: [{ delta: { content: "", reasoning_content: "" } }] }],
	["null for calls", { choices: [{ delta: { tool_calls: null, function_call: null } }] }],
	["calls that are none", { choices: [{ delta: { tool_calls: [null, 1] } }] }],
	["a refusal", { choices: [{ delta: { refusal: "no" } }] }],
	["null for an error", { error: null, choices: [] }],
	["an empty error", { error: "", choices: [] }],
	["an empty finish reason", { choices: [{ delta: {}, finish_reason: "" }] }],
])("%s says nothing and breaks nothing", (_name, body) => {
	const chunk = readChunk(JSON.stringify({ ...HEAD, ...(body as object) }));
	expect(chunk).toMatchObject(NOTHING);
	expect(chunk?.error).toBeUndefined();
});

test.each<[object, string, string]>([
	[{ reasoning_content: "a" }, "a", "reasoning_content"],
	[{ reasoning: "a" }, "a", "reasoning"],
	[{ reasoning_text: "a" }, "a", "reasoning_text"],
	[{ reasoning_content: "a", reasoning: "a" }, "a", "reasoning_content"],
	[{ reasoning_content: "", reasoning: "b", reasoning_text: "c" }, "b", "reasoning"],
	[{ reasoning_content: null, reasoning_text: "c" }, "c", "reasoning_text"],
])("thinking out of %j", (delta, thinking, thinkingField) => {
	expect(withDelta(delta)).toMatchObject({ thinking, thinkingField, text: "" });
});

test.each<[string, object, string | undefined]>([
	["no id, model or time: loading", {}, "wait"],
	["an id", { id: "c" }, undefined],
	["a model", { model: "m" }, undefined],
	["a time", { created: 1 }, undefined],
])("%s", (_name, head, loading) => {
	const body = { ...head, choices: [{ delta: { reasoning_content: "wait" } }] };
	const chunk = readChunk(JSON.stringify(body));
	expect(chunk?.loading).toBe(loading);
	expect(chunk?.thinking).toBe(loading === undefined ? "wait" : "");
});

test.each<[string, unknown, unknown]>([
	[
		"llama-server's first delta",
		{ index: 0, id: "a", type: "function", function: { name: "f", arguments: "" } },
		{ index: 0, id: "a", name: "f", arguments: "" },
	],
	[
		"a later one",
		{ index: 0, function: { arguments: "{" } },
		{ index: 0, id: "", name: "", arguments: "{" },
	],
	["no index", { id: "a" }, { index: undefined, id: "a", name: "", arguments: "" }],
	[
		"null for everything",
		{ index: null, id: null, function: null },
		{ index: undefined, id: "", name: "", arguments: "" },
	],
	[
		"an object",
		{ index: 1, function: { arguments: { a: [1] } } },
		{ index: 1, id: "", name: "", arguments: '{"a":[1]}' },
	],
])("a call: %s", (_name, call, expected) => {
	expect(withDelta({ tool_calls: [call] })).toMatchObject({ calls: [expected] });
});

test("function_call counts only where there are no tool_calls", () => {
	const old = { name: "f", arguments: "{}" };
	expect(withDelta({ function_call: old })).toMatchObject({ calls: [{ index: 0, name: "f" }] });
	const calls = (
		withDelta({ tool_calls: [{ index: 0, id: "a" }], function_call: old }) as { calls: unknown[] }
	).calls;
	expect(calls).toEqual([{ index: 0, id: "a", name: "", arguments: "" }]);
});

test.each<[object, object]>([
	[
		{ prompt_tokens: 10, completion_tokens: 2 },
		{ input: 10, cached: 0, output: 2, reasoning: undefined },
	],
	[
		{ prompt_tokens: 10, completion_tokens: 2, prompt_tokens_details: { cached_tokens: 4 } },
		{ input: 6, cached: 4, output: 2 },
	],
	[
		{ prompt_tokens: 10, prompt_cache_hit_tokens: 3 },
		{ input: 7, cached: 3, output: 0 },
	],
	[
		{ prompt_tokens: 10, cached_tokens: 3 },
		{ input: 7, cached: 3 },
	],
	[
		{ prompt_tokens: 3, cached_tokens: 10 },
		{ input: 0, cached: 10 },
	],
	[
		{ prompt_tokens: 1, completion_tokens: 9, completion_tokens_details: { reasoning_tokens: 5 } },
		{ output: 9, reasoning: 5 },
	],
])("usage %j", (usage, counts) => {
	expect(readChunk(JSON.stringify({ ...HEAD, choices: [], usage }))?.usage).toMatchObject(counts);
	expect(readChunk(JSON.stringify({ ...HEAD, choices: [{ usage }] }))?.usage).toMatchObject(counts);
});

test("a whole completion reads like one chunk", () => {
	const message = {
		content: "t",
		reasoning_content: "r",
		tool_calls: [{ id: "a", function: { name: "f", arguments: "{}" } }],
	};
	expect(
		readChunk(JSON.stringify({ ...HEAD, choices: [{ message, finish_reason: "stop" }] })),
	).toMatchObject({
		text: "t",
		thinking: "r",
		finish: "stop",
		calls: [{ index: undefined, id: "a", name: "f", arguments: "{}" }],
	});
});

test.each([
	[{ error: "words" }, "words"],
	[{ error: { message: "words", code: 500 } }, "words"],
	[{ error: { odd: 1 } }, '{"odd":1}'],
])("a error: %j", (body, message) => {
	expect(readChunk(JSON.stringify(body))?.error?.message).toBe(message);
});

test("an empty id and an empty model are none", () => {
	const chunk = readChunk(JSON.stringify({ id: "", model: "", created: 1, choices: [] }));
	expect(chunk).toMatchObject({ id: undefined, model: undefined, loading: undefined });
});

test("text in a list of parts", () => {
	const content = [
		{ type: "text", text: "a" },
		null,
		{ type: "image" },
		{ type: "text", text: "b" },
	];
	expect(withDelta({ content })).toMatchObject({ text: "ab" });
});

test.each([
	{ prompt_tokens: null, completion_tokens: "7" },
	{ prompt_tokens: 0, completion_tokens: 0, total_tokens: 0 },
	{ prompt_tokens: 0, completion_tokens: 5, prompt_tokens_details: { cached_tokens: 4 } },
	{ completion_tokens: 5 },
	{},
])("a usage without tokens of a prompt counts as none: %j", (usage) => {
	expect(readChunk(JSON.stringify({ ...HEAD, choices: [], usage }))?.usage).toBeUndefined();
});
