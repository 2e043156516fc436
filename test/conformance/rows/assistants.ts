import type { Row } from "../runner/scenario.ts";
import { SAYS_OK } from "../runner/wire.ts";
import { assistant, calls, foreign, replies, result, says, user } from "./history.ts";

/** A.3: turns of the model. */
export const ASSISTANTS: readonly Row[] = [
	{
		name: "A.3 text blocks in one string, blank ones dropped",
		messages: [user("Hi"), assistant([says("a"), says(" \n"), says("b")]), user("Go")],
		replies,
		ours: {
			...SAYS_OK,
			body: [
				'{"role":"user","content":"Hi"}',
				'{"role":"assistant","content":"ab"}',
				'{"role":"user","content":"Go"}',
			],
		},
	},
	{
		name: "A.3 content where there is none",
		messages: [user("Hi"), assistant([calls("c1")]), result("c1", [says("x")])],
		keys: ["null"],
		replies,
		ours: {
			...SAYS_OK,
			body: [
				'{"role":"user","content":"Hi"}',
				'{"role":"assistant","content":"","tool_calls":[{"id":"c1","type":"function","function":{"name":"bash","arguments":"{}"}}]}',
				'{"role":"tool","content":"x","tool_call_id":"c1"}',
			],
		},
		better: "never null: some servers and templates refuse that",
		newest: {
			body: [
				'{"role":"user","content":"Hi"}',
				'{"role":"assistant","content":null,"tool_calls":[{"id":"c1","type":"function","function":{"name":"bash","arguments":"{}"}}]}',
				'{"role":"tool","content":"x","tool_call_id":"c1"}',
			],
		},
	},
	{
		name: "A.3 a call with its text and arguments",
		messages: [
			user("Hi"),
			assistant([says("Let me see."), calls("c1", { command: "ls", deep: [1, { a: null }] })]),
			result("c1", [says("x")]),
		],
		replies,
		ours: {
			...SAYS_OK,
			body: [
				'{"role":"user","content":"Hi"}',
				'{"role":"assistant","content":"Let me see.","tool_calls":[{"id":"c1","type":"function","function":{"name":"bash","arguments":"{\\"command\\":\\"ls\\",\\"deep\\":[1,{\\"a\\":null}]}"}}]}',
				'{"role":"tool","content":"x","tool_call_id":"c1"}',
			],
		},
	},
	{
		name: "A.3 a call's signature of another vendor is not sent (D transform-messages)",
		messages: [
			user("Hi"),
			foreign([calls("c1", {}, { thoughtSignature: "abc" })]),
			result("c1", [says("x")]),
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
	},
	{
		name: "A.3 failed and aborted turns are left out",
		messages: [
			user("Hi"),
			assistant([says("half")], { stopReason: "aborted" }),
			user("Again"),
			assistant([says("half")], { stopReason: "error", errorMessage: "no" }),
			user("Go"),
		],
		replies,
		ours: {
			...SAYS_OK,
			body: ['{"role":"user","content":"Hi\\n\\nAgain\\n\\nGo"}'],
		},
		better: "templates raise at two messages of the user in a row",
		newest: {
			body: [
				'{"role":"user","content":"Hi"}',
				'{"role":"user","content":"Again"}',
				'{"role":"user","content":"Go"}',
			],
		},
	},
	{
		name: "A.3 an answer that has begun is continued",
		messages: [user("Hi"), assistant([says("Once upon")])],
		replies,
		ours: {
			...SAYS_OK,
			body: ['{"role":"user","content":"Hi"}', '{"role":"assistant","content":"Once upon"}'],
		},
	},
	{
		name: "A.3 stored arguments that are no object",
		messages: [user("Hi"), assistant([calls("c1", "broken")]), result("c1", [says("x")])],
		replies,
		ours: {
			...SAYS_OK,
			body: [
				'{"role":"user","content":"Hi"}',
				'{"role":"assistant","content":"","tool_calls":[{"id":"c1","type":"function","function":{"name":"bash","arguments":"{}"}}]}',
				'{"role":"tool","content":"x","tool_call_id":"c1"}',
			],
		},
		better:
			"llama-server answers 500 to every later request when arguments in the history are no object",
		newest: {
			body: [
				'{"role":"user","content":"Hi"}',
				'{"role":"assistant","content":"","tool_calls":[{"id":"c1","type":"function","function":{"name":"bash","arguments":"\\"broken\\""}}]}',
				'{"role":"tool","content":"x","tool_call_id":"c1"}',
			],
		},
	},
	{
		name: "A.3 content that is missing",
		messages: [user("Hi"), { ...(assistant([]) as object), content: null }, user("Go")],
		replies,
		ours: {
			...SAYS_OK,
			body: ['{"role":"user","content":"Hi\\n\\nGo"}'],
		},
		better: "a message without content does not end the session",
		newest: { events: "error error", message: "error: message.content is not iterable", body: [] },
	},
	{
		name: "A.3 blanks next to a call",
		messages: [user("Hi"), assistant([says("\n\n"), calls("c1")]), result("c1", [says("x")])],
		replies,
		ours: {
			...SAYS_OK,
			body: [
				'{"role":"user","content":"Hi"}',
				'{"role":"assistant","content":"","tool_calls":[{"id":"c1","type":"function","function":{"name":"bash","arguments":"{}"}}]}',
				'{"role":"tool","content":"x","tool_call_id":"c1"}',
			],
		},
	},
];
