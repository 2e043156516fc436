import { assistant, calls, replies, result, says, system, tool, user } from "./history.ts";
import { OBSERVED } from "./observed.ts";
import type { Row } from "./scenario.ts";

/** A.1 and A.6: instructions and tools. */
export const PROMPTS: readonly Row[] = [
	{
		name: "A.1 prompt and sections, joined by a blank line; a section of null is left out",
		messages: [system("P", { sections: { a: "A", b: null, c: "C" } }), user("Hi")],
		replies,
		ours: OBSERVED,
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
		ours: OBSERVED,
	},
	{
		name: "A.1 an empty prompt sends no message",
		messages: [system(""), user("Hi")],
		replies,
		ours: OBSERVED,
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
		ours: OBSERVED,
	},
	{
		name: "A.1 the older shape, with prompt and tools beside the messages",
		messages: [user("Hi")],
		beside: { systemPrompt: "P", tools: [tool("read")] },
		replies,
		ours: OBSERVED,
	},
	{
		name: "A.1 no system message at all",
		messages: [user("Hi")],
		replies,
		ours: OBSERVED,
	},
	{
		name: "A.6 tools with their schema as it is",
		messages: [system("P", { toolsAdded: [tool("read"), tool("write")] }), user("Hi")],
		replies,
		ours: OBSERVED,
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
		ours: OBSERVED,
	},
	{
		name: "A.6 no tools, but calls in the history",
		keys: ["tools"],
		messages: [system("P"), user("Hi"), assistant([calls("c1")]), result("c1", [says("x")])],
		replies,
		ours: OBSERVED,
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
		ours: OBSERVED,
	},
];
