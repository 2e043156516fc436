import type { Row } from "../runner/scenario.ts";
import { SAYS_OK } from "../runner/wire.ts";
import { assistant, calls, replies, result, says, system, tool, user } from "./history.ts";

/** A.1 and A.6: instructions and tools. */
export const PROMPTS: readonly Row[] = [
	{
		name: "A.1 prompt and sections, joined by a blank line; a section of null is left out",
		messages: [system("P", { sections: { a: "A", b: null, c: "C" } }), user("Hi")],
		replies,
		ours: {
			...SAYS_OK,
			body: ['{"role":"system","content":"P\\n\\nA\\n\\nC"}', '{"role":"user","content":"Hi"}'],
		},
	},
	{
		name: "A.1 later system messages patch the first: content appended, sections by name",
		messages: [
			system("P", { sections: { a: "A", b: "B", c: "C" } }),
			user("Hi"),
			assistant([says("Yes?")]),
			system("Q", { sections: { a: "A2", b: null, d: "D" } }),
			user("Go"),
		],
		replies,
		ours: {
			...SAYS_OK,
			body: [
				'{"role":"system","content":"P\\n\\nQ\\n\\nA2\\n\\nC\\n\\nD"}',
				'{"role":"user","content":"Hi"}',
				'{"role":"assistant","content":"Yes?"}',
				'{"role":"user","content":"Go"}',
			],
		},
	},
	{
		name: "A.1 an empty prompt sends no message",
		messages: [system(""), user("Hi")],
		replies,
		ours: {
			...SAYS_OK,
			body: ['{"role":"user","content":"Hi"}'],
		},
	},
	{
		name: "A.1 a system message between a call and its result does not part them",
		messages: [
			system("P"),
			user("Hi"),
			assistant([calls("c1")], { stopReason: "toolUse" }),
			system("Q"),
			result("c1", [says("x")]),
		],
		replies,
		ours: {
			...SAYS_OK,
			body: [
				'{"role":"system","content":"P\\n\\nQ"}',
				'{"role":"user","content":"Hi"}',
				'{"role":"assistant","content":"","tool_calls":[{"id":"c1","type":"function","function":{"name":"bash","arguments":"{}"}}]}',
				'{"role":"tool","content":"x","tool_call_id":"c1"}',
			],
		},
	},
	{
		name: "A.1 no system message at all",
		messages: [user("Hi")],
		replies,
		ours: {
			...SAYS_OK,
			body: ['{"role":"user","content":"Hi"}'],
		},
	},
	{
		name: "A.6 tools with their schema as it is",
		messages: [system("P", { toolsAdded: [tool("read"), tool("write")] }), user("Hi")],
		replies,
		ours: {
			...SAYS_OK,
			body: [
				'{"role":"system","content":"P"}',
				'{"role":"user","content":"Hi"}',
				'{"type":"function","function":{"name":"read","description":"Runs read","parameters":{"type":"object","properties":{"x":{"type":"number"}},"required":["x"]}}}',
				'{"type":"function","function":{"name":"write","description":"Runs write","parameters":{"type":"object","properties":{"x":{"type":"number"}},"required":["x"]}}}',
			],
		},
	},
	{
		name: "A.6 tools that are added and removed on the way",
		messages: [
			system("P", { toolsAdded: [tool("read"), tool("write")] }),
			user("Hi"),
			assistant([says("Yes?")]),
			system("", { toolsAdded: [tool("edit")], toolsRemoved: [{ name: "read" }] }),
			user("Go"),
		],
		replies,
		ours: {
			...SAYS_OK,
			body: [
				'{"role":"system","content":"P"}',
				'{"role":"user","content":"Hi"}',
				'{"role":"assistant","content":"Yes?"}',
				'{"role":"user","content":"Go"}',
				'{"type":"function","function":{"name":"write","description":"Runs write","parameters":{"type":"object","properties":{"x":{"type":"number"}},"required":["x"]}}}',
				'{"type":"function","function":{"name":"edit","description":"Runs edit","parameters":{"type":"object","properties":{"x":{"type":"number"}},"required":["x"]}}}',
			],
		},
	},
	{
		name: "A.6 no tools, but calls in the history",
		keys: ["tools"],
		messages: [system("P"), user("Hi"), assistant([calls("c1")]), result("c1", [says("x")])],
		replies,
		ours: {
			...SAYS_OK,
			body: [
				'{"role":"system","content":"P"}',
				'{"role":"user","content":"Hi"}',
				'{"role":"assistant","content":"","tool_calls":[{"id":"c1","type":"function","function":{"name":"bash","arguments":"{}"}}]}',
				'{"role":"tool","content":"x","tool_call_id":"c1"}',
			],
		},
		oldest: {
			body: [
				'{"role":"system","content":"P"}',
				'{"role":"user","content":"Hi"}',
				'{"role":"assistant","content":"","tool_calls":[{"id":"c1","type":"function","function":{"name":"bash","arguments":"{}"}}]}',
				'{"role":"tool","content":"x","tool_call_id":"c1"}',
				"tools: []",
			],
		},
	},
	{
		name: "A.6 a tool that wants its arguments constrained",
		messages: [
			system("P", {
				toolsAdded: [
					tool("read", { constrainedSampling: { type: "json_schema", strict: "require" } }),
				],
			}),
			user("Hi"),
		],
		replies,
		ours: {
			...SAYS_OK,
			body: [
				'{"role":"system","content":"P"}',
				'{"role":"user","content":"Hi"}',
				'{"type":"function","function":{"name":"read","description":"Runs read","parameters":{"type":"object","properties":{"x":{"type":"number"}},"required":["x"]}}}',
			],
		},
		better: "llama-server binds every call to its schema by a grammar, so the tool can be offered",
		newest: {
			events: "error error",
			message:
				'error: Tool "read" requires JSON-schema constrained sampling, but strict tools are unsupported.',
			body: [],
		},
	},
	{
		name: "A.1 a prompt of text parts",
		messages: [{ role: "system", content: [says("P"), says("Q")], timestamp: 0 }, user("Hi")],
		replies,
		ours: {
			...SAYS_OK,
			body: ['{"role":"system","content":"P\\nQ"}', '{"role":"user","content":"Hi"}'],
		},
	},
];
