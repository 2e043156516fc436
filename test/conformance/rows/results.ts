import type { Row } from "../runner/scenario.ts";
import { SAYS_OK } from "../runner/wire.ts";
import {
	assistant,
	calls,
	foreign,
	image,
	replies,
	result,
	SEES,
	says,
	system,
	thinks,
	tool,
	user,
} from "./history.ts";

const LONE = "\ud83d";

/** A.4 and A.5: tool results, ids, the hygiene of text. */
export const RESULTS: readonly Row[] = [
	{
		name: "A.4 text blocks joined by newlines; none at all; the error flag is not sent",
		messages: [
			user("Hi"),
			assistant([calls("c1"), calls("c2")]),
			result("c1", [says("x"), says("y")], true),
			result("c2", []),
		],
		replies,
		ours: {
			...SAYS_OK,
			body: [
				'{"role":"user","content":"Hi"}',
				'{"role":"assistant","content":"","tool_calls":[{"id":"c1","type":"function","function":{"name":"bash","arguments":"{}"}},{"id":"c2","type":"function","function":{"name":"bash","arguments":"{}"}}]}',
				'{"role":"tool","content":"x\\ny","tool_call_id":"c1"}',
				'{"role":"tool","content":"(no tool output)","tool_call_id":"c2"}',
			],
		},
	},
	{
		name: "A.4 a result of blanks",
		messages: [user("Hi"), assistant([calls("c1")]), result("c1", [says(" \n")])],
		replies,
		ours: {
			...SAYS_OK,
			body: [
				'{"role":"user","content":"Hi"}',
				'{"role":"assistant","content":"","tool_calls":[{"id":"c1","type":"function","function":{"name":"bash","arguments":"{}"}}]}',
				'{"role":"tool","content":"(no tool output)","tool_call_id":"c1"}',
			],
		},
		oldest: {
			body: [
				'{"role":"user","content":"Hi"}',
				'{"role":"assistant","content":"","tool_calls":[{"id":"c1","type":"function","function":{"name":"bash","arguments":"{}"}}]}',
				'{"role":"tool","content":" \\n","tool_call_id":"c1"}',
			],
		},
	},
	{
		name: "A.4 images of a run of results follow it (D image-tool-result, openai-completions-tool-result-images)",
		messages: [
			user("Hi"),
			assistant([calls("c1"), calls("c2")]),
			result("c1", [image()]),
			result("c2", [says("t"), image("REVG")]),
			user("Go"),
		],
		model: SEES,
		replies,
		ours: {
			...SAYS_OK,
			body: [
				'{"role":"user","content":"Hi"}',
				'{"role":"assistant","content":"","tool_calls":[{"id":"c1","type":"function","function":{"name":"bash","arguments":"{}"}},{"id":"c2","type":"function","function":{"name":"bash","arguments":"{}"}}]}',
				'{"role":"tool","content":"(see attached image)","tool_call_id":"c1"}',
				'{"role":"tool","content":"t","tool_call_id":"c2"}',
				'{"role":"user","content":[{"type":"text","text":"Attached image(s) from tool result:"},{"type":"image_url","image_url":{"url":"data:image/png;base64,QUJD"}},{"type":"image_url","image_url":{"url":"data:image/png;base64,REVG"}},{"type":"text","text":"Go"}]}',
			],
		},
		better: "templates raise at two messages of the user in a row",
		newest: {
			body: [
				'{"role":"user","content":"Hi"}',
				'{"role":"assistant","content":"","tool_calls":[{"id":"c1","type":"function","function":{"name":"bash","arguments":"{}"}},{"id":"c2","type":"function","function":{"name":"bash","arguments":"{}"}}]}',
				'{"role":"tool","content":"(see attached image)","tool_call_id":"c1"}',
				'{"role":"tool","content":"t","tool_call_id":"c2"}',
				'{"role":"user","content":[{"type":"text","text":"Attached image(s) from tool result:"},{"type":"image_url","image_url":{"url":"data:image/png;base64,QUJD"}},{"type":"image_url","image_url":{"url":"data:image/png;base64,REVG"}}]}',
				'{"role":"user","content":"Go"}',
			],
		},
	},
	{
		name: "A.4 images of results for a model that sees none",
		messages: [
			user("Hi"),
			assistant([calls("c1"), calls("c2")]),
			result("c1", [image(), image()]),
			result("c2", [says("t"), image()]),
		],
		replies,
		ours: {
			...SAYS_OK,
			body: [
				'{"role":"user","content":"Hi"}',
				'{"role":"assistant","content":"","tool_calls":[{"id":"c1","type":"function","function":{"name":"bash","arguments":"{}"}},{"id":"c2","type":"function","function":{"name":"bash","arguments":"{}"}}]}',
				'{"role":"tool","content":"(tool image omitted: model does not support images)","tool_call_id":"c1"}',
				'{"role":"tool","content":"t\\n(tool image omitted: model does not support images)","tool_call_id":"c2"}',
			],
		},
	},
	{
		name: "A.4 a call without result, before the next turn and at the end (D tool-call-without-result)",
		messages: [user("Hi"), assistant([calls("c1")]), user("Go"), assistant([calls("c2")])],
		replies,
		ours: {
			...SAYS_OK,
			body: [
				'{"role":"user","content":"Hi"}',
				'{"role":"assistant","content":"","tool_calls":[{"id":"c1","type":"function","function":{"name":"bash","arguments":"{}"}}]}',
				'{"role":"tool","content":"No result provided","tool_call_id":"c1"}',
				'{"role":"user","content":"Go"}',
				'{"role":"assistant","content":"","tool_calls":[{"id":"c2","type":"function","function":{"name":"bash","arguments":"{}"}}]}',
				'{"role":"tool","content":"No result provided","tool_call_id":"c2"}',
			],
		},
	},
	{
		name: "A.4 results that came keep their place, the missing ones follow",
		messages: [
			user("Hi"),
			assistant([calls("c1"), calls("c2"), calls("c3")]),
			result("c2", [says("x")]),
			user("Go"),
		],
		replies,
		ours: {
			...SAYS_OK,
			body: [
				'{"role":"user","content":"Hi"}',
				'{"role":"assistant","content":"","tool_calls":[{"id":"c1","type":"function","function":{"name":"bash","arguments":"{}"}},{"id":"c2","type":"function","function":{"name":"bash","arguments":"{}"}},{"id":"c3","type":"function","function":{"name":"bash","arguments":"{}"}}]}',
				'{"role":"tool","content":"x","tool_call_id":"c2"}',
				'{"role":"tool","content":"No result provided","tool_call_id":"c1"}',
				'{"role":"tool","content":"No result provided","tool_call_id":"c3"}',
				'{"role":"user","content":"Go"}',
			],
		},
	},
	{
		name: "A.4 results of a turn that failed",
		messages: [
			user("Hi"),
			assistant([calls("c1")], { stopReason: "error", errorMessage: "no" }),
			result("c1", [says("x")]),
			user("Go"),
		],
		replies,
		ours: {
			...SAYS_OK,
			body: ['{"role":"user","content":"Hi\\n\\nGo"}'],
		},
		better: "templates raise at a result without its call",
		newest: {
			body: [
				'{"role":"user","content":"Hi"}',
				'{"role":"tool","content":"x","tool_call_id":"c1"}',
				'{"role":"user","content":"Go"}',
			],
		},
	},
	{
		name: "A.4 a result whose call is not there",
		messages: [user("Hi"), assistant([says("Yes?")]), result("c9", [says("x")]), user("Go")],
		replies,
		ours: {
			...SAYS_OK,
			body: [
				'{"role":"user","content":"Hi"}',
				'{"role":"assistant","content":"Yes?"}',
				'{"role":"user","content":"Go"}',
			],
		},
		better: "templates raise at a result without its call",
		newest: {
			body: [
				'{"role":"user","content":"Hi"}',
				'{"role":"assistant","content":"Yes?"}',
				'{"role":"tool","content":"x","tool_call_id":"c9"}',
				'{"role":"user","content":"Go"}',
			],
		},
	},
	{
		name: "A.5 ids of the Responses API",
		messages: [
			user("Hi"),
			foreign([calls("call_a|fc_b/c+d=="), calls("plain")]),
			result("call_a|fc_b/c+d==", [says("x")]),
			result("plain", [says("y")]),
		],
		replies,
		ours: {
			...SAYS_OK,
			body: [
				'{"role":"user","content":"Hi"}',
				'{"role":"assistant","content":"","tool_calls":[{"id":"call_a_fc_b_c_d__","type":"function","function":{"name":"bash","arguments":"{}"}},{"id":"plain","type":"function","function":{"name":"bash","arguments":"{}"}}]}',
				'{"role":"tool","content":"x","tool_call_id":"call_a_fc_b_c_d__"}',
				'{"role":"tool","content":"y","tool_call_id":"plain"}',
			],
		},
	},
	{
		name: "A.5 two ids of hundreds of characters that begin alike (D tool-call-id-normalization)",
		keys: ["ids"],
		messages: [
			user("Hi"),
			foreign([calls(`call_1|fc_${"a".repeat(440)}1`), calls(`call_2|fc_${"a".repeat(440)}2`)]),
			result(`call_2|fc_${"a".repeat(440)}2`, [says("second")]),
			result(`call_1|fc_${"a".repeat(440)}1`, [says("first")]),
		],
		replies,
		ours: {
			...SAYS_OK,
			body: [
				'{"role":"user","content":"Hi"}',
				'{"role":"assistant","content":"","tool_calls":[{"id":"#1","type":"function","function":{"name":"bash","arguments":"{}"}},{"id":"#2","type":"function","function":{"name":"bash","arguments":"{}"}}]}',
				'{"role":"tool","content":"second","tool_call_id":"#2"}',
				'{"role":"tool","content":"first","tool_call_id":"#1"}',
			],
		},
	},
	{
		name: "A.5 lone surrogates in the prompt, texts and results; whole emoji stay (D unicode-surrogate)",
		messages: [
			system(`P${LONE}`),
			user(`Hi${LONE} 🙂`),
			assistant([says(`a${LONE}b`), calls("c1")]),
			result("c1", [says(`${LONE}x`)]),
		],
		replies,
		ours: {
			...SAYS_OK,
			body: [
				'{"role":"system","content":"P"}',
				'{"role":"user","content":"Hi 🙂"}',
				'{"role":"assistant","content":"ab","tool_calls":[{"id":"c1","type":"function","function":{"name":"bash","arguments":"{}"}}]}',
				'{"role":"tool","content":"x","tool_call_id":"c1"}',
			],
		},
	},
	{
		name: "A.5 lone surrogates in arguments, thinking and tools",
		messages: [
			system("P", { toolsAdded: [tool("read", { description: `Reads${LONE}` })] }),
			user("Hi"),
			assistant([thinks(`hm${LONE}`), calls("c1", { path: `x${LONE}` })]),
			result("c1", [says("x")]),
		],
		model: { reasoning: true },
		replies,
		ours: {
			...SAYS_OK,
			body: [
				'{"role":"system","content":"P"}',
				'{"role":"user","content":"Hi"}',
				'{"role":"assistant","content":"","reasoning_content":"hm","tool_calls":[{"id":"c1","type":"function","function":{"name":"bash","arguments":"{\\"path\\":\\"x\\"}"}}]}',
				'{"role":"tool","content":"x","tool_call_id":"c1"}',
				'{"type":"function","function":{"name":"read","description":"Reads","parameters":{"type":"object","properties":{"x":{"type":"number"}},"required":["x"]}}}',
			],
		},
		better: "as JSON they become escapes that llama-server refuses, for the rest of the session",
		newest: {
			body: [
				'{"role":"system","content":"P"}',
				'{"role":"user","content":"Hi"}',
				'{"role":"assistant","content":"","reasoning_content":"hm\\ud83d","tool_calls":[{"id":"c1","type":"function","function":{"name":"bash","arguments":"{\\"path\\":\\"x\\\\ud83d\\"}"}}]}',
				'{"role":"tool","content":"x","tool_call_id":"c1"}',
				'{"type":"function","function":{"name":"read","description":"Reads\\ud83d","parameters":{"type":"object","properties":{"x":{"type":"number"}},"required":["x"]}}}',
			],
		},
	},
	{
		name: "A.4 content of a result that is missing",
		messages: [user("Hi"), assistant([calls("c1")]), result("c1", null)],
		replies,
		ours: {
			...SAYS_OK,
			body: [
				'{"role":"user","content":"Hi"}',
				'{"role":"assistant","content":"","tool_calls":[{"id":"c1","type":"function","function":{"name":"bash","arguments":"{}"}}]}',
				'{"role":"tool","content":"(no tool output)","tool_call_id":"c1"}',
			],
		},
		better: "a message without content does not end the session",
		newest: { events: "error error", message: "error: content is not iterable", body: [] },
	},
	{
		name: "A.4 an empty text next to an image",
		messages: [user("Hi"), assistant([calls("c1")]), result("c1", [says(""), image()])],
		model: SEES,
		replies,
		ours: {
			...SAYS_OK,
			body: [
				'{"role":"user","content":"Hi"}',
				'{"role":"assistant","content":"","tool_calls":[{"id":"c1","type":"function","function":{"name":"bash","arguments":"{}"}}]}',
				'{"role":"tool","content":"(see attached image)","tool_call_id":"c1"}',
				'{"role":"user","content":[{"type":"text","text":"Attached image(s) from tool result:"},{"type":"image_url","image_url":{"url":"data:image/png;base64,QUJD"}}]}',
			],
		},
	},
	{
		name: "A.4 two results of one call",
		messages: [
			user("Hi"),
			assistant([calls("c1")]),
			result("c1", [says("x")]),
			result("c1", [says("y")]),
		],
		replies,
		ours: {
			...SAYS_OK,
			body: [
				'{"role":"user","content":"Hi"}',
				'{"role":"assistant","content":"","tool_calls":[{"id":"c1","type":"function","function":{"name":"bash","arguments":"{}"}}]}',
				'{"role":"tool","content":"x","tool_call_id":"c1"}',
			],
		},
		better: "one result a call: templates count them",
		newest: {
			body: [
				'{"role":"user","content":"Hi"}',
				'{"role":"assistant","content":"","tool_calls":[{"id":"c1","type":"function","function":{"name":"bash","arguments":"{}"}}]}',
				'{"role":"tool","content":"x","tool_call_id":"c1"}',
				'{"role":"tool","content":"y","tool_call_id":"c1"}',
			],
		},
	},
];
