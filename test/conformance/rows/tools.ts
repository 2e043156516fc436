import type { Row } from "../runner/scenario.ts";
import { call, delta, end, more, opened, stream, text } from "../runner/wire.ts";

const USE = end("tool_calls");

/** C.3: tool calls. */
export const TOOLS: readonly Row[] = [
	{
		name: "C.3 a call as llama-server streams it",
		replies: stream(opened(0, "a", "read"), more(0, '{"path":'), more(0, '"x"}'), USE),
		ours: {
			events: 'start | toolcall_start 0 | toolcall 0 {"path":"x"} | toolcall_end 0 | done toolUse',
			message: 'call a read {"path":"x"} | toolUse | 10+90>7 | id c1 | model tiny.gguf',
		},
	},
	{
		name: "C.3 text, then a call",
		replies: stream(text("Let me see."), opened(0, "a", "read", '{"path":"x"}'), USE),
		ours: {
			events:
				'start | text_start 0 | text 0 Let me see. | toolcall_start 1 | toolcall 1 {"path":"x"} | text_end 0 | toolcall_end 1 | done toolUse',
			message:
				'text Let me see. | call a read {"path":"x"} | toolUse | 10+90>7 | id c1 | model tiny.gguf',
		},
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
		ours: {
			events:
				'start | toolcall_start 0 | toolcall 0 {"n":0} | toolcall_start 1 | toolcall 1 {"n":1} | toolcall_start 2 | toolcall 2 {"n":2} | toolcall_end 0 | toolcall_end 1 | toolcall_end 2 | done toolUse',
			message:
				'call id0 read {"n":0} | call id1 read {"n":1} | call id2 read {"n":2} | toolUse | 10+90>7 | id c1 | model tiny.gguf',
		},
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
		ours: {
			events:
				'start | toolcall_start 0 | toolcall 0 { | toolcall_start 1 | toolcall 1 { | toolcall 0 "x":1} | toolcall 1 "y":2} | toolcall_end 0 | toolcall_end 1 | done toolUse',
			message:
				'call a read {"x":1} | call b bash {"y":2} | toolUse | 10+90>7 | id c1 | model tiny.gguf',
		},
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
		ours: {
			events:
				"start | toolcall_start 0 | toolcall 0 {} | toolcall_start 1 | toolcall 1 {} | toolcall_end 0 | toolcall_end 1 | done toolUse",
			message: "call a read {} | call b bash {} | toolUse | 10+90>7 | id c1 | model tiny.gguf",
		},
	},
	{
		name: "C.3 the name comes later",
		replies: stream(
			call({ index: 0, id: "a", function: { arguments: "" } }),
			call({ index: 0, function: { name: "read", arguments: "{}" } }),
			USE,
		),
		ours: {
			events: "start | toolcall_start 0 | toolcall 0 {} | toolcall_end 0 | done toolUse",
			message: "call a read {} | toolUse | 10+90>7 | id c1 | model tiny.gguf",
		},
	},
	{
		name: "C.3 the id comes later",
		replies: stream(
			call({ index: 0, function: { name: "read", arguments: "{" } }),
			call({ index: 0, id: "a", function: { arguments: "}" } }),
			USE,
		),
		ours: {
			events: "start | toolcall_start 0 | toolcall 0 {} | toolcall_end 0 | done toolUse",
			message: "call a read {} | toolUse | 10+90>7 | id c1 | model tiny.gguf",
		},
	},
	{
		name: "C.3 id and name repeated in every event",
		replies: stream(opened(0, "a", "read", '{"x":'), opened(0, "a", "read", "1}"), USE),
		ours: {
			events: 'start | toolcall_start 0 | toolcall 0 {"x":1} | toolcall_end 0 | done toolUse',
			message: 'call a read {"x":1} | toolUse | 10+90>7 | id c1 | model tiny.gguf',
		},
	},
	{
		name: "C.3 no index: found by the id",
		replies: stream(
			call({ id: "a", function: { name: "read", arguments: '{"x"' } }),
			call({ id: "a", function: { arguments: ":1}" } }),
			USE,
		),
		ours: {
			events: 'start | toolcall_start 0 | toolcall 0 {"x":1} | toolcall_end 0 | done toolUse',
			message: 'call a read {"x":1} | toolUse | 10+90>7 | id c1 | model tiny.gguf',
		},
	},
	{
		name: "C.3 no index and no id",
		replies: stream(
			call({ id: "a", function: { name: "read", arguments: '{"x"' } }),
			call({ function: { arguments: ":1}" } }),
			USE,
		),
		ours: {
			events: 'start | toolcall_start 0 | toolcall 0 {"x":1} | toolcall_end 0 | done toolUse',
			message: 'call a read {"x":1} | toolUse | 10+90>7 | id c1 | model tiny.gguf',
		},
		better: "one call instead of two broken ones",
		newest: {
			events:
				'start | toolcall_start 0 | toolcall 0 {"x" | toolcall_start 1 | toolcall 1 :1} | toolcall_end 0 | toolcall_end 1 | done toolUse',
			message:
				"call a read {} with an argumentsError | call   {} with an argumentsError | toolUse | 10+90>7 | id c1 | model tiny.gguf",
		},
	},
	{
		name: "C.3 missing id",
		replies: stream(call({ index: 0, function: { name: "read", arguments: "{}" } }), USE),
		ours: {
			events: "start | toolcall_start 0 | toolcall 0 {} | toolcall_end 0 | done toolUse",
			message: "call call_* read {} | toolUse | 10+90>7 | id c1 | model tiny.gguf",
		},
		better: "without an id the result would belong to no call",
		newest: { message: "call  read {} | toolUse | 10+90>7 | id c1 | model tiny.gguf" },
	},
	{
		name: "C.3 a new id and name on an index that is taken",
		replies: stream(opened(0, "a", "read", '{"x":1}'), opened(0, "b", "bash", '{"y":2}'), USE),
		ours: {
			events:
				'start | toolcall_start 0 | toolcall 0 {"x":1} | toolcall_start 1 | toolcall 1 {"y":2} | toolcall_end 0 | toolcall_end 1 | done toolUse',
			message:
				'call a read {"x":1} | call b bash {"y":2} | toolUse | 10+90>7 | id c1 | model tiny.gguf',
		},
		better: "two calls instead of one that is broken",
		newest: {
			events:
				'start | toolcall_start 0 | toolcall 0 {"x":1}{"y":2} | toolcall_end 0 | done toolUse',
			message:
				"call a read {} with an argumentsError | toolUse | 10+90>7 | id c1 | model tiny.gguf",
		},
	},
	{
		name: "C.3 arguments as an object",
		replies: stream(
			call({ index: 0, id: "a", function: { name: "read", arguments: { path: "x" } } }),
			USE,
		),
		ours: {
			events: 'start | toolcall_start 0 | toolcall 0 {"path":"x"} | toolcall_end 0 | done toolUse',
			message: 'call a read {"path":"x"} | toolUse | 10+90>7 | id c1 | model tiny.gguf',
		},
		better: "they are taken as they are meant",
		newest: {
			message:
				"call a read {} with an argumentsError | toolUse | 10+90>7 | id c1 | model tiny.gguf",
		},
	},
	{
		name: "C.3 no arguments at all",
		replies: stream(call({ index: 0, id: "a", function: { name: "read" } }), USE),
		ours: {
			events: "start | toolcall_start 0 | toolcall 0  | toolcall_end 0 | done toolUse",
			message: "call a read {} | toolUse | 10+90>7 | id c1 | model tiny.gguf",
		},
	},
	{
		name: "C.3 arguments that are no JSON",
		replies: stream(opened(0, "a", "bash", '{"command": rm -rf'), USE),
		ours: {
			events:
				'start | toolcall_start 0 | toolcall 0 {"command": rm -rf | toolcall_end 0 | done toolUse',
			message:
				"call a bash {} with an argumentsError | toolUse | 10+90>7 | id c1 | model tiny.gguf",
		},
	},
	{
		name: "C.3 arguments that break off, and a stop reason that hides it",
		replies: stream(opened(0, "a", "bash", '{"command":"rm -rf /tmp/x'), USE),
		ours: {
			events:
				'start | toolcall_start 0 | toolcall 0 {"command":"rm -rf /tmp/x | toolcall_end 0 | done toolUse',
			message:
				"call a bash {} with an argumentsError | toolUse | 10+90>7 | id c1 | model tiny.gguf",
		},
	},
	{
		name: "C.3 arguments that break off at the limit of tokens",
		replies: stream(opened(0, "a", "bash", '{"command":"rm -rf /tmp/x'), end("length")),
		ours: {
			events:
				'start | toolcall_start 0 | toolcall 0 {"command":"rm -rf /tmp/x | toolcall_end 0 | done length',
			message: "call a bash {} with an argumentsError | length | 10+90>7 | id c1 | model tiny.gguf",
		},
	},
	{
		name: "C.3 a backslash that starts no escape",
		replies: stream(opened(0, "a", "grep", '{"pattern":"abc\\qdef"}'), USE),
		ours: {
			events:
				'start | toolcall_start 0 | toolcall 0 {"pattern":"abc\\qdef"} | toolcall_end 0 | done toolUse',
			message:
				'call a grep {"pattern":"abc\\\\qdef"} | toolUse | 10+90>7 | id c1 | model tiny.gguf',
		},
	},
	{
		name: "C.3 raw line breaks in a string",
		replies: stream(opened(0, "a", "write", '{"text":"a\nb\tc"}'), USE),
		ours: {
			events:
				'start | toolcall_start 0 | toolcall 0 {"text":"a\nb\tc"} | toolcall_end 0 | done toolUse',
			message: 'call a write {"text":"a\\nb\\tc"} | toolUse | 10+90>7 | id c1 | model tiny.gguf',
		},
	},
	{
		name: "C.3 arguments that are JSON but no object",
		replies: stream(opened(0, "a", "read", "[1,2]"), USE),
		ours: {
			events: "start | toolcall_start 0 | toolcall 0 [1,2] | toolcall_end 0 | done toolUse",
			message:
				"call a read {} with an argumentsError | toolUse | 10+90>7 | id c1 | model tiny.gguf",
		},
	},
	{
		name: "C.3 something behind the arguments",
		replies: stream(opened(0, "a", "read", '{"x":1}</tool_call>'), USE),
		ours: {
			events:
				'start | toolcall_start 0 | toolcall 0 {"x":1}</tool_call> | toolcall_end 0 | done toolUse',
			message:
				"call a read {} with an argumentsError | toolUse | 10+90>7 | id c1 | model tiny.gguf",
		},
	},
	{
		name: "C.3 a key __proto__",
		replies: stream(opened(0, "a", "read", '{"__proto__":{"x":1}}'), USE),
		ours: {
			events:
				'start | toolcall_start 0 | toolcall 0 {"__proto__":{"x":1}} | toolcall_end 0 | done toolUse',
			message: 'call a read {"__proto__":{"x":1}} | toolUse | 10+90>7 | id c1 | model tiny.gguf',
		},
	},
	{
		name: "C.3 the form of before tool_calls",
		replies: stream(
			delta({ function_call: { name: "read", arguments: '{"x":' } }),
			delta({ function_call: { arguments: "1}" } }),
			end("function_call"),
		),
		ours: {
			events: 'start | toolcall_start 0 | toolcall 0 {"x":1} | toolcall_end 0 | done toolUse',
			message:
				'call call_* read {"x":1} | toolUse | from function_call | 10+90>7 | id c1 | model tiny.gguf',
		},
		better: "the call is not lost",
		newest: {
			events: "start | done toolUse",
			message: "toolUse | from function_call | 10+90>7 | id c1 | model tiny.gguf",
		},
	},
	{
		name: "C.3 an abort in the arguments",
		abort: "toolcall_delta",
		replies: [{ pieces: [opened(0, "a", "bash", '{"command":"l')], end: "hold" }],
		ours: {
			events:
				'start | toolcall_start 0 | toolcall 0 {"command":"l | toolcall_end 0 | error aborted',
			message:
				'call a bash {"command":"l"} with an argumentsError | aborted | id c1 | model tiny.gguf',
		},
		better: "what came of the arguments stays on the screen, and is marked as broken",
		newest: {
			message: "call a bash {} with an argumentsError | aborted | id c1 | model tiny.gguf",
		},
	},
];
