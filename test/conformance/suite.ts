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
import { OBSERVED } from "./observed.ts";
import type { Row } from "./scenario.ts";
import { delta, end, more, opened, stream, text } from "./wire.ts";

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
		ours: OBSERVED,
	},
	{
		name: "D stream: a tool call whose arguments arrive in pieces",
		messages: [system("P", { toolsAdded: [CALCULATOR] }), user("Add 15 and 27")],
		replies: stream(
			opened(0, "call_1", "math_operation"),
			...['{"a":', " 15,", ' "b": 27, "oper', 'ation": "add"}'].map((part) => more(0, part)),
			end("tool_calls"),
		),
		ours: OBSERVED,
	},
	{
		name: "D stream: five rounds of tools, with thinking",
		messages: [user("Go"), ...[1, 2, 3, 4, 5].flatMap(round)],
		model: { reasoning: true },
		replies: stream(delta({ reasoning_content: "done" }), text("42"), end()),
		ours: OBSERVED,
	},
	{
		name: "D abort: an aborted answer, and the talk goes on",
		messages: [
			user("Tell a story"),
			assistant([thinks("hm"), says("Once upon a time")], { stopReason: "aborted" }),
			user("Please continue, but make it shorter."),
		],
		replies,
		ours: OBSERVED,
	},
	{
		name: "D abort: aborted before the first word, then a new message",
		messages: [user("Hi"), assistant([], { stopReason: "aborted" }), user("What is 2 + 2?")],
		replies,
		ours: OBSERVED,
	},
	{
		name: "D empty: a turn of the assistant with nothing in it",
		messages: [user("Hi"), assistant([]), user("Please respond this time.")],
		replies,
		ours: OBSERVED,
	},
	{
		name: "D empty: nothing but an empty question",
		messages: [user([])],
		replies,
		ours: OBSERVED,
	},
	{
		name: "D unicode-surrogate: emoji and other scripts in a result",
		messages: [
			user("Read it"),
			assistant([calls("c1")]),
			result("c1", [says('🙈👍❤️🤔🚀 こんにちは 你好 ∑∫∂√ "“”‘’" \u0000\u2028')]),
		],
		replies,
		ours: OBSERVED,
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
		ours: OBSERVED,
	},
	{
		name: "D cross-provider-handoff: turns of four other providers",
		keys: ["ids"],
		messages: [
			user("Hi"),
			foreign([thinks("hm", "encrypted=="), says("a"), calls("call_1|fc_2", { x: 1 })]),
			result("call_1|fc_2", [says("one")]),
			assistant([thinks("so", "sig"), calls("toolu_01A", { x: 2 })], {
				...{ api: "anthropic-messages", provider: "anthropic", model: "claude" },
			}),
			result("toolu_01A", [says("two")]),
			assistant([says("b"), calls("gem.3", { x: 3 }, { thoughtSignature: "abc" })], {
				...{ api: "google-generative-ai", provider: "google", model: "gemini" },
			}),
			result("gem.3", [says("three")]),
			assistant([calls("abcDEF123", {})], {
				...{ api: "mistral-conversations", provider: "mistral", model: "devstral" },
			}),
			result("abcDEF123", []),
			user("Go on"),
		],
		replies,
		ours: OBSERVED,
	},
];
