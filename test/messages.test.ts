import type { Context, Message, Tool } from "@earendil-works/pi-ai";
import { expect, test } from "vitest";
import { dialectOf, EXTENSIONS } from "../lib/chat/dialect.ts";
import { createConverter, type ModelFacts } from "../messages.ts";
import {
	assistant,
	call,
	image,
	MODEL,
	request,
	result,
	SEES,
	sent,
	THINKS,
	text,
	thought,
	user,
} from "./support/transcripts.ts";

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
		{ role: "user", content: "a\n\nb" },
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

test.each<[string, object, object, number | undefined]>([
	["nobody set one", {}, {}, undefined],
	["pi set one", {}, { maxTokens: 4096 }, 4096],
	["the user set one for the model", { maxTokens: 8192 }, {}, 8192],
	["pi's is the one that counts", { maxTokens: 8192 }, { maxTokens: 4096 }, 4096],
	["pi's is more than the window has", {}, { maxTokens: 100_000 }, undefined],
	["the user set a larger window, and so no limit", { contextWindow: 131_072 }, {}, undefined],
])("max_tokens: %s", (_name, more, options, expected) => {
	const facts: ModelFacts = { maxTokens: MODEL.maxTokens };
	const made = createConverter(() => facts).request(
		{ ...MODEL, ...more },
		{ messages: [user("a") as Message] },
		options,
	);
	expect(made.max_tokens).toBe(expected);
	expect("max_tokens" in made).toBe(expected !== undefined);
});

test.each([
	["an empty window", 65_536, "a", 65_500, 65_536],
	["a window that is nearly full by our estimate", 4096, "x".repeat(14_000), 1024, 1024],
	["a window smaller than the least answer", 512, "a", 500, 512],
])(
	"max_tokens for a server that stops early without: %s",
	(_name, contextWindow, words, low, high) => {
		const dialect = dialectOf("koboldcpp", undefined);
		const { max_tokens } = createConverter(() => ({ dialect })).request(
			{ ...MODEL, contextWindow, maxTokens: contextWindow },
			{ messages: [user(words) as Message] },
		);
		expect(max_tokens).toBeGreaterThanOrEqual(low);
		expect(max_tokens).toBeLessThanOrEqual(high);
	},
);

test("the body for llama.cpp; sampling parameters have the last word", () => {
	const model = { ...MODEL, samplingParams: { top_k: 20, cache_prompt: false } };
	expect(
		request([user("a")], model, { temperature: 0.5, samplingParams: { top_k: 40 } }),
	).toMatchObject({
		model: "m",
		stream: true,
		stream_options: { include_usage: true },
		temperature: 0.5,
		timings_per_token: true,
		return_progress: true,
		cache_prompt: false,
		top_k: 40,
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
			role: "system",
			content: "",
			sections: { a: "A" },
			timestamp: 0,
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

test("images count by what they cost the model, not by their bytes", () => {
	const photo = { ...(image as object), data: "A".repeat(1_000_000) };
	const model = { ...SEES, contextWindow: 32_768, maxTokens: 32_768 };
	expect(request([user([photo])], model, { maxTokens: 30_000 }).max_tokens).toBe(30_000);
});

test.each(["auto", "none"])("the choice of tools %s is passed on", (toolChoice) => {
	expect(request([user("a")], MODEL, { toolChoice })["tool_choice"]).toBe(toolChoice);
});

test.each([
	["off", undefined, { temperature: 0.7, top_p: 0.95 }],
	["high", "high", { temperature: 1, top_p: 0.95, top_k: 20 }],
	["a level without any of its own", "low", { temperature: 1, top_p: 0.95 }],
])("sampling parameters by thinking level: %s", (_name, reasoning, expected) => {
	const model = {
		...THINKS,
		samplingParams: { temperature: 1, top_p: 0.95 },
		samplingParamsByThinkingLevel: { off: { temperature: 0.7 }, high: { top_k: 20 } },
	};
	const made = request([user("a")], model, { reasoning });
	expect(made).toMatchObject(expected);
	expect(made["top_k"]).toBe((expected as { top_k?: number }).top_k);
	expect(request([user("a")], model, { reasoning, samplingParams: { top_p: 0.5 } })).toMatchObject({
		top_p: 0.5,
	});
});

test.each<[string, string | undefined, string | undefined, readonly string[]]>([
	["a peer's model", undefined, "cloud", []],
	["TabbyAPI", "tabbyAPI", undefined, []],
	["vLLM", "vllm", undefined, ["chat_template_kwargs"]],
	["llama-server", "llama-server", undefined, [...EXTENSIONS]],
	["an unknown server", undefined, undefined, [...EXTENSIONS]],
])("fields beyond OpenAI's API for %s", (_name, server, peer, expected) => {
	const dialect = dialectOf(server, peer);
	const made = createConverter(() => ({ dialect })).request(
		THINKS,
		{ messages: [user("a") as Message] },
		{ reasoning: "high" },
	);
	expect(EXTENSIONS.filter((name) => name in made).toSorted()).toEqual(expected.toSorted());
	expect(made["stream_options"]).toEqual({ include_usage: true });
});
