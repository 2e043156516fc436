import type { Row } from "../runner/scenario.ts";
import { DONE, delta, end, frame, opened, stream, text, USAGE } from "../runner/wire.ts";

const HEAD = { id: "c1", model: "tiny.gguf", created: 1 };
const finished = (reason: string): Row["replies"] => stream(text("a"), end(reason));
const STOP = delta({}, "stop");

/** C.5: finish reasons. */
export const FINISHES: readonly Row[] = [
	{
		name: "C.5 stop",
		replies: finished("stop"),
		ours: {
			events: "start | text_start 0 | text 0 a | text_end 0 | done stop",
			message: "text a | stop | 10+90>7 | id c1 | model tiny.gguf",
		},
	},
	{
		name: "C.5 end",
		replies: finished("end"),
		ours: {
			events: "start | text_start 0 | text 0 a | text_end 0 | done stop",
			message: "text a | stop | from end | 10+90>7 | id c1 | model tiny.gguf",
		},
	},
	{
		name: "C.5 eos",
		replies: finished("eos"),
		ours: {
			events: "start | text_start 0 | text 0 a | text_end 0 | done stop",
			message: "text a | stop | from eos | 10+90>7 | id c1 | model tiny.gguf",
		},
		better: "some servers call the end of an answer so",
		newest: {
			events: "start | text_start 0 | text 0 a | text_end 0 | error error",
			message:
				"text a | error: Provider finish_reason: eos | from eos | 10+90>7 | id c1 | model tiny.gguf",
		},
	},
	{
		name: "C.5 length",
		replies: finished("length"),
		ours: {
			events: "start | text_start 0 | text 0 a | text_end 0 | done length",
			message: "text a | length | 10+90>7 | id c1 | model tiny.gguf",
		},
	},
	{
		name: "C.5 tool_calls without a call",
		replies: finished("tool_calls"),
		ours: {
			events: "start | text_start 0 | text 0 a | text_end 0 | done toolUse",
			message: "text a | toolUse | 10+90>7 | id c1 | model tiny.gguf",
		},
	},
	{
		name: "C.5 function_call",
		replies: finished("function_call"),
		ours: {
			events: "start | text_start 0 | text 0 a | text_end 0 | done toolUse",
			message: "text a | toolUse | from function_call | 10+90>7 | id c1 | model tiny.gguf",
		},
	},
	{
		name: "C.5 content_filter",
		replies: finished("content_filter"),
		ours: {
			events: "start | text_start 0 | text 0 a | text_end 0 | error error",
			message:
				"text a | error: Provider finish_reason: content_filter | from content_filter | 10+90>7 | id c1 | model tiny.gguf",
		},
	},
	{
		name: "C.5 network_error",
		replies: finished("network_error"),
		ours: {
			events: "start | text_start 0 | text 0 a | text_end 0 | error error",
			message:
				"text a | error: Provider finish_reason: network_error | tries again | from network_error | 10+90>7 | id c1 | model tiny.gguf",
		},
	},
	{
		name: "C.5 an unknown reason",
		replies: finished("bored"),
		ours: {
			events: "start | text_start 0 | text 0 a | text_end 0 | error error",
			message:
				"text a | error: Provider finish_reason: bored | from bored | 10+90>7 | id c1 | model tiny.gguf",
		},
	},
	{
		name: "C.5 stop although there are calls",
		replies: stream(opened(0, "a", "read", "{}"), end("stop")),
		ours: {
			events: "start | toolcall_start 0 | toolcall 0 {} | toolcall_end 0 | done toolUse",
			message: "call a read {} | toolUse | from stop | 10+90>7 | id c1 | model tiny.gguf",
		},
		better: "the reason shows that tools are to be run",
		newest: {
			events: "start | toolcall_start 0 | toolcall 0 {} | toolcall_end 0 | done stop",
			message: "call a read {} | stop | 10+90>7 | id c1 | model tiny.gguf",
		},
	},
	{
		name: "C.5 deltas behind the reason",
		replies: stream(text("a"), STOP, text("b"), USAGE, DONE),
		ours: {
			events: "start | text_start 0 | text 0 ab | text_end 0 | done stop",
			message: "text ab | stop | 10+90>7 | id c1 | model tiny.gguf",
		},
	},
	{
		name: "C.5 the reason in the event of the last text",
		replies: stream(delta({ content: "a" }, "stop"), USAGE, DONE),
		ours: {
			events: "start | text_start 0 | text 0 a | text_end 0 | done stop",
			message: "text a | stop | 10+90>7 | id c1 | model tiny.gguf",
		},
	},
	{
		name: "C.5 two reasons",
		replies: stream(text("a"), STOP, delta({}, "length"), USAGE, DONE),
		ours: {
			events: "start | text_start 0 | text 0 a | text_end 0 | done length",
			message: "text a | length | 10+90>7 | id c1 | model tiny.gguf",
		},
	},
	{
		name: "C.5 a reason that is empty until the end",
		replies: stream(delta({ content: "a" }, ""), delta({}, "stop"), USAGE, DONE),
		ours: {
			events: "start | text_start 0 | text 0 a | text_end 0 | done stop",
			message: "text a | stop | 10+90>7 | id c1 | model tiny.gguf",
		},
	},
	{
		name: "C.5 an empty reason behind the reason",
		replies: stream(text("a"), delta({}, "stop"), delta({}, ""), USAGE, DONE),
		ours: {
			events: "start | text_start 0 | text 0 a | text_end 0 | done stop",
			message: "text a | stop | 10+90>7 | id c1 | model tiny.gguf",
		},
	},
	{
		name: "C.5 an empty reason alone",
		wordless: true,
		replies: stream(delta({ content: "a" }, ""), USAGE, DONE),
		ours: {
			events: "start | text_start 0 | text 0 a | text_end 0 | error error",
			message: "text a | error: ... | tries again | 10+90>7 | id c1 | model tiny.gguf",
		},
	},
	{
		name: "C.5 a reason without a delta",
		replies: stream(
			text("a"),
			frame({ ...HEAD, choices: [{ index: 0, finish_reason: "stop" }] }),
			USAGE,
			DONE,
		),
		ours: {
			events: "start | text_start 0 | text 0 a | text_end 0 | done stop",
			message: "text a | stop | 10+90>7 | id c1 | model tiny.gguf",
		},
	},
];
