import type { Row } from "../runner/scenario.ts";
import { SAYS_OK } from "../runner/wire.ts";
import { assistant, calls, foreign, replies, result, says, thinks, user } from "./history.ts";

const THINKS = { reasoning: true } satisfies Row["model"];

/** A.3: the thinking of earlier turns. */
export const THOUGHTS: readonly Row[] = [
	{
		name: "A.3 the model's own thinking goes back in the field it came in",
		messages: [
			user("Hi"),
			assistant([thinks("hm"), thinks("well"), says("Yes?")]),
			user("Go"),
			assistant([thinks("so", "reasoning"), says("No.")]),
			user("Go on"),
		],
		model: THINKS,
		replies,
		ours: {
			...SAYS_OK,
			body: [
				'{"role":"user","content":"Hi"}',
				'{"role":"assistant","content":"Yes?","reasoning_content":"hm\\nwell"}',
				'{"role":"user","content":"Go"}',
				'{"role":"assistant","content":"No.","reasoning":"so"}',
				'{"role":"user","content":"Go on"}',
			],
		},
	},
	{
		name: "A.3 thinking between tool rounds",
		messages: [
			user("Hi"),
			assistant([thinks("I need ls"), calls("c1")]),
			result("c1", [says("x")]),
			assistant([thinks("again"), calls("c2")]),
			result("c2", [says("y")]),
		],
		model: THINKS,
		replies,
		ours: {
			...SAYS_OK,
			body: [
				'{"role":"user","content":"Hi"}',
				'{"role":"assistant","content":"","reasoning_content":"I need ls","tool_calls":[{"id":"c1","type":"function","function":{"name":"bash","arguments":"{}"}}]}',
				'{"role":"tool","content":"x","tool_call_id":"c1"}',
				'{"role":"assistant","content":"","reasoning_content":"again","tool_calls":[{"id":"c2","type":"function","function":{"name":"bash","arguments":"{}"}}]}',
				'{"role":"tool","content":"y","tool_call_id":"c2"}',
			],
		},
	},
	{
		name: "A.3 thinking with a signature of another kind is not sent",
		messages: [user("Hi"), assistant([thinks("hm", "sig=="), says("Yes?")]), user("Go")],
		model: THINKS,
		replies,
		ours: {
			...SAYS_OK,
			body: [
				'{"role":"user","content":"Hi"}',
				'{"role":"assistant","content":"Yes?"}',
				'{"role":"user","content":"Go"}',
			],
		},
	},
	{
		name: "A.3 thinking of another model (D transform-messages)",
		messages: [user("Hi"), foreign([thinks("hm"), says("Yes?")]), user("Go")],
		model: THINKS,
		replies,
		ours: {
			...SAYS_OK,
			body: [
				'{"role":"user","content":"Hi"}',
				'{"role":"assistant","content":"Yes?"}',
				'{"role":"user","content":"Go"}',
			],
		},
	},
	{
		name: "A.3 thinking of the same model under another provider's name",
		messages: [
			user("Hi"),
			assistant([thinks("hm"), says("Yes?")], { provider: "llama.cpp" }),
			user("Go"),
		],
		model: THINKS,
		replies,
		ours: {
			...SAYS_OK,
			body: [
				'{"role":"user","content":"Hi"}',
				'{"role":"assistant","content":"Yes?"}',
				'{"role":"user","content":"Go"}',
			],
		},
	},
	{
		name: "A.3 hidden thinking of another model",
		messages: [
			user("Hi"),
			foreign([{ type: "thinking", thinking: "secret", redacted: true }, says("Yes?")]),
			user("Go"),
		],
		replies,
		ours: {
			...SAYS_OK,
			body: [
				'{"role":"user","content":"Hi"}',
				'{"role":"assistant","content":"Yes?"}',
				'{"role":"user","content":"Go"}',
			],
		},
	},
	{
		name: "A.3 a turn of thinking alone is left out",
		messages: [user("Hi"), assistant([thinks("hm")]), user("Go")],
		model: THINKS,
		replies,
		ours: {
			...SAYS_OK,
			body: ['{"role":"user","content":"Hi\\n\\nGo"}'],
		},
		better: "templates raise at two messages of the user in a row",
		newest: { body: ['{"role":"user","content":"Hi"}', '{"role":"user","content":"Go"}'] },
	},
	{
		name: "A.3 an answer that has begun, and thinking is on",
		messages: [user("Hi"), assistant([says("Once upon")])],
		model: THINKS,
		options: { reasoning: "medium" },
		keys: ["chat_template_kwargs"],
		replies,
		ours: {
			...SAYS_OK,
			body: [
				'{"role":"user","content":"Hi"}',
				'{"role":"assistant","content":"Once upon"}',
				'chat_template_kwargs: {"enable_thinking":false,"preserve_thinking":true}',
			],
		},
		better: "llama-server refuses to go on with an answer while thinking is on",
		newest: {
			body: [
				'{"role":"user","content":"Hi"}',
				'{"role":"assistant","content":"Once upon"}',
				'chat_template_kwargs: {"enable_thinking":true,"preserve_thinking":true}',
			],
		},
	},
	{
		name: "A.3 thoughts of one turn that came in two fields",
		messages: [
			user("Hi"),
			assistant([thinks("a", "reasoning"), thinks("b"), says("Yes?")]),
			user("Go"),
		],
		model: { reasoning: true },
		replies,
		ours: {
			...SAYS_OK,
			body: [
				'{"role":"user","content":"Hi"}',
				'{"role":"assistant","content":"Yes?","reasoning":"a\\nb"}',
				'{"role":"user","content":"Go"}',
			],
		},
	},
	{
		name: "A.3 an empty thought",
		messages: [user("Hi"), assistant([thinks(""), says("Yes?")]), user("Go")],
		model: { reasoning: true },
		replies,
		ours: {
			...SAYS_OK,
			body: [
				'{"role":"user","content":"Hi"}',
				'{"role":"assistant","content":"Yes?"}',
				'{"role":"user","content":"Go"}',
			],
		},
	},
];
