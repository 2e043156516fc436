import { OBSERVED } from "./observed.ts";
import type { Row } from "./scenario.ts";
import { call, delta, end, more, opened, stream, text } from "./wire.ts";

const USE = end("tool_calls");

/** C.3: tool calls. */
export const TOOLS: readonly Row[] = [
	{
		name: "C.3 a call as llama-server streams it",
		replies: stream(opened(0, "a", "read"), more(0, '{"path":'), more(0, '"x"}'), USE),
		ours: OBSERVED,
	},
	{
		name: "C.3 text, then a call",
		replies: stream(text("Let me see."), opened(0, "a", "read", '{"path":"x"}'), USE),
		ours: OBSERVED,
	},
	{
		name: "C.3 three calls, one after the other",
		replies: stream(
			...[0, 1, 2].flatMap((index) => [
				opened(index, `id${index}`, "read"),
				more(index, `{"n":${index}}`),
			]),
			USE,
		),
		ours: OBSERVED,
	},
	{
		name: "C.3 two calls that grow in turns",
		replies: stream(
			opened(0, "a", "read", "{"),
			opened(1, "b", "bash", "{"),
			more(0, '"x":1}'),
			more(1, '"y":2}'),
			USE,
		),
		ours: OBSERVED,
	},
	{
		name: "C.3 two calls in one event",
		replies: stream(
			delta({
				tool_calls: [
					{ index: 0, id: "a", function: { name: "read", arguments: "{}" } },
					{ index: 1, id: "b", function: { name: "bash", arguments: "{}" } },
				],
			}),
			USE,
		),
		ours: OBSERVED,
	},
	{
		name: "C.3 the name comes later",
		replies: stream(
			call({ index: 0, id: "a", function: { arguments: "" } }),
			call({ index: 0, function: { name: "read", arguments: "{}" } }),
			USE,
		),
		ours: OBSERVED,
	},
	{
		name: "C.3 the id comes later",
		replies: stream(
			call({ index: 0, function: { name: "read", arguments: "{" } }),
			call({ index: 0, id: "a", function: { arguments: "}" } }),
			USE,
		),
		ours: OBSERVED,
	},
	{
		name: "C.3 id and name repeated in every event",
		replies: stream(opened(0, "a", "read", '{"x":'), opened(0, "a", "read", "1}"), USE),
		ours: OBSERVED,
	},
	{
		name: "C.3 no index: found by the id",
		replies: stream(
			call({ id: "a", function: { name: "read", arguments: '{"x"' } }),
			call({ id: "a", function: { arguments: ":1}" } }),
			USE,
		),
		ours: OBSERVED,
	},
	{
		name: "C.3 no index and no id",
		replies: stream(
			call({ id: "a", function: { name: "read", arguments: '{"x"' } }),
			call({ function: { arguments: ":1}" } }),
			USE,
		),
		ours: OBSERVED,
	},
	{
		name: "C.3 missing id",
		replies: stream(call({ index: 0, function: { name: "read", arguments: "{}" } }), USE),
		ours: OBSERVED,
	},
	{
		name: "C.3 a new id and name on an index that is taken",
		replies: stream(opened(0, "a", "read", '{"x":1}'), opened(0, "b", "bash", '{"y":2}'), USE),
		ours: OBSERVED,
	},
	{
		name: "C.3 arguments as an object",
		replies: stream(
			call({ index: 0, id: "a", function: { name: "read", arguments: { path: "x" } } }),
			USE,
		),
		ours: OBSERVED,
	},
	{
		name: "C.3 no arguments at all",
		replies: stream(call({ index: 0, id: "a", function: { name: "read" } }), USE),
		ours: OBSERVED,
	},
	{
		name: "C.3 arguments that are no JSON",
		replies: stream(opened(0, "a", "bash", '{"command": rm -rf'), USE),
		ours: OBSERVED,
	},
	{
		name: "C.3 arguments that break off, and a stop reason that hides it",
		replies: stream(opened(0, "a", "bash", '{"command":"rm -rf /tmp/x'), USE),
		ours: OBSERVED,
	},
	{
		name: "C.3 arguments that break off at the limit of tokens",
		replies: stream(opened(0, "a", "bash", '{"command":"rm -rf /tmp/x'), end("length")),
		ours: OBSERVED,
	},
	{
		name: "C.3 a backslash that starts no escape",
		replies: stream(opened(0, "a", "grep", '{"pattern":"abc\\qdef"}'), USE),
		ours: OBSERVED,
	},
	{
		name: "C.3 raw line breaks in a string",
		replies: stream(opened(0, "a", "write", '{"text":"a\nb\tc"}'), USE),
		ours: OBSERVED,
	},
	{
		name: "C.3 arguments that are JSON but no object",
		replies: stream(opened(0, "a", "read", "[1,2]"), USE),
		ours: OBSERVED,
	},
	{
		name: "C.3 something behind the arguments",
		replies: stream(opened(0, "a", "read", '{"x":1}</tool_call>'), USE),
		ours: OBSERVED,
	},
	{
		name: "C.3 a key __proto__",
		replies: stream(opened(0, "a", "read", '{"__proto__":{"x":1}}'), USE),
		ours: OBSERVED,
	},
	{
		name: "C.3 the form of before tool_calls",
		replies: stream(
			delta({ function_call: { name: "read", arguments: '{"x":' } }),
			delta({ function_call: { arguments: "1}" } }),
			end("function_call"),
		),
		ours: OBSERVED,
	},
	{
		name: "C.3 an abort in the arguments",
		abort: "toolcall_delta",
		replies: [{ pieces: [opened(0, "a", "bash", '{"command":"l')], end: "hold" }],
		ours: OBSERVED,
	},
];
