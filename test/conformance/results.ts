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
import { OBSERVED } from "./observed.ts";
import type { Row } from "./scenario.ts";

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
		ours: OBSERVED,
	},
	{
		name: "A.4 a result of blanks",
		messages: [user("Hi"), assistant([calls("c1")]), result("c1", [says(" \n")])],
		replies,
		ours: OBSERVED,
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
		ours: OBSERVED,
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
		ours: OBSERVED,
	},
	{
		name: "A.4 a call without result, before the next turn and at the end (D tool-call-without-result)",
		messages: [user("Hi"), assistant([calls("c1")]), user("Go"), assistant([calls("c2")])],
		replies,
		ours: OBSERVED,
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
		ours: OBSERVED,
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
		ours: OBSERVED,
	},
	{
		name: "A.4 a result whose call is not there",
		messages: [user("Hi"), assistant([says("Yes?")]), result("c9", [says("x")]), user("Go")],
		replies,
		ours: OBSERVED,
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
		ours: OBSERVED,
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
		ours: OBSERVED,
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
		ours: OBSERVED,
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
		ours: OBSERVED,
	},
];
