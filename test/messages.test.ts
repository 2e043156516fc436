import type { AssistantMessage, Context, Message, Model, Tool } from "@earendil-works/pi-ai";
import { expect, test } from "vitest";
import type { ChatRequest } from "../lib/chat/request.ts";
import { createConverter } from "../messages.ts";

const MODEL: Model<"test"> = {
	...{ id: "m", name: "m", api: "test", provider: "ai-server", baseUrl: "", reasoning: false },
	input: ["text"],
	cost: { input: 0, output: 0, cacheRead: 0, cacheWrite: 0 },
	...{ contextWindow: 65_536, maxTokens: 65_536 },
};
const SEES: Model<"test"> = { ...MODEL, input: ["text", "image"] };
const THINKS: Model<"test"> = { ...MODEL, reasoning: true };

const request = (messages: unknown[], model = MODEL, options = {}): ChatRequest =>
	createConverter().request(model, { messages: messages as Message[] } as Context, options);
const sent = (messages: unknown[], model = MODEL): unknown => request(messages, model).messages;

const user = (content: unknown): unknown => ({ role: "user", content, timestamp: 0 });
const text = (value: string): unknown => ({ type: "text", text: value });
const image = { type: "image", data: "QUJD", mimeType: "image/png" };
const call = (id: string, args: unknown = {}, name = "bash"): unknown => ({
	type: "toolCall",
	id,
	name,
	arguments: args,
});
const assistant = (content: unknown[], more: Partial<AssistantMessage> = {}): unknown => ({
	role: "assistant",
	content,
	...{ api: "test", provider: "ai-server", model: "m", stopReason: "stop", timestamp: 0 },
	...more,
});
const result = (id: string, content: unknown[]): unknown => ({
	...{
		role: "toolResult",
		toolCallId: id,
		toolName: "bash",
		content,
		isError: false,
		timestamp: 0,
	},
});
const calls = (...ids: readonly string[]): unknown =>
	ids.map((id) => ({ id, type: "function", function: { name: "bash", arguments: "{}" } }));
const tool = (id: string, content: string): unknown => ({
	role: "tool",
	tool_call_id: id,
	content,
});
const url = { type: "image_url", image_url: { url: "data:image/png;base64,QUJD" } };

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
				...{ role: "assistant", content: "" },
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

const thought = (signature?: string): unknown => ({
	...{ type: "thinking", thinking: "hm" },
	...(signature === undefined ? {} : { thinkingSignature: signature }),
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

test("the prompt and the tools come out of the system messages, wherever they stand", () => {
	const bash: Tool = { name: "bash", description: "runs", parameters: { type: "object" } };
	const read: Tool = { name: "read", description: "reads", parameters: { type: "object" } };
	const made = request([
		{
			role: "system",
			content: "base",
			sections: { rules: "be kind" },
			toolsAdded: [bash, read],
			timestamp: 0,
		},
		user("a"),
		{
			role: "system",
			content: "",
			sections: { rules: "be short" },
			toolsRemoved: [{ name: "read" }],
			timestamp: 0,
		},
		user("b"),
	]);
	expect(made.messages).toEqual([
		{ role: "system", content: expect.stringMatching(/base[\s\S]*be short/) },
		{ role: "user", content: "a" },
		{ role: "user", content: "b" },
	]);
	expect(made["tools"]).toEqual([
		{
			type: "function",
			function: { name: "bash", description: "runs", parameters: { type: "object" } },
		},
	]);
});

test("without tools there is no list of tools", () => {
	expect(request([user("a")])).not.toHaveProperty("tools");
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

test("the request is the same up to the new turn, byte for byte", () => {
	const history = [
		user("a"),
		assistant([text("b"), call("c1", { z: 1, a: 2 })]),
		result("c1", [text("x")]),
	];
	const converter = createConverter();
	const make = (messages: unknown[]): string =>
		JSON.stringify(
			converter.request(MODEL, { messages: messages as Message[] } as Context).messages,
		);
	const before = make(history);
	const after = make([...history, user("next")]);
	expect(after.startsWith(before.slice(0, -1))).toBe(true);
	expect(make(structuredClone(history) as unknown[])).toBe(before);
});

test("what was converted for one model is not taken for another", () => {
	const converter = createConverter();
	const context = { messages: [user([text("look"), image]) as Message] } as Context;
	const blind = converter.request(MODEL, context).messages;
	const seeing = converter.request(SEES, context).messages;
	expect(blind).not.toEqual(seeing);
	expect(converter.request(MODEL, context).messages).toEqual(blind);
});

test.each([
	["an empty window: what is left of it", 65_536, "a", undefined, 65_500, 65_536],
	["what was asked for, when there is room", 65_536, "a", 4096, 4096, 4096],
	["a window that is nearly full by our estimate", 4096, "x".repeat(14_000), undefined, 1024, 1024],
	["a window that is over-full", 4096, "x".repeat(90_000), undefined, 1024, 1024],
	["a window smaller than the least answer", 512, "a", undefined, 500, 512],
])("max_tokens: %s", (_name, contextWindow, words, asked, low, high) => {
	const model = { ...MODEL, contextWindow, maxTokens: contextWindow };
	const { max_tokens } = request(
		[user(words)],
		model,
		asked === undefined ? {} : { maxTokens: asked },
	);
	expect(max_tokens).toBeGreaterThanOrEqual(low);
	expect(max_tokens).toBeLessThanOrEqual(high);
});

test("the body for llama.cpp; sampling parameters have the last word", () => {
	const model = { ...MODEL, samplingParams: { top_k: 20, cache_prompt: false } };
	expect(
		request([user("a")], model, { temperature: 0.5, samplingParams: { top_k: 40 } }),
	).toMatchObject({
		...{ model: "m", stream: true, stream_options: { include_usage: true }, temperature: 0.5 },
		...{ timings_per_token: true, return_progress: true, cache_prompt: false, top_k: 40 },
	});
	expect(request([user("a")])).not.toHaveProperty("chat_template_kwargs");
});

test.each([
	["off", undefined, { chat_template_kwargs: { enable_thinking: false, preserve_thinking: true } }],
	[
		"low",
		"low",
		{
			chat_template_kwargs: { enable_thinking: true, preserve_thinking: true },
			thinking_budget_tokens: 2048,
		},
	],
	[
		"high",
		"high",
		{
			chat_template_kwargs: { enable_thinking: true, preserve_thinking: true },
			thinking_budget_tokens: 16_384,
		},
	],
])("thinking %s", (_name, reasoning, expected) => {
	expect(request([user("a")], THINKS, { reasoning })).toMatchObject(expected);
});

test("a level that the model calls by another name, and a budget of the user's own", () => {
	const model = { ...THINKS, thinkingLevelMap: { high: "extreme" } };
	const made = request([user("a")], model, { reasoning: "high", thinkingBudgets: { high: 500 } });
	expect(made).toMatchObject({ reasoning_effort: "extreme", thinking_budget_tokens: 500 });
});

test("an answer that is to be continued is not thought about first", () => {
	const made = request([user("a"), assistant([text("I begin")])], THINKS, { reasoning: "high" });
	expect(made["chat_template_kwargs"]).toEqual({ enable_thinking: false, preserve_thinking: true });
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
		...["assistant", "tool", "tool", "user", "user"],
	]);
});

test.each<[string, unknown[], unknown]>([
	["no text at all", [{ role: "system", content: "", timestamp: 0 }], undefined],
	[
		"sections alone",
		[{ role: "system", content: "", sections: { a: "A", b: "B" }, timestamp: 0 }],
		"A\n\nB",
	],
	[
		"one that is taken away, one that is patched in its place",
		[
			{ role: "system", content: "base", sections: { a: "A", b: "B", c: "C" }, timestamp: 0 },
			user("x"),
			{ role: "system", content: "more", sections: { a: "A2", b: null }, timestamp: 0 },
		],
		"base\n\nmore\n\nA2\n\nC",
	],
	[
		"one that comes late",
		[user("x"), { role: "system", content: "", sections: { a: "A" }, timestamp: 0 }],
		"A",
	],
])("the prompt: %s", (_name, messages, prompt) => {
	const [first, ...rest] = sent([...messages, user("y")]) as { role: string; content: string }[];
	expect(first?.role === "system" ? first.content : undefined).toBe(prompt);
	expect(rest.map(({ role }) => role)).not.toContain("system");
});

test("the whole request is the same up to the new turn: prompt, tools, thinking, images, calls", () => {
	const history = [
		{
			...{ role: "system", content: "", sections: { a: "A" }, timestamp: 0 },
			toolsAdded: [{ name: "bash", description: "runs", parameters: { type: "object" } }],
		},
		user([text("look"), image]),
		assistant([thought("reasoning_content"), text("b"), call("c1"), call("x|y")]),
		result("c1", [image]),
		result("x|y", [text("t")]),
	];
	const model = { ...SEES, reasoning: true };
	const converter = createConverter();
	const body = (messages: unknown[]): Record<string, unknown> => ({
		...converter.request(model, { messages: messages as Message[] } as Context, {
			reasoning: "low",
		}),
	});
	let before = body(history);
	let turns = history;
	for (let turn = 0; turn < 5; turn += 1) {
		turns = [...turns, assistant([text(`answer ${turn}`)]), user(`question ${turn}`)];
		const after = body(turns);
		const prefix = JSON.stringify(before["messages"]).slice(0, -1);
		expect(JSON.stringify(after["messages"]).startsWith(`${prefix},`)).toBe(true);
		expect(JSON.stringify(after["tools"])).toBe(JSON.stringify(before["tools"]));
		expect(after["chat_template_kwargs"]).toEqual(before["chat_template_kwargs"]);
		before = after;
	}
});

test.each([
	["minimal", 1024],
	["medium", 8192],
	["xhigh", 16_384],
	["max", 16_384],
])(
	"thinking at %s has a budget: without one it could eat the whole answer",
	(reasoning, budget) => {
		const made = request([user("a")], THINKS, { reasoning });
		expect(made["thinking_budget_tokens"]).toBe(budget);
	},
);

test("a budget leaves room for the answer", () => {
	const made = request([user("a")], THINKS, { reasoning: "high", maxTokens: 4096 });
	expect(made["max_tokens"]).toBe(4096);
	expect(made["thinking_budget_tokens"]).toBe(4096 - 1024);
});

test("more than the window has is not asked for", () => {
	const model = { ...MODEL, contextWindow: 8192, maxTokens: 8192 };
	const { max_tokens } = request([user("x".repeat(14_000))], model, { maxTokens: 100_000 });
	expect(max_tokens).toBeLessThan(4192);
	expect(max_tokens).toBeGreaterThanOrEqual(1024);
});

test("images count by what they cost the model, not by their bytes", () => {
	const photo = { ...(image as object), data: "A".repeat(1_000_000) };
	const model = { ...SEES, contextWindow: 32_768, maxTokens: 32_768 };
	expect(request([user([photo])], model).max_tokens).toBeGreaterThan(30_000);
});

test.each(["auto", "none"])("the choice of tools %s is passed on", (toolChoice) => {
	expect(request([user("a")], MODEL, { toolChoice })["tool_choice"]).toBe(toolChoice);
});

test("thoughts of one turn that came in two fields go back in the first", () => {
	const thought = (thinking: string, thinkingSignature: string): unknown => ({
		...{ type: "thinking", thinking, thinkingSignature },
	});
	const content = [thought("a", "reasoning"), thought("b", "reasoning_content"), text("x")];
	expect(sent([assistant(content)], THINKS)).toEqual([
		{ role: "assistant", content: "x", reasoning: "a\nb" },
	]);
});
