import { expect, test } from "vitest";
import type { CallDelta } from "../../lib/chat/chunk.ts";
import { closeCall, ToolCalls } from "../../stream/tool-calls.ts";
import { createStreamSimple } from "../../stream.ts";
import { CONTEXT, callDelta, DONE, delta, MODEL, play, STOP, sse } from "../support/chat-stream.ts";
import { scriptedHttp } from "../support/scripted-http.ts";

test("tool calls: parallel ones, their arguments live while they arrive", async () => {
	const http = scriptedHttp(
		sse(
			callDelta({
				index: 0,
				id: "a",
				type: "function",
				function: { name: "read", arguments: "{" },
			}),
			callDelta({ index: 0, function: { arguments: '"path":"x' } }),
			callDelta({ index: 1, id: "b", type: "function", function: { name: "bash", arguments: "" } }),
			callDelta({ index: 0, function: { arguments: '.ts"}' } }),
			callDelta({ index: 1, function: { arguments: '{"n":1}' } }),
			delta({}, "tool_calls") + DONE,
		),
	);
	const seen: string[] = [];
	const stream = createStreamSimple({ http, timeoutMs: 60_000 })(MODEL, CONTEXT);
	for await (const event of stream) {
		if (event.type === "toolcall_delta") seen.push(JSON.stringify(event.partial.content));
	}
	expect(seen[1]).toContain('"arguments":{"path":"x"}');
	expect((await stream.result()).content).toEqual([
		{ type: "toolCall", id: "a", name: "read", arguments: { path: "x.ts" } },
		{ type: "toolCall", id: "b", name: "bash", arguments: { n: 1 } },
	]);
	expect((await stream.result()).stopReason).toBe("toolUse");
});

test.each<[string, string[], unknown[]]>([
	[
		"ids and names repeated in every delta, and a second copy in function_call",
		[
			delta({
				tool_calls: [{ index: 0, id: "a", function: { name: "f", arguments: '{"x":' } }],
				function_call: { name: "f", arguments: '{"x":' },
			}),
			delta({
				tool_calls: [{ index: 0, id: "a", function: { name: "f", arguments: "1}" } }],
				function_call: { name: "f", arguments: "1}" },
			}),
		],
		[{ id: "a", name: "f", arguments: { x: 1 } }],
	],
	[
		"a new id and name on a taken index opens the next call",
		[
			callDelta({ index: 0, id: "a", function: { name: "f", arguments: "{}" } }),
			callDelta({ index: 0, id: "b", function: { name: "g", arguments: '{"y":2}' } }),
		],
		[
			{ id: "a", name: "f", arguments: {} },
			{ id: "b", name: "g", arguments: { y: 2 } },
		],
	],
	[
		"arguments as an object",
		[callDelta({ index: 0, id: "a", function: { name: "f", arguments: { x: [1] } } })],
		[{ id: "a", name: "f", arguments: { x: [1] } }],
	],
	[
		"no index: found by id, else the last one",
		[
			callDelta({ id: "a", function: { name: "f", arguments: '{"x"' } }),
			callDelta({ id: "a", function: { arguments: ":" } }),
			callDelta({ function: { arguments: "1}" } }),
		],
		[{ id: "a", name: "f", arguments: { x: 1 } }],
	],
	[
		"the id comes later",
		[
			callDelta({ index: 0, function: { name: "f", arguments: "{" } }),
			callDelta({ index: 0, id: "a", function: { arguments: '"x":1' } }),
			callDelta({ index: 0, id: "a", function: { arguments: "}" } }),
		],
		[{ id: "a", name: "f", arguments: { x: 1 } }],
	],
	[
		"no arguments at all",
		[callDelta({ index: 0, id: "a", function: { name: "f" } })],
		[{ id: "a", name: "f", arguments: {} }],
	],
	[
		"the form of before tool_calls",
		[delta({ function_call: { name: "f", arguments: '{"x":1}' } })],
		[{ id: expect.stringMatching(/^call_[0-9a-f]{24}$/), name: "f", arguments: { x: 1 } }],
	],
])("tool calls: %s", async (_name, parts, expected) => {
	const { message } = await play(sse(...parts, STOP));
	expect(message.content).toEqual(
		expected.map((call) => ({ type: "toolCall", ...(call as object) })),
	);
	expect(message.stopReason).toBe("toolUse");
});

test("arguments that are not JSON are reported to the model, and the tool does not run", async () => {
	const { message, types } = await play(
		sse(
			callDelta({ index: 0, id: "a", function: { name: "bash", arguments: '{"command": rm' } }),
			delta({}, "tool_calls") + DONE,
		),
	);
	expect(message.content).toMatchObject([
		{ arguments: {}, argumentsError: expect.stringContaining("rm") },
	]);
	expect(types.at(-1)).toBe("done");
});

const part = (fields: Partial<CallDelta>): CallDelta => ({
	index: undefined,
	id: "",
	name: "",
	arguments: "",
	...fields,
});

test.each<[string, Partial<CallDelta>, string | undefined]>([
	["the index it came with", { index: 0 }, "a"],
	["an index that is not open", { index: 7 }, undefined],
	["its id", { id: "b" }, "b"],
	["an unknown id without an index", { id: "c" }, undefined],
	["nothing at all: the last call", {}, "b"],
	["a name alone: the next call", { name: "f" }, undefined],
	["an index with another id, without a name", { index: 0, id: "z" }, "a"],
	[
		"an index with another id and a name: the next call",
		{ index: 0, id: "z", name: "f" },
		undefined,
	],
])("a delta belongs to a call by %s", (_by, fields, id) => {
	const calls = new ToolCalls();
	calls.open(part({ index: 0, id: "a", name: "f" }), 0);
	calls.open(part({ index: 1, id: "b", name: "g" }), 2);
	expect(calls.find(part(fields))?.block.id).toBe(id);
	expect(calls.at(2)?.block.name).toBe("g");
	expect(calls.at(1)).toBeUndefined();
});

test("a generated id gives way to the server's, which then stays", () => {
	const calls = new ToolCalls();
	expect(calls.isEmpty).toBe(true);
	const call = calls.open(part({ index: 0, name: "f" }), 0);
	expect(call.block.id).toMatch(/^call_[0-9a-f]{24}$/);
	calls.add(call, part({ id: "a", name: "other", arguments: '{"x"' }));
	calls.add(call, part({ id: "b", arguments: ":1}" }));
	expect(call.block).toMatchObject({ id: "a", name: "f", arguments: { x: 1 } });
	expect([calls.isEmpty, calls.length]).toEqual([false, 7]);
});

test.each([
	[true, {}],
	[false, { x: "ha" }],
])("arguments that broke off, in an answer that is complete: %s", (isComplete, shown) => {
	const calls = new ToolCalls();
	const call = calls.open(part({ index: 0, id: "a", name: "f" }), 0);
	calls.add(call, part({ arguments: '{"x":"ha' }));
	closeCall(call, isComplete);
	expect(call.block).toMatchObject({
		arguments: shown,
		argumentsError: 'The arguments are not a JSON object: {"x":"ha',
	});
});
