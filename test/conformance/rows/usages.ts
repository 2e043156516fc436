import type { Row } from "../runner/scenario.ts";
import { DONE, delta, end, frame, stream, text, USAGE } from "../runner/wire.ts";

const HEAD = { id: "c1", model: "tiny.gguf", created: 1 };
const counted = (usage: unknown): string => frame({ ...HEAD, choices: [], usage });
const STOP = delta({}, "stop");
const TIMINGS = {
	cache_n: 90,
	prompt_n: 10,
	predicted_n: 7,
	prompt_per_second: 100,
	predicted_per_second: 50,
};

/** C.4: usage. */
export const USAGES: readonly Row[] = [
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
				prompt_tokens: 9,
				completion_tokens: 2,
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
				prompt_tokens: 9,
				completion_tokens: 8,
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
				...HEAD,
				usage: null,
				choices: [
					{
						index: 0,
						delta: { content: "a" },
						finish_reason: "stop",
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
		better: "the timings hold what the aborted answer took",
		newest: { message: "text a | aborted | id c1 | model tiny.gguf" },
	},
	{
		name: "C.4 usage in every event",
		replies: stream(
			frame({
				...HEAD,
				choices: [{ delta: { content: "a" } }],
				usage: { prompt_tokens: 5, completion_tokens: 1 },
			}),
			frame({
				...HEAD,
				choices: [{ delta: {}, finish_reason: "stop" }],
				usage: { prompt_tokens: 5, completion_tokens: 2 },
			}),
			DONE,
		),
		ours: {
			events: "start | text_start 0 | text 0 a | text_end 0 | done stop",
			message: "text a | stop | 5+0>2 | id c1 | model tiny.gguf",
		},
	},
	{
		name: "C.4 usage of an empty object behind a full one",
		replies: stream(
			text("a"),
			delta({}, "stop"),
			USAGE,
			frame({ ...HEAD, choices: [], usage: {} }),
			DONE,
		),
		ours: {
			events: "start | text_start 0 | text 0 a | text_end 0 | done stop",
			message: "text a | stop | 10+90>7 | id c1 | model tiny.gguf",
		},
		better: "a usage without a prompt is none, so that pi still compacts in time",
		newest: { message: "text a | stop | id c1 | model tiny.gguf" },
	},
	{
		name: "C.4 what the tokens cost",
		model: { cost: { input: 1, output: 10, cacheRead: 0.1, cacheWrite: 0 } },
		replies: stream(text("a"), end()),
		ours: {
			events: "start | text_start 0 | text 0 a | text_end 0 | done stop",
			message: "text a | stop | 10+90>7 | costs 0.000089 | id c1 | model tiny.gguf",
			body: ['{"role":"system","content":"Be brief."}', '{"role":"user","content":"Hi"}'],
		},
	},
	{
		name: "C.4 details of null",
		replies: stream(
			text("a"),
			delta({}, "stop"),
			frame({
				...HEAD,
				choices: [],
				usage: {
					prompt_tokens: 20,
					completion_tokens: 2,
					prompt_tokens_details: null,
					completion_tokens_details: null,
				},
			}),
			DONE,
		),
		ours: {
			events: "start | text_start 0 | text 0 a | text_end 0 | done stop",
			message: "text a | stop | 20+0>2 | id c1 | model tiny.gguf",
		},
	},
];
