import type { AssistantMessage } from "@earendil-works/pi-ai";
import { expect, test } from "vitest";
import {
	assistant,
	call,
	calls,
	image,
	request,
	result,
	SEES,
	sent,
	THINKS,
	text,
	thought,
	tool,
	url,
	user,
} from "../support/transcripts.ts";

test.each<[string, unknown[], unknown]>([
	["a string", [user("hi")], [{ role: "user", content: "hi" }]],
	["an empty string", [user("")], [{ role: "user", content: "" }]],
	[
		"text parts become one string",
		[user([text("a"), text(""), text("b")])],
		[{ role: "user", content: "a\nb" }],
	],
	["nothing at all is left out", [user([])], []],
	["content that is missing", [user(null)], []],
	[
		"images for a model that sees none: one note for a run of them",
		[user([text("look"), image, image])],
		[{ role: "user", content: "look\n(image omitted: model does not support images)" }],
	],
	[
		"text blocks are joined, blank ones dropped",
		[assistant([text("a"), text(" \n"), text("b")])],
		[{ role: "assistant", content: "ab" }],
	],
	[
		"a call: content is never null, arguments are JSON again",
		[assistant([call("c1", { command: "ls" })]), result("c1", [text("x"), text("y")])],
		[
			{
				role: "assistant",
				content: "",
				tool_calls: [
					{ id: "c1", type: "function", function: { name: "bash", arguments: '{"command":"ls"}' } },
				],
			},
			tool("c1", "x\ny"),
		],
	],
	[
		"stored arguments that are no object",
		[assistant([call("c1", "broken")]), result("c1", [text("x")])],
		[{ role: "assistant", content: "", tool_calls: calls("c1") }, tool("c1", "x")],
	],
	["a turn of nothing but thinking", [assistant([{ type: "thinking", thinking: "hm" }])], []],
	[
		"calls without results are answered before the next turn, in order",
		[assistant([call("c1"), call("c2"), call("c3")]), result("c2", [text("x")]), user("go on")],
		[
			{ role: "assistant", content: "", tool_calls: calls("c1", "c2", "c3") },
			tool("c2", "x"),
			tool("c1", "No result provided"),
			tool("c3", "No result provided"),
			{ role: "user", content: "go on" },
		],
	],
	[
		"and at the end",
		[assistant([call("c1")])],
		[{ role: "assistant", content: "", tool_calls: calls("c1") }, tool("c1", "No result provided")],
	],
	[
		"a result without its call",
		[result("c9", [text("x")]), user("a")],
		[{ role: "user", content: "a" }],
	],
	[
		"a failed turn is left out with its results",
		[assistant([call("c1")], { stopReason: "error" }), result("c1", [text("x")]), user("a")],
		[{ role: "user", content: "a" }],
	],
	[
		"an aborted turn",
		[assistant([text("half")], { stopReason: "aborted" }), user("a")],
		[{ role: "user", content: "a" }],
	],
	[
		"an empty result",
		[assistant([call("c1")]), result("c1", [text(" ")])],
		[{ role: "assistant", content: "", tool_calls: calls("c1") }, tool("c1", "(no tool output)")],
	],
])("%s", (_name, messages, expected) => {
	expect(sent(messages)).toEqual(expected);
});

test("a model that sees gets images as parts, and those of results behind the run of results", () => {
	expect(sent([user([text("look"), image])], SEES)).toEqual([
		{ role: "user", content: [{ type: "text", text: "look" }, url] },
	]);
	const run = [
		assistant([call("c1"), call("c2")]),
		result("c1", [image]),
		result("c2", [text("t"), image]),
	];
	expect((sent(run, SEES) as unknown[]).slice(1)).toEqual([
		tool("c1", "(see attached image)"),
		tool("c2", "t"),
		{
			role: "user",
			content: [{ type: "text", text: "Attached image(s) from tool result:" }, url, url],
		},
	]);
});

test.each([
	["reasoning_content", {}, { reasoning_content: "hm" }],
	["reasoning", {}, { reasoning: "hm" }],
	["encrypted", {}, {}],
	[undefined, {}, {}],
	["reasoning_content", { model: "other" }, {}],
	["reasoning_content", { provider: "openai" }, {}],
	["reasoning_content", { api: "openai-completions" }, {}],
])("thinking of %s in a turn of %o goes back as %o", (signature, origin, field) => {
	const turn = assistant([thought(signature), text("answer")], origin as Partial<AssistantMessage>);
	expect(sent([turn])).toEqual([{ role: "assistant", content: "answer", ...field }]);
});

test("lone surrogates are gone wherever they can be, whole emoji stay", () => {
	const bad = "a\ud800b\udc00c 🎉";
	const made = request([
		{
			role: "system",
			content: bad,
			toolsAdded: [{ name: "t", description: bad, parameters: { title: bad } }],
			timestamp: 0,
		},
		user(bad),
		user([text(bad)]),
		assistant([thought("reasoning_content"), text(bad), call("c1", { [bad]: [bad, "\\ud800"] })]),
		result("c1", [text(bad)]),
	]);
	const body = JSON.stringify(made);
	expect(body).not.toMatch(/(?<!\\)(?:\\\\)*\\ud[89a-f]/);
	expect(body.match(/abc 🎉/gu)).toHaveLength(9);
	expect(body).toContain(String.raw`\\\\ud800`); // text that only looks like one is left alone
});

test("ids of other providers fit every template, and stay matched", () => {
	const id = `call_${"x".repeat(60)}|item/..`;
	const [turn, answer] = sent([assistant([call(id)]), result(id, [text("x")])]) as {
		tool_calls?: { id: string }[];
		tool_call_id?: string;
	}[];
	const made = turn?.tool_calls?.[0]?.id ?? "";
	expect(made).toMatch(/^[\w-]{40}$/);
	expect(answer?.tool_call_id).toBe(made);
});

test.each<[string, unknown[], unknown]>([
	["text of nothing but blanks is kept", [user([text(" ")])], [{ role: "user", content: " " }]],
	["content that was never set", [user(undefined)], []],
	[
		"a list of nothing but empty text",
		[user([text("")]), user("a")],
		[{ role: "user", content: "a" }],
	],
	[
		"runs of images that text parts",
		[user([image, image, text("and"), image])],
		[
			{
				role: "user",
				content: `(image omitted: model does not support images)\nand\n(image omitted: model does not support images)`,
			},
		],
	],
	[
		"images of a result for a model that sees none",
		[assistant([call("c1")]), result("c1", [image, image, text("t")])],
		[
			{ role: "assistant", content: "", tool_calls: calls("c1") },
			tool("c1", "(tool image omitted: model does not support images)\nt"),
		],
	],
	[
		"a turn of nothing but blanks",
		[assistant([text(" \n ")]), user("a")],
		[{ role: "user", content: "a" }],
	],
	["a turn of nothing", [assistant([]), user("a")], [{ role: "user", content: "a" }]],
	[
		"a second result of one call",
		[assistant([call("c1")]), result("c1", [text("x")]), result("c1", [text("y")])],
		[{ role: "assistant", content: "", tool_calls: calls("c1") }, tool("c1", "x")],
	],
	[
		"a system message between a call and its result",
		[
			assistant([call("c1")]),
			{ role: "system", content: "", toolsAdded: [], timestamp: 0 },
			result("c1", [text("x")]),
		],
		[{ role: "assistant", content: "", tool_calls: calls("c1") }, tool("c1", "x")],
	],
	[
		"a result that comes after the next turn",
		[assistant([call("c1")]), user("a"), result("c1", [text("late")])],
		[
			{ role: "assistant", content: "", tool_calls: calls("c1") },
			tool("c1", "No result provided"),
			{ role: "user", content: "a" },
		],
	],
	[
		"a failed turn between a call and its result does not answer for it",
		[
			assistant([call("c1")]),
			result("c1", [text("x")]),
			assistant([text("half"), call("c2")], { stopReason: "aborted" }),
			result("c2", [text("y")]),
			user("a"),
		],
		[
			{ role: "assistant", content: "", tool_calls: calls("c1") },
			tool("c1", "x"),
			{ role: "user", content: "a" },
		],
	],
	[
		"thinking in two blocks goes back in one field",
		[assistant([thought("reasoning_content"), text("a"), thought("reasoning_content")])],
		[{ role: "assistant", content: "a", reasoning_content: "hm\nhm" }],
	],
])("also %s", (_name, messages, expected) => {
	expect(sent(messages)).toEqual(expected);
});

test("calls of one turn that share the first part of their id stay two calls, each with its result", () => {
	const made = sent([
		assistant([call("call_1|fc_a"), call("call_1|fc_b")]),
		result("call_1|fc_a", [text("a")]),
		result("call_1|fc_b", [text("b")]),
	]) as { tool_calls?: { id: string }[]; tool_call_id?: string; content: string }[];
	const ids = made[0]?.tool_calls?.map(({ id }) => id) ?? [];
	expect(new Set(ids).size).toBe(2);
	expect(made.slice(1)).toEqual([tool(ids[0] ?? "", "a"), tool(ids[1] ?? "", "b")]);
});

test("missing results stand before the images of the run", () => {
	const roles = sent([assistant([call("c1"), call("c2")]), result("c1", [image]), user("a")], SEES);
	expect((roles as { role: string }[]).map(({ role }) => role)).toEqual([
		"assistant",
		"tool",
		"tool",
		"user",
	]);
});

test("thoughts of one turn that came in two fields go back in the first", () => {
	const thought = (thinking: string, thinkingSignature: string): unknown => ({
		type: "thinking",
		thinking,
		thinkingSignature,
	});
	const content = [thought("a", "reasoning"), thought("b", "reasoning_content"), text("x")];
	expect(sent([assistant(content)], THINKS)).toEqual([
		{ role: "assistant", content: "x", reasoning: "a\nb" },
	]);
});
