import { calls, coded, count, ended, fine, part, refused, type Script, words } from "./answers.ts";

/** How a turn must end. */
export interface Right {
	readonly stop: "stop" | "toolUse" | "length" | "error";
	readonly text?: string;
	readonly calls?: readonly (readonly [string, unknown])[];
	readonly overflow?: boolean;
	/** A pattern of the error. */
	readonly err?: string;
	readonly err_not?: string;
	readonly input_at_least?: number;
}

export interface Case {
	readonly id: string;
	readonly script: Script;
	/** Undefined for the cases of the fixture, which says it itself. */
	readonly right?: Right;
}

const say =
	(body: string): Script =>
	() => ({ body });
const refuse =
	(status: number, body: unknown): Script =>
	() =>
		refused(status, body);
const call = (name: string, args: string, more: object = {}): object => ({
	index: 0,
	function: { name, arguments: args },
	...more,
});
const bare = (message: string, code = 400): object => ({
	object: "error",
	message,
	type: "BadRequestError",
	param: null,
	code,
});
const zero = { prompt_tokens: 0, completion_tokens: 0, total_tokens: 0 };
const page = (title: string): string =>
	`<html><head><title>${title}</title></head><body><h1>${title}</h1><hr>nginx</body></html>`;
const overflow: Right = { stop: "error", overflow: true };
const hi = words("hi") + ended();

/** The scripts of test/fixtures/cases/stream.json. */
const GIVEN: readonly Case[] = [
	{
		id: "calls_without_ids",
		script: say(calls(call("f", '{"x":1}')) + calls(call("g", '{"y":2}')) + ended("tool_calls")),
	},
	{
		id: "call_at_two_indexes",
		script: say(
			calls(call("f", "", { id: "a" })) +
				calls({ index: 0, id: "a", function: { arguments: '{"x":' } }) +
				calls({ index: 1, id: "a", function: { arguments: "1}" } }) +
				ended("tool_calls"),
		),
	},
	{
		id: "usage_all_zero",
		script: say(
			words("hello") +
				part({}, "stop") +
				count({
					usage: zero,
					timings: { cache_n: 4, prompt_n: 100, predicted_n: 7, prompt_ms: 1, predicted_ms: 1 },
				}) +
				"data: [DONE]\n\n",
		),
	},
	{
		id: "usage_prompt_zero",
		script: say(
			words("hello") +
				part({}, "stop") +
				count({ usage: { ...zero, completion_tokens: 5, total_tokens: 5 } }) +
				"data: [DONE]\n\n",
		),
	},
	{
		id: "shift_in_stream",
		script: say(
			`${words("par")}data: {"error":{"code":500,"message":"context shift is disabled","type":"server_error"}}\n\n`,
		),
	},
	{
		id: "shift_500",
		script: refuse(500, {
			error: { code: 500, message: "context shift is disabled", type: "server_error" },
		}),
	},
	{ id: "vllm_top_level", script: refuse(400, bare("The temperature must be at most 2.")) },
	{
		id: "vllm_overflow",
		script: refuse(
			400,
			bare(
				"The decoder prompt (length 40000) is longer than the maximum model length of 32768. Make sure that `max_model_len` is no smaller than the number of text tokens.",
			),
		),
	},
	{
		id: "tabby_overflow",
		script: refuse(400, { detail: "Prompt length 40000 is greater than max_seq_len 32768" }),
	},
	{ id: "coded_gzip", script: () => coded("gzip", hi) },
	{ id: "coded_br", script: () => coded("br", hi) },
	{
		id: "done_after_two_blanks",
		script: say(`${words("a")}${part({}, "stop")}data:  [DONE]\n\n`),
	},
	{ id: "ping_event", script: say(`event: ping\ndata: ping\n\n${words("a")}${ended()}`) },
];

/** Further inputs of the same kinds. */
const OTHERS: readonly Case[] = [
	{
		id: "same_tool_twice_without_ids",
		script: say(
			calls(call("f", '{"x":')) +
				calls({ index: 0, function: { arguments: "1}" } }) +
				calls(call("f", "")) +
				calls({ index: 0, function: { arguments: '{"x":2}' } }) +
				ended("tool_calls"),
		),
		right: {
			stop: "toolUse",
			calls: [
				["f", { x: 1 }],
				["f", { x: 2 }],
			],
		},
	},
	{
		id: "a_call_without_arguments_then_another",
		script: say(calls(call("f", "")) + calls(call("g", '{"y":2}')) + ended("tool_use")),
		right: {
			stop: "toolUse",
			calls: [
				["f", {}],
				["g", { y: 2 }],
			],
		},
	},
	{
		id: "one_id_for_two_calls",
		script: say(
			calls(call("f", '{"x":1}', { id: "call_0" })) +
				calls(call("g", '{"y":2}', { index: 1, id: "call_0" })) +
				ended("tool_calls"),
		),
		right: {
			stop: "toolUse",
			calls: [
				["f", { x: 1 }],
				["g", { y: 2 }],
			],
		},
	},
	{
		id: "two_indexes_then_no_id",
		script: say(
			calls(call("f", '{"x"', { id: "a" })) +
				calls({ index: 1, id: "a", function: { arguments: ":" } }) +
				calls({ index: 1, function: { arguments: "1}" } }) +
				ended("stop"),
		),
		right: { stop: "toolUse", calls: [["f", { x: 1 }]] },
	},
	{
		id: "call_without_a_name",
		script: say(calls({ index: 0, id: "a", function: { arguments: "{}" } }) + ended("tool_calls")),
		right: { stop: "error", err: "tool call without a name" },
	},
	{
		id: "timings_alone_count",
		script: say(
			words("hello") +
				part({}, "stop") +
				count({ usage: null, timings: { cache_n: 60, prompt_n: 3, predicted_n: 7 } }) +
				"data: [DONE]\n\n",
		),
		right: { stop: "stop", text: "hello", input_at_least: 63 },
	},
	{
		id: "zeros_everywhere",
		script: say(
			words("hello") +
				part({}, "stop") +
				count({ usage: zero, timings: { cache_n: 0, prompt_n: 0, predicted_n: 0 } }) +
				"data: [DONE]\n\n",
		),
		right: { stop: "stop", text: "hello", input_at_least: 50 },
	},
	...Object.entries({
		sglang: "The input (40000 tokens) is longer than the model's context length (32768 tokens).",
		vllm_new:
			"This model's maximum context length is 32768 tokens. However, your request has 40000 input tokens. Please reduce the length of the input messages.",
		lmdeploy: "The input token length 40000 is larger than session_len 32768",
		mlc: "Request prompt has 40000 tokens in total, larger than the model input length limit 32768.",
		tgi: "Input validation error: `inputs` tokens + `max_new_tokens` must be <= 4096. Given: 4100 `inputs` tokens and 20 `max_new_tokens`",
		exllama: "Prompt exceeds max_seq_len of 32768",
	}).map(([name, message]) => ({
		id: `overflow_${name}`,
		script: refuse(400, bare(message)),
		right: overflow,
	})),
	{
		id: "shift_as_plain_text",
		script: refuse(500, "context shift is disabled"),
		right: overflow,
	},
	{
		id: "shift_named_event",
		script: say(
			`${words("par")}event: error\ndata: {"message":"context shift is disabled","code":500}\n\n`,
		),
		right: { ...overflow, text: "par" },
	},
	{
		id: "bare_error_in_stream",
		script: say(
			`${words("par")}data: ${JSON.stringify(bare("The temperature must be at most 2."))}\n\n`,
		),
		right: { stop: "error", text: "par", err: "temperature must be at most 2", err_not: "[{}]" },
	},
	{
		id: "unknown_model_of_vllm",
		script: refuse(404, bare("The model `q` does not exist.", 404)),
		right: { stop: "error", err: "does not know the model", err_not: "no chat API|Check the URL" },
	},
	...["deflate", "raw deflate", "zstd"].map((coding) => ({
		id: `coded_${coding.replace(" ", "_")}`,
		script: () => coded(coding, hi),
		right: { stop: "stop", text: "hi" } as const,
	})),
	{
		id: "coded_refusal",
		script: () => ({ status: 400, ...coded("gzip", JSON.stringify({ detail: "no such thing" })) }),
		right: { stop: "error", err: "no such thing" },
	},
	{
		id: "coded_unknown",
		script: () => ({ headers: { "content-encoding": "compress" }, body: "xx" }),
		right: { stop: "error", err: "proxy compresses" },
	},
	{
		id: "junk_after_the_finish",
		script: say(`${words("a")}${part({}, "stop")}data: bye\n\n`),
		right: { stop: "stop", text: "a" },
	},
	{
		id: "keepalive_event",
		script: say(
			`event: keepalive\ndata: {"type":"ping"}\n\n${words("a")}event: message\n${ended()}`,
		),
		right: { stop: "stop", text: "a" },
	},
	...["eos_token", "stop_sequence", "end_turn", "STOP"].map((reason) => ({
		id: `finish_${reason}`,
		script: say(words("a") + ended(reason)),
		right: { stop: "stop", text: "a" } as const,
	})),
	{
		id: "finish_tool_use",
		script: say(calls(call("f", '{"x":1}')) + ended("tool_use")),
		right: { stop: "toolUse", calls: [["f", { x: 1 }]] },
	},
	{
		id: "proxy_403",
		script: () => ({
			status: 403,
			headers: { "content-type": "text/html" },
			body: page("403 Forbidden"),
		}),
		right: {
			stop: "error",
			err: "proxy in front of the server refused.*403 Forbidden",
			err_not: "API key",
		},
	},
	{
		id: "proxy_401",
		script: () => ({
			status: 401,
			headers: { "content-type": "text/html" },
			body: page("401 Authorization Required"),
		}),
		right: { stop: "error", err: "proxy in front of the server refused", err_not: "API key" },
	},
	{
		id: "proxy_404",
		script: () => ({
			status: 404,
			headers: { "content-type": "text/html" },
			body: page("404 Not Found"),
		}),
		right: { stop: "error", err: "proxy has no chat API at this URL.*404 Not Found" },
	},
	{
		id: "server_401",
		script: refuse(401, { error: { message: "Invalid API Key", code: 401 } }),
		right: { stop: "error", err: "rejected the API key" },
	},
	{
		id: "busy_for_a_second",
		script: (_body, nth) =>
			nth === 1
				? { ...refused(429, { error: { message: "slow down" } }), headers: { "retry-after": "1" } }
				: { body: fine },
		right: { stop: "stop", text: "fine" },
	},
];

export const CASES: readonly Case[] = [...GIVEN, ...OTHERS];
