import type { Row } from "../runner/scenario.ts";
import { call, end, more, opened, stream, text } from "../runner/wire.ts";

/** C.3: the forms that calls and their arguments come in. */
export const TOOL_FORMS: readonly Row[] = [
	{
		name: "C.3 a call, then text",
		replies: stream(opened(0, "a", "read", "{}"), text("so"), end("tool_calls")),
		ours: {
			events:
				"start | toolcall_start 0 | toolcall 0 {} | text_start 1 | text 1 so | toolcall_end 0 | text_end 1 | done toolUse",
			message: "call a read {} | text so | toolUse | 10+90>7 | id c1 | model tiny.gguf",
		},
	},
	{
		name: "C.3 an index of null",
		replies: stream(
			call({ index: null, id: "a", function: { name: "read", arguments: "{" } }),
			call({ index: null, id: "a", function: { arguments: "}" } }),
			end("tool_calls"),
		),
		ours: {
			events: "start | toolcall_start 0 | toolcall 0 {} | toolcall_end 0 | done toolUse",
			message: "call a read {} | toolUse | 10+90>7 | id c1 | model tiny.gguf",
		},
	},
	{
		name: "C.3 no index, two ids",
		replies: stream(
			call({ id: "a", function: { name: "read", arguments: "{}" } }),
			call({ id: "b", function: { name: "bash", arguments: "{}" } }),
			end("tool_calls"),
		),
		ours: {
			events:
				"start | toolcall_start 0 | toolcall 0 {} | toolcall_start 1 | toolcall 1 {} | toolcall_end 0 | toolcall_end 1 | done toolUse",
			message: "call a read {} | call b bash {} | toolUse | 10+90>7 | id c1 | model tiny.gguf",
		},
	},
	{
		name: "C.3 indexes that begin at 5",
		replies: stream(opened(5, "a", "read", "{}"), opened(7, "b", "bash", "{}"), end("tool_calls")),
		ours: {
			events:
				"start | toolcall_start 0 | toolcall 0 {} | toolcall_start 1 | toolcall 1 {} | toolcall_end 0 | toolcall_end 1 | done toolUse",
			message: "call a read {} | call b bash {} | toolUse | 10+90>7 | id c1 | model tiny.gguf",
		},
	},
	{
		name: "C.3 a function of null",
		replies: stream(
			opened(0, "a", "read", "{}"),
			call({ index: 0, function: null }),
			call({ index: 0 }),
			end("tool_calls"),
		),
		ours: {
			events: "start | toolcall_start 0 | toolcall 0 {} | toolcall_end 0 | done toolUse",
			message: "call a read {} | toolUse | 10+90>7 | id c1 | model tiny.gguf",
		},
	},
	{
		name: "C.3 arguments of null",
		replies: stream(
			call({ index: 0, id: "a", function: { name: "read", arguments: null } }),
			more(0, "{}"),
			end("tool_calls"),
		),
		ours: {
			events: "start | toolcall_start 0 | toolcall 0 {} | toolcall_end 0 | done toolUse",
			message: "call a read {} | toolUse | 10+90>7 | id c1 | model tiny.gguf",
		},
	},
	{
		name: "C.3 an empty id in later deltas",
		replies: stream(
			opened(0, "a", "read", "{"),
			call({ index: 0, id: "", function: { name: "", arguments: "}" } }),
			end("tool_calls"),
		),
		ours: {
			events: "start | toolcall_start 0 | toolcall 0 {} | toolcall_end 0 | done toolUse",
			message: "call a read {} | toolUse | 10+90>7 | id c1 | model tiny.gguf",
		},
	},
	{
		name: "C.3 an id of null in later deltas",
		replies: stream(
			opened(0, "a", "read", "{"),
			call({ index: 0, id: null, function: { name: null, arguments: "}" } }),
			end("tool_calls"),
		),
		ours: {
			events: "start | toolcall_start 0 | toolcall 0 {} | toolcall_end 0 | done toolUse",
			message: "call a read {} | toolUse | 10+90>7 | id c1 | model tiny.gguf",
		},
	},
	{
		name: "C.3 a name in two pieces",
		replies: stream(
			opened(0, "a", "re"),
			call({ index: 0, function: { name: "ad", arguments: "{}" } }),
			end("tool_calls"),
		),
		ours: {
			events: "start | toolcall_start 0 | toolcall 0 {} | toolcall_end 0 | done toolUse",
			message: "call a re {} | toolUse | 10+90>7 | id c1 | model tiny.gguf",
		},
	},
	{
		name: "C.3 a new id without a name on an index that is taken",
		replies: stream(
			opened(0, "a", "read", "{"),
			call({ index: 0, id: "b", function: { arguments: "}" } }),
			end("tool_calls"),
		),
		ours: {
			events: "start | toolcall_start 0 | toolcall 0 {} | toolcall_end 0 | done toolUse",
			message: "call a read {} | toolUse | 10+90>7 | id c1 | model tiny.gguf",
		},
	},
	{
		name: "C.3 two calls of the same id",
		replies: stream(opened(0, "a", "read", "{}"), opened(1, "a", "read", "{}"), end("tool_calls")),
		ours: {
			events:
				"start | toolcall_start 0 | toolcall 0 {} | toolcall_start 1 | toolcall 1 {} | toolcall_end 0 | toolcall_end 1 | done toolUse",
			message: "call a read {} | call a read {} | toolUse | 10+90>7 | id c1 | model tiny.gguf",
		},
		better: "two calls instead of one that is broken",
		newest: {
			events: "start | toolcall_start 0 | toolcall 0 {}{} | toolcall_end 0 | done toolUse",
			message:
				"call a read {} with an argumentsError | toolUse | 10+90>7 | id c1 | model tiny.gguf",
		},
	},
	{
		name: "C.3 numbers, escapes and depth",
		replies: stream(
			opened(0, "a", "f", '{"n":-1.5e3,"u":"\\u00e9\\ud83d\\ude42","d":{"l":[true,null,{"":[]}]}}'),
			end("tool_calls"),
		),
		ours: {
			events:
				'start | toolcall_start 0 | toolcall 0 {"n":-1.5e3,"u":"\\u00e9\\ud83d\\ude42","d":{"l":[true,null,{"":[]}]}} | toolcall_end 0 | done toolUse',
			message:
				'call a f {"n":-1500,"u":"é🙂","d":{"l":[true,null,{"":[]}]}} | toolUse | 10+90>7 | id c1 | model tiny.gguf',
		},
	},
	{
		name: "C.3 a key twice",
		replies: stream(opened(0, "a", "f", '{"x":1,"x":2}'), end("tool_calls")),
		ours: {
			events: 'start | toolcall_start 0 | toolcall 0 {"x":1,"x":2} | toolcall_end 0 | done toolUse',
			message: 'call a f {"x":2} | toolUse | 10+90>7 | id c1 | model tiny.gguf',
		},
	},
	{
		name: "C.3 blanks around the arguments",
		replies: stream(opened(0, "a", "f", '\n {"x":1} \n'), end("tool_calls")),
		ours: {
			events: 'start | toolcall_start 0 | toolcall 0 \n {"x":1} \n | toolcall_end 0 | done toolUse',
			message: 'call a f {"x":1} | toolUse | 10+90>7 | id c1 | model tiny.gguf',
		},
	},
	{
		name: "C.3 arguments that are the word null",
		replies: stream(opened(0, "a", "f", "null"), end("tool_calls")),
		ours: {
			events: "start | toolcall_start 0 | toolcall 0 null | toolcall_end 0 | done toolUse",
			message: "call a f {} with an argumentsError | toolUse | 10+90>7 | id c1 | model tiny.gguf",
		},
	},
	{
		name: "C.3 arguments written as a JSON string",
		replies: stream(opened(0, "a", "f", '"{\\"x\\":1}"'), end("tool_calls")),
		ours: {
			events: 'start | toolcall_start 0 | toolcall 0 "{\\"x\\":1}" | toolcall_end 0 | done toolUse',
			message: "call a f {} with an argumentsError | toolUse | 10+90>7 | id c1 | model tiny.gguf",
		},
	},
	{
		name: "C.3 a comma too many",
		replies: stream(opened(0, "a", "f", '{"x":1,}'), end("tool_calls")),
		ours: {
			events: 'start | toolcall_start 0 | toolcall 0 {"x":1,} | toolcall_end 0 | done toolUse',
			message: "call a f {} with an argumentsError | toolUse | 10+90>7 | id c1 | model tiny.gguf",
		},
	},
];
