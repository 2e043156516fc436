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

test("the older shape, with the prompt and the tools beside the messages", () => {
	const tools: Tool[] = [{ name: "bash", description: "runs", parameters: {} }];
	const context: Context = { systemPrompt: "base", messages: [user("a") as Message], tools };
	const made = createConverter().request(MODEL, context);
	expect(made.messages[0]).toEqual({ role: "system", content: "base" });
	expect(made["tools"]).toHaveLength(1);
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
	["off", undefined, { chat_template_kwargs: { enable_thinking: false } }],
	["low", "low", { chat_template_kwargs: { enable_thinking: true }, thinking_budget_tokens: 2048 }],
	[
		"high",
		"high",
		{ chat_template_kwargs: { enable_thinking: true }, thinking_budget_tokens: 16_384 },
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
	expect(made["chat_template_kwargs"]).toEqual({ enable_thinking: false });
});
