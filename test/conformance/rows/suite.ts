import type { Row } from "../runner/scenario.ts";
import { delta, end, more, opened, SAYS_OK, stream, text } from "../runner/wire.ts";
import {
	assistant,
	calls,
	foreign,
	replies,
	result,
	SEES,
	says,
	system,
	thinks,
	tool,
	user,
} from "./history.ts";

const CALCULATOR = tool("math_operation", {
	parameters: {
		type: "object",
		properties: { a: { type: "number" }, b: { type: "number" }, operation: { enum: ["add"] } },
	},
});
const round = (number: number): readonly unknown[] => [
	assistant([thinks(`step ${number}`), calls(`c${number}`, { n: number })], {
		stopReason: "toolUse",
	}),
	result(`c${number}`, [says(`result ${number}`)]),
];

/** D: what pi-ai's own tests ask of a provider, where no row of the other sections does. */
export const SUITE: readonly Row[] = [
	{
		name: "D stream: the second turn of a talk",
		messages: [
			system("You are a helpful assistant."),
			user("Reply with exactly: 'Hello test successful'"),
			assistant([says("Hello test successful")]),
			user("Now say 'Goodbye test successful'"),
		],
		replies: stream(text("Goodbye "), text("test successful"), end()),
		ours: {
			events: "start | text_start 0 | text 0 Goodbye test successful | text_end 0 | done stop",
			message: "text Goodbye test successful | stop | 10+90>7 | id c1 | model tiny.gguf",
			body: [
				'{"role":"system","content":"You are a helpful assistant."}',
				'{"role":"user","content":"Reply with exactly: \'Hello test successful\'"}',
				'{"role":"assistant","content":"Hello test successful"}',
				'{"role":"user","content":"Now say \'Goodbye test successful\'"}',
			],
		},
	},
	{
		name: "D stream: a tool call whose arguments arrive in pieces",
		messages: [system("P", { toolsAdded: [CALCULATOR] }), user("Add 15 and 27")],
		replies: stream(
			opened(0, "call_1", "math_operation"),
			...['{"a":', " 15,", ' "b": 27, "oper', 'ation": "add"}'].map((part) => more(0, part)),
			end("tool_calls"),
		),
		ours: {
			events:
				'start | toolcall_start 0 | toolcall 0 {"a": 15, "b": 27, "operation": "add"} | toolcall_end 0 | done toolUse',
			message:
				'call call_1 math_operation {"a":15,"b":27,"operation":"add"} | toolUse | 10+90>7 | id c1 | model tiny.gguf',
			body: [
				'{"role":"system","content":"P"}',
				'{"role":"user","content":"Add 15 and 27"}',
				'{"type":"function","function":{"name":"math_operation","description":"Runs math_operation","parameters":{"type":"object","properties":{"a":{"type":"number"},"b":{"type":"number"},"operation":{"enum":["add"]}}}}}',
			],
		},
	},
	{
		name: "D stream: five rounds of tools, with thinking",
		messages: [user("Go"), ...[1, 2, 3, 4, 5].flatMap(round)],
		model: { reasoning: true },
		replies: stream(delta({ reasoning_content: "done" }), text("42"), end()),
		ours: {
			events:
				"start | thinking_start 0 | thinking 0 done | text_start 1 | text 1 42 | thinking_end 0 | text_end 1 | done stop",
			message:
				"thinking(reasoning_content) done | text 42 | stop | 10+90>7 | id c1 | model tiny.gguf",
			body: [
				'{"role":"user","content":"Go"}',
				'{"role":"assistant","content":"","reasoning_content":"step 1","tool_calls":[{"id":"c1","type":"function","function":{"name":"bash","arguments":"{\\"n\\":1}"}}]}',
				'{"role":"tool","content":"result 1","tool_call_id":"c1"}',
				'{"role":"assistant","content":"","reasoning_content":"step 2","tool_calls":[{"id":"c2","type":"function","function":{"name":"bash","arguments":"{\\"n\\":2}"}}]}',
				'{"role":"tool","content":"result 2","tool_call_id":"c2"}',
				'{"role":"assistant","content":"","reasoning_content":"step 3","tool_calls":[{"id":"c3","type":"function","function":{"name":"bash","arguments":"{\\"n\\":3}"}}]}',
				'{"role":"tool","content":"result 3","tool_call_id":"c3"}',
				'{"role":"assistant","content":"","reasoning_content":"step 4","tool_calls":[{"id":"c4","type":"function","function":{"name":"bash","arguments":"{\\"n\\":4}"}}]}',
				'{"role":"tool","content":"result 4","tool_call_id":"c4"}',
				'{"role":"assistant","content":"","reasoning_content":"step 5","tool_calls":[{"id":"c5","type":"function","function":{"name":"bash","arguments":"{\\"n\\":5}"}}]}',
				'{"role":"tool","content":"result 5","tool_call_id":"c5"}',
			],
		},
	},
	{
		name: "D abort: an aborted answer, and the talk goes on",
		messages: [
			user("Tell a story"),
			assistant([thinks("hm"), says("Once upon a time")], { stopReason: "aborted" }),
			user("Please continue, but make it shorter."),
		],
		replies,
		ours: {
			...SAYS_OK,
			body: ['{"role":"user","content":"Tell a story\\n\\nPlease continue, but make it shorter."}'],
		},
		better: "templates raise at two messages of the user in a row",
		newest: {
			body: [
				'{"role":"user","content":"Tell a story"}',
				'{"role":"user","content":"Please continue, but make it shorter."}',
			],
		},
	},
	{
		name: "D abort: aborted before the first word, then a new message",
		messages: [user("Hi"), assistant([], { stopReason: "aborted" }), user("What is 2 + 2?")],
		replies,
		ours: {
			...SAYS_OK,
			body: ['{"role":"user","content":"Hi\\n\\nWhat is 2 + 2?"}'],
		},
		better: "templates raise at two messages of the user in a row",
		newest: {
			body: ['{"role":"user","content":"Hi"}', '{"role":"user","content":"What is 2 + 2?"}'],
		},
	},
	{
		name: "D empty: a turn of the assistant with nothing in it",
		messages: [user("Hi"), assistant([]), user("Please respond this time.")],
		replies,
		ours: {
			...SAYS_OK,
			body: ['{"role":"user","content":"Hi\\n\\nPlease respond this time."}'],
		},
		better: "templates raise at two messages of the user in a row",
		newest: {
			body: [
				'{"role":"user","content":"Hi"}',
				'{"role":"user","content":"Please respond this time."}',
			],
		},
	},
	{
		name: "D empty: nothing but an empty question",
		messages: [user([])],
		replies,
		ours: {
			...SAYS_OK,
			body: [],
		},
	},
	{
		name: "D unicode-surrogate: emoji and other scripts in a result",
		messages: [
			user("Read it"),
			assistant([calls("c1")]),
			result("c1", [says('🙈👍❤\ufe0f🤔🚀 こんにちは 你好 ∑∫∂√ "“”‘’" \u0000\u2028')]),
		],
		replies,
		ours: {
			...SAYS_OK,
			body: [
				'{"role":"user","content":"Read it"}',
				'{"role":"assistant","content":"","tool_calls":[{"id":"c1","type":"function","function":{"name":"bash","arguments":"{}"}}]}',
				'{"role":"tool","content":"🙈👍❤\ufe0f🤔🚀 こんにちは 你好 ∑∫∂√ \\"“”‘’\\" \\u0000\u2028","tool_call_id":"c1"}',
			],
		},
	},
	{
		name: "D image-tool-result: an image alone",
		messages: [
			user("Look"),
			assistant([calls("c1")]),
			result("c1", [{ type: "image", data: "QUJD", mimeType: "image/jpeg" }]),
		],
		model: SEES,
		replies,
		ours: {
			...SAYS_OK,
			body: [
				'{"role":"user","content":"Look"}',
				'{"role":"assistant","content":"","tool_calls":[{"id":"c1","type":"function","function":{"name":"bash","arguments":"{}"}}]}',
				'{"role":"tool","content":"(see attached image)","tool_call_id":"c1"}',
				'{"role":"user","content":[{"type":"text","text":"Attached image(s) from tool result:"},{"type":"image_url","image_url":{"url":"data:image/jpeg;base64,QUJD"}}]}',
			],
		},
	},
	{
		name: "D cross-provider-handoff: turns of four other providers",
		keys: ["ids"],
		messages: [
			user("Hi"),
			foreign([thinks("hm", "encrypted=="), says("a"), calls("call_1|fc_2", { x: 1 })]),
			result("call_1|fc_2", [says("one")]),
			assistant([thinks("so", "sig"), calls("toolu_01A", { x: 2 })], {
				api: "anthropic-messages",
				provider: "anthropic",
				model: "claude",
			}),
			result("toolu_01A", [says("two")]),
			assistant([says("b"), calls("gem.3", { x: 3 }, { thoughtSignature: "abc" })], {
				api: "google-generative-ai",
				provider: "google",
				model: "gemini",
			}),
			result("gem.3", [says("three")]),
			assistant([calls("abcDEF123", {})], {
				api: "mistral-conversations",
				provider: "mistral",
				model: "devstral",
			}),
			result("abcDEF123", []),
			user("Go on"),
		],
		replies,
		ours: {
			...SAYS_OK,
			body: [
				'{"role":"user","content":"Hi"}',
				'{"role":"assistant","content":"a","tool_calls":[{"id":"#1","type":"function","function":{"name":"bash","arguments":"{\\"x\\":1}"}}]}',
				'{"role":"tool","content":"one","tool_call_id":"#1"}',
				'{"role":"assistant","content":"","tool_calls":[{"id":"#2","type":"function","function":{"name":"bash","arguments":"{\\"x\\":2}"}}]}',
				'{"role":"tool","content":"two","tool_call_id":"#2"}',
				'{"role":"assistant","content":"b","tool_calls":[{"id":"#3","type":"function","function":{"name":"bash","arguments":"{\\"x\\":3}"}}]}',
				'{"role":"tool","content":"three","tool_call_id":"#3"}',
				'{"role":"assistant","content":"","tool_calls":[{"id":"#4","type":"function","function":{"name":"bash","arguments":"{}"}}]}',
				'{"role":"tool","content":"(no tool output)","tool_call_id":"#4"}',
				'{"role":"user","content":"Go on"}',
			],
		},
	},
];
