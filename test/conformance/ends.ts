import type { Row } from "./scenario.ts";
import { DONE, delta, end, frame, opened, stream, text, USAGE } from "./wire.ts";

const HEAD = { id: "c1", model: "tiny.gguf", created: 1 };
const counted = (usage: unknown): string => frame({ ...HEAD, choices: [], usage });
const finished = (reason: string): Row["replies"] => stream(text("a"), end(reason));
const STOP = delta({}, "stop");
const TIMINGS = {
	...{ cache_n: 90, prompt_n: 10, predicted_n: 7 },
	...{ prompt_per_second: 100, predicted_per_second: 50 },
};

/** C.4 and C.5: usage and finish reasons. */
export const ENDS: readonly Row[] = [
	{
		name: "C.4 the cached part in the details (D total-tokens)",
		replies: stream(text("a"), STOP, USAGE, DONE),
		ours: {
			events: "start | text_start 0 | text 0 a | text_end 0 | done stop",
			message: "text a | stop | 10+90>7 | id c1 | model tiny.gguf",
		},
	},
	{
		name: "C.4 the cached part as prompt_cache_hit_tokens",
		replies: stream(
			text("a"),
			STOP,
			counted({ prompt_tokens: 9, completion_tokens: 2, prompt_cache_hit_tokens: 4 }),
			DONE,
		),
		ours: {
			events: "start | text_start 0 | text 0 a | text_end 0 | done stop",
			message: "text a | stop | 5+4>2 | id c1 | model tiny.gguf",
		},
	},
	{
		name: "C.4 the cached part at the top",
		replies: stream(
			text("a"),
			STOP,
			counted({ prompt_tokens: 9, completion_tokens: 2, cached_tokens: 5 }),
			DONE,
		),
		ours: {
			events: "start | text_start 0 | text 0 a | text_end 0 | done stop",
			message: "text a | stop | 4+5>2 | id c1 | model tiny.gguf",
		},
	},
	{
		name: "C.4 more cached than there is",
		replies: stream(
			text("a"),
			STOP,
			counted({
				...{ prompt_tokens: 9, completion_tokens: 2 },
				prompt_tokens_details: { cached_tokens: 12 },
			}),
			DONE,
		),
		ours: {
			events: "start | text_start 0 | text 0 a | text_end 0 | done stop",
			message: "text a | stop | 0+12>2 | id c1 | model tiny.gguf",
		},
	},
	{
		name: "C.4 the part that was thinking",
		replies: stream(
			text("a"),
			STOP,
			counted({
				...{ prompt_tokens: 9, completion_tokens: 8 },
				completion_tokens_details: { reasoning_tokens: 6 },
			}),
			DONE,
		),
		ours: {
			events: "start | text_start 0 | text 0 a | text_end 0 | done stop",
			message: "text a | stop | 9+0>8 (6 thinking) | id c1 | model tiny.gguf",
		},
	},
	{
		name: "C.4 the last usage wins",
		replies: stream(
			counted({ prompt_tokens: 9, completion_tokens: 1 }),
			text("a"),
			counted({ prompt_tokens: 9, completion_tokens: 3 }),
			STOP,
			DONE,
		),
		ours: {
			events: "start | text_start 0 | text 0 a | text_end 0 | done stop",
			message: "text a | stop | 9+0>3 | id c1 | model tiny.gguf",
		},
	},
	{
		name: "C.4 usage of a choice, and of null at the top",
		replies: stream(
			frame({
				...{ ...HEAD, usage: null },
				choices: [
					{
						...{ index: 0, delta: { content: "a" }, finish_reason: "stop" },
						usage: { prompt_tokens: 9, completion_tokens: 2 },
					},
				],
			}),
			DONE,
		),
		ours: {
			events: "start | text_start 0 | text 0 a | text_end 0 | done stop",
			message: "text a | stop | 9+0>2 | id c1 | model tiny.gguf",
		},
	},
	{
		name: "C.4 no usage, but llama-server's timings",
		replies: stream(
			frame({ ...HEAD, choices: [{ index: 0, delta: { content: "a" } }], timings: TIMINGS }),
			STOP,
			DONE,
		),
		ours: {
			events: "start | text_start 0 | text 0 a | text_end 0 | done stop",
			message: "text a | stop | 10+90>7 | id c1 | model tiny.gguf",
		},
		better: "the timings have the tokens, which pi compacts by",
		newest: { message: "text a | stop | id c1 | model tiny.gguf" },
	},
	{
		name: "C.4 no usage at all",
		replies: stream(text("abcdefg"), STOP, DONE),
		ours: {
			events: "start | text_start 0 | text 0 abcdefg | text_end 0 | done stop",
			message: "text abcdefg | stop | 23+0>2 | id c1 | model tiny.gguf",
		},
		better: "pi compacts by these numbers: an estimate beats a zero",
		newest: { message: "text abcdefg | stop | id c1 | model tiny.gguf" },
	},
	{
		name: "C.4 usage of an answer that was aborted (D tokens)",
		abort: "text_delta",
		replies: [
			{
				pieces: [
					frame({ ...HEAD, choices: [{ index: 0, delta: { content: "a" } }], timings: TIMINGS }),
				],
				end: "hold",
			},
		],
		ours: {
			events: "start | text_start 0 | text 0 a | text_end 0 | error aborted",
			message: "text a | aborted | 10+90>7 | id c1 | model tiny.gguf",
		},
		better: "the timings tell what the aborted answer took",
		newest: { message: "text a | aborted | id c1 | model tiny.gguf" },
	},
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
			message: "text a | stop | 10+90>7 | id c1 | model tiny.gguf",
		},
	},
	{
		name: "C.5 eos",
		replies: finished("eos"),
		ours: {
			events: "start | text_start 0 | text 0 a | text_end 0 | done stop",
			message: "text a | stop | 10+90>7 | id c1 | model tiny.gguf",
		},
		better: "some servers call the end of an answer so",
		newest: {
			events: "start | text_start 0 | text 0 a | text_end 0 | error error",
			message: "text a | error: Provider finish_reason: eos | 10+90>7 | id c1 | model tiny.gguf",
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
			message: "text a | toolUse | 10+90>7 | id c1 | model tiny.gguf",
		},
	},
	{
		name: "C.5 content_filter",
		replies: finished("content_filter"),
		ours: {
			events: "start | text_start 0 | text 0 a | text_end 0 | error error",
			message:
				"text a | error: Provider finish_reason: content_filter | 10+90>7 | id c1 | model tiny.gguf",
		},
	},
	{
		name: "C.5 network_error",
		replies: finished("network_error"),
		ours: {
			events: "start | text_start 0 | text 0 a | text_end 0 | error error",
			message:
				"text a | error: Provider finish_reason: network_error | tries again | 10+90>7 | id c1 | model tiny.gguf",
		},
	},
	{
		name: "C.5 a reason that nobody knows",
		replies: finished("bored"),
		ours: {
			events: "start | text_start 0 | text 0 a | text_end 0 | error error",
			message: "text a | error: Provider finish_reason: bored | 10+90>7 | id c1 | model tiny.gguf",
		},
	},
	{
		name: "C.5 stop although there are calls",
		replies: stream(opened(0, "a", "read", "{}"), end("stop")),
		ours: {
			events: "start | toolcall_start 0 | toolcall 0 {} | toolcall_end 0 | done toolUse",
			message: "call a read {} | toolUse | 10+90>7 | id c1 | model tiny.gguf",
		},
		better: "whoever looks at the reason must see that tools are to be run",
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
];
