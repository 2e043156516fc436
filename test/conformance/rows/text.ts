import type { Row } from "../runner/scenario.ts";
import { DONE, delta, end, frame, loading, stream, text, USAGE } from "../runner/wire.ts";

const thought = (words: string): string => delta({ reasoning_content: words });
const HEAD = { id: "c1", model: "tiny.gguf", created: 1 };

/** C.2: text and reasoning. */
export const TEXT: readonly Row[] = [
	{
		name: "C.2 text in several deltas",
		replies: stream(delta({ role: "assistant", content: null }), text("Hel"), text("lo"), end()),
		ours: {
			events: "start | text_start 0 | text 0 Hello | text_end 0 | done stop",
			message: "text Hello | stop | 10+90>7 | id c1 | model tiny.gguf",
		},
	},
	{
		name: "C.2 thinking, then text",
		replies: stream(thought("h"), thought("m"), text("yes"), end()),
		ours: {
			events:
				"start | thinking_start 0 | thinking 0 hm | text_start 1 | text 1 yes | thinking_end 0 | text_end 1 | done stop",
			message:
				"thinking(reasoning_content) hm | text yes | stop | 10+90>7 | id c1 | model tiny.gguf",
		},
	},
	{
		name: "C.2 thinking and text in turns share two blocks",
		replies: stream(thought("r1"), text("t1"), thought("r2"), text("t2"), end()),
		ours: {
			events:
				"start | thinking_start 0 | thinking 0 r1 | text_start 1 | text 1 t1 | thinking 0 r2 | text 1 t2 | thinking_end 0 | text_end 1 | done stop",
			message:
				"thinking(reasoning_content) r1r2 | text t1t2 | stop | 10+90>7 | id c1 | model tiny.gguf",
		},
	},
	{
		name: "C.2 thinking and text in one event",
		replies: stream(delta({ content: "t", reasoning_content: "r" }), end()),
		ours: {
			events:
				"start | thinking_start 0 | thinking 0 r | text_start 1 | text 1 t | thinking_end 0 | text_end 1 | done stop",
			message: "thinking(reasoning_content) r | text t | stop | 10+90>7 | id c1 | model tiny.gguf",
		},
	},
	{
		name: "C.2 thinking alone",
		replies: stream(thought("hm"), end()),
		ours: {
			events: "start | thinking_start 0 | thinking 0 hm | thinking_end 0 | done stop",
			message: "thinking(reasoning_content) hm | stop | 10+90>7 | id c1 | model tiny.gguf",
		},
	},
	{
		name: "C.2 the field reasoning",
		replies: stream(delta({ reasoning: "hm" }), text("yes"), end()),
		ours: {
			events:
				"start | thinking_start 0 | thinking 0 hm | text_start 1 | text 1 yes | thinking_end 0 | text_end 1 | done stop",
			message: "thinking(reasoning) hm | text yes | stop | 10+90>7 | id c1 | model tiny.gguf",
		},
	},
	{
		name: "C.2 the field reasoning_text",
		replies: stream(delta({ reasoning_text: "hm" }), text("yes"), end()),
		ours: {
			events:
				"start | thinking_start 0 | thinking 0 hm | text_start 1 | text 1 yes | thinking_end 0 | text_end 1 | done stop",
			message: "thinking(reasoning_text) hm | text yes | stop | 10+90>7 | id c1 | model tiny.gguf",
		},
	},
	{
		name: "C.2 the same thought in two fields counts once",
		replies: stream(delta({ reasoning_content: "hm", reasoning: "hm" }), text("yes"), end()),
		ours: {
			events:
				"start | thinking_start 0 | thinking 0 hm | text_start 1 | text 1 yes | thinking_end 0 | text_end 1 | done stop",
			message:
				"thinking(reasoning_content) hm | text yes | stop | 10+90>7 | id c1 | model tiny.gguf",
		},
	},
	{
		name: "C.2 tags of thinking in the text stay text",
		replies: stream(text("<think>hm</think>"), text("yes"), end()),
		ours: {
			events: "start | text_start 0 | text 0 <think>hm</think>yes | text_end 0 | done stop",
			message: "text <think>hm</think>yes | stop | 10+90>7 | id c1 | model tiny.gguf",
		},
	},
	{
		name: "C.2 a refusal is no text",
		replies: stream(delta({ refusal: "no" }), text("yes"), end()),
		ours: {
			events: "start | text_start 0 | text 0 yes | text_end 0 | done stop",
			message: "text yes | stop | 10+90>7 | id c1 | model tiny.gguf",
		},
	},
	{
		name: "C.2 null and empty strings make no event and no block",
		replies: stream(
			delta({ role: "assistant", content: null, reasoning_content: null }),
			delta({ content: "", reasoning_content: "" }),
			text("a"),
			text(""),
			end(),
		),
		ours: {
			events: "start | text_start 0 | text 0 a | text_end 0 | done stop",
			message: "text a | stop | 10+90>7 | id c1 | model tiny.gguf",
		},
	},
	{
		name: "C.2 nothing but an end",
		replies: stream(delta({ role: "assistant", content: "" }), end()),
		ours: { events: "start | done stop", message: "stop | 10+90>7 | id c1 | model tiny.gguf" },
	},
	{
		name: "C.2 events without choices, with choices of null, without a delta",
		replies: stream(
			frame(HEAD),
			frame({ ...HEAD, choices: null }),
			frame({ ...HEAD, choices: [{}] }),
			frame({ ...HEAD, choices: [{ delta: null }] }),
			text("a"),
			end(),
		),
		ours: {
			events: "start | text_start 0 | text 0 a | text_end 0 | done stop",
			message: "text a | stop | 10+90>7 | id c1 | model tiny.gguf",
		},
	},
	{
		name: "C.2 id and model of the first event that has them",
		replies: stream(
			frame({ ...HEAD, id: "first", model: "tiny", choices: [{ delta: { content: "a" } }] }),
			frame({ ...HEAD, id: "second", model: "other", choices: [{ delta: { content: "b" } }] }),
			end(),
		),
		ours: {
			events: "start | text_start 0 | text 0 ab | text_end 0 | done stop",
			message: "text ab | stop | 10+90>7 | id first | model other",
		},
	},
	{
		name: "C.2 no id and no model at all",
		replies: stream(
			frame({ created: 1, choices: [{ delta: { content: "a" } }] }),
			frame({ created: 1, choices: [{ delta: {}, finish_reason: "stop" }] }),
			frame({ created: 1, choices: [], usage: { prompt_tokens: 23, completion_tokens: 1 } }),
			DONE,
		),
		ours: {
			events: "start | text_start 0 | text 0 a | text_end 0 | done stop",
			message: "text a | stop | 23+0>1",
		},
	},
	{
		name: "C.2 a second choice",
		replies: stream(
			frame({
				...HEAD,
				choices: [
					{ index: 0, delta: { content: "a" } },
					{ index: 1, delta: { content: "b" } },
				],
			}),
			end(),
		),
		ours: {
			events: "start | text_start 0 | text 0 a | text_end 0 | done stop",
			message: "text a | stop | 10+90>7 | id c1 | model tiny.gguf",
		},
	},
	{
		name: "C.2 llama-swap's words while it loads the model",
		replies: stream(
			loading("━━━━━\nllama-swap loading model: tiny\n"),
			loading("Done! (2.00s)\n"),
			thought("hm"),
			text("yes"),
			end(),
		),
		ours: {
			events:
				"start | thinking_start 0 | thinking 0 hm | text_start 1 | text 1 yes | thinking_end 0 | text_end 1 | done stop",
			message:
				"thinking(reasoning_content) hm | text yes | stop | 10+90>7 | id c1 | model tiny.gguf",
		},
		better: "they are no thought of the model, and must not be sent back as one",
		newest: {
			events:
				"start | thinking_start 0 | thinking 0 ━━━━━\nllama-swap loading model: tiny\nDone! (2.00s)\nhm | text_start 1 | text 1 yes | thinking_end 0 | text_end 1 | done stop",
			message:
				"thinking(reasoning_content) ━━━━━\nllama-swap loading model: tiny\nDone! (2.00s)\nhm | text yes | stop | 10+90>7 | id c1 | model tiny.gguf",
		},
	},
	{
		name: "C.2 llama-server's progress in the prompt",
		replies: stream(
			frame({
				...HEAD,
				choices: [{ index: 0, delta: { role: "assistant", content: null }, finish_reason: null }],
				prompt_progress: { total: 10, cache: 0, processed: 5, time_ms: 3 },
			}),
			text("yes"),
			end(),
		),
		ours: {
			events: "start | text_start 0 | text 0 yes | text_end 0 | done stop",
			message: "text yes | stop | 10+90>7 | id c1 | model tiny.gguf",
		},
	},
	{
		name: "C.2 emoji as one escape each for its halves",
		replies: stream(text("\ud83d\ude42 x").replace("🙂", "\\ud83d\\ude42"), text("y"), end()),
		ours: {
			events: "start | text_start 0 | text 0 🙂 xy | text_end 0 | done stop",
			message: "text 🙂 xy | stop | 10+90>7 | id c1 | model tiny.gguf",
		},
	},
	{
		name: "C.2 an id and a model that are empty",
		replies: stream(
			frame({ ...HEAD, id: "", model: "", choices: [{ delta: { content: "a" } }] }),
			text("b"),
			end(),
		),
		ours: {
			events: "start | text_start 0 | text 0 ab | text_end 0 | done stop",
			message: "text ab | stop | 10+90>7 | id c1 | model tiny.gguf",
		},
	},
	{
		name: "C.2 text as a list of parts",
		replies: stream(delta({ content: [{ type: "text", text: "a" }] }), end()),
		ours: {
			events: "start | text_start 0 | text 0 a | text_end 0 | done stop",
			message: "text a | stop | 10+90>7 | id c1 | model tiny.gguf",
		},
		better: "the text is read",
		newest: {
			events: 'start | text_start 0 | text 0 [{"type":"text","text":"a"}] | text_end 0 | done stop',
			message: "text [object Object] | stop | 10+90>7 | id c1 | model tiny.gguf",
		},
	},
	{
		name: "C.2 a message instead of a delta",
		replies: stream(
			frame({ ...HEAD, choices: [{ index: 0, message: { content: "a" }, finish_reason: null }] }),
			end(),
		),
		ours: {
			events: "start | text_start 0 | text 0 a | text_end 0 | done stop",
			message: "text a | stop | 10+90>7 | id c1 | model tiny.gguf",
		},
		better: "the text is read",
		newest: { events: "start | done stop", message: "stop | 10+90>7 | id c1 | model tiny.gguf" },
	},
	{
		name: "C.2 a whole message behind the deltas",
		replies: stream(
			text("a"),
			frame({
				...HEAD,
				choices: [{ index: 0, delta: {}, message: { content: "a" }, finish_reason: "stop" }],
			}),
			USAGE,
			DONE,
		),
		ours: {
			events: "start | text_start 0 | text 0 a | text_end 0 | done stop",
			message: "text a | stop | 10+90>7 | id c1 | model tiny.gguf",
		},
	},
	{
		name: "C.2 calls and functions of null",
		replies: stream(delta({ content: "a", tool_calls: null, function_call: null }), end()),
		ours: {
			events: "start | text_start 0 | text 0 a | text_end 0 | done stop",
			message: "text a | stop | 10+90>7 | id c1 | model tiny.gguf",
		},
	},
];
