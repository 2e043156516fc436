import type { Row } from "../runner/scenario.ts";
import { delta, end, OK, SAYS_OK, stream, text } from "../runner/wire.ts";
import { system, tool, user } from "./history.ts";

const replies = OK;
const THINKS = { reasoning: true, maxTokens: 32_000 } satisfies Row["model"];
const THINKING = ["chat_template_kwargs", "reasoning_effort", "thinking_budget_tokens"];
const WITH_TOOL = [system("P", { toolsAdded: [tool("read")] }), user("Hi")];

/** B: the rest of the request, its hooks, patience and abort. */
export const REQUESTS: readonly Row[] = [
	{
		name: "B.1 the whole body",
		keys: ["all"],
		replies,
		ours: {
			...SAYS_OK,
			body: [
				'{"role":"system","content":"Be brief."}',
				'{"role":"user","content":"Hi"}',
				"cache_prompt: true",
				'model: "tiny"',
				"return_progress: true",
				"stream: true",
				'stream_options: {"include_usage":true}',
				"timings_per_token: true",
			],
		},
		better: "asks llama-server to reuse its cache, and for progress and speed",
		newest: {
			body: [
				'{"role":"system","content":"Be brief."}',
				'{"role":"user","content":"Hi"}',
				'model: "tiny"',
				"stream: true",
				'stream_options: {"include_usage":true}',
			],
		},
	},
	{
		name: "B.1 a limit that the caller sets",
		options: { maxTokens: 77 },
		replies,
		ours: {
			...SAYS_OK,
			body: [
				'{"role":"system","content":"Be brief."}',
				'{"role":"user","content":"Hi"}',
				"max_tokens: 77",
			],
		},
	},
	{
		name: "B.1 a limit above the model's own",
		options: { maxTokens: 5000 },
		replies,
		ours: {
			...SAYS_OK,
			body: [
				'{"role":"system","content":"Be brief."}',
				'{"role":"user","content":"Hi"}',
				"max_tokens: 5000",
			],
		},
	},
	{
		name: "B.1 a window that is small from the start",
		model: { contextWindow: 4096, maxTokens: 4096 },
		replies,
		ours: {
			...SAYS_OK,
			body: ['{"role":"system","content":"Be brief."}', '{"role":"user","content":"Hi"}'],
		},
		better: "an answer of one token is none",
		newest: {
			body: [
				'{"role":"system","content":"Be brief."}',
				'{"role":"user","content":"Hi"}',
				"max_tokens: 1",
			],
		},
	},
	{
		name: "B.1 a window that is nearly full",
		messages: [user("word ".repeat(5600))],
		model: { contextWindow: 8192, maxTokens: 8192 },
		replies,
		ours: {
			...SAYS_OK,
			body: [
				'{"role":"user","content":"word word word word word word word word word word word word word word word... (28028 characters)',
			],
		},
		better: "an answer of one token is none",
		newest: {
			body: [
				'{"role":"user","content":"word word word word word word word word word word word word word word word... (28028 characters)',
				"max_tokens: 1",
			],
		},
	},
	{
		name: "B.1 a temperature",
		options: { temperature: 0.2 },
		replies,
		ours: {
			...SAYS_OK,
			body: [
				'{"role":"system","content":"Be brief."}',
				'{"role":"user","content":"Hi"}',
				"temperature: 0.2",
			],
		},
	},
	{
		name: "B.1 the choice of tools: none",
		messages: WITH_TOOL,
		options: { toolChoice: "none" },
		replies,
		ours: {
			...SAYS_OK,
			body: [
				'{"role":"system","content":"P"}',
				'{"role":"user","content":"Hi"}',
				'{"type":"function","function":{"name":"read","description":"Runs read","parameters":{"type":"object","properties":{"x":{"type":"number"}},"required":["x"]}}}',
				'tool_choice: "none"',
			],
		},
	},
	{
		name: "B.1 the choice of tools: auto (D openai-completions-tool-choice)",
		messages: WITH_TOOL,
		options: { toolChoice: "auto" },
		replies,
		ours: {
			...SAYS_OK,
			body: [
				'{"role":"system","content":"P"}',
				'{"role":"user","content":"Hi"}',
				'{"type":"function","function":{"name":"read","description":"Runs read","parameters":{"type":"object","properties":{"x":{"type":"number"}},"required":["x"]}}}',
				'tool_choice: "auto"',
			],
		},
	},
	{
		name: "B.1 thinking off",
		model: THINKS,
		keys: THINKING,
		replies,
		ours: {
			...SAYS_OK,
			body: [
				'{"role":"system","content":"Be brief."}',
				'{"role":"user","content":"Hi"}',
				"max_tokens: 32000",
				'chat_template_kwargs: {"enable_thinking":false,"preserve_thinking":true}',
			],
		},
	},
	{
		name: "B.1 thinking on",
		model: THINKS,
		options: { reasoning: "low" },
		keys: THINKING,
		replies,
		ours: {
			...SAYS_OK,
			body: [
				'{"role":"system","content":"Be brief."}',
				'{"role":"user","content":"Hi"}',
				"max_tokens: 32000",
				'chat_template_kwargs: {"enable_thinking":true,"preserve_thinking":true}',
				"thinking_budget_tokens: 2048",
			],
		},
		better: "the level is a budget of tokens, so that it makes a difference",
		newest: {
			body: [
				'{"role":"system","content":"Be brief."}',
				'{"role":"user","content":"Hi"}',
				"max_tokens: 32000",
				'chat_template_kwargs: {"enable_thinking":true,"preserve_thinking":true}',
			],
		},
	},
	{
		name: "B.1 a thinking level for a model that does not think",
		options: { reasoning: "low" },
		keys: THINKING,
		replies,
		ours: {
			...SAYS_OK,
			body: ['{"role":"system","content":"Be brief."}', '{"role":"user","content":"Hi"}'],
		},
	},
	{
		name: "B.1 sampling parameters have the last word",
		model: { samplingParams: { top_k: 20, max_tokens: 55 } },
		options: { samplingParams: { top_k: 30, min_p: 0.1 } },
		keys: ["top_k", "min_p"],
		replies,
		ours: {
			...SAYS_OK,
			body: [
				'{"role":"system","content":"Be brief."}',
				'{"role":"user","content":"Hi"}',
				"max_tokens: 55",
				"top_k: 30",
				"min_p: 0.1",
			],
		},
	},
	{
		name: "B.2 headers",
		options: { sessionId: "s1" },
		watch: ["authorization", "accept", "accept-encoding", "x-session-id", "x-stainless-lang"],
		replies,
		ours: {
			...SAYS_OK,
			body: ['{"role":"system","content":"Be brief."}', '{"role":"user","content":"Hi"}'],
			wire: "authorization: none, accept: text/event-stream, accept-encoding: identity, x-session-id: s1, x-stainless-lang: none",
		},
		better:
			"no key that is not needed, no compression that delays events, the session for llama-swap's page",
		newest: {
			wire: "authorization: Bearer placeholder, accept: application/json, accept-encoding: gzip, deflate, x-session-id: none, x-stainless-lang: js",
		},
	},
	{
		name: "B.2 headers: the caller's over the model's, null takes one away",
		model: { headers: { "x-a": "model", "x-b": "model", "x-c": "model" } },
		options: { headers: { "X-B": "caller", "x-c": null } },
		watch: ["x-a", "x-b", "x-c"],
		replies,
		ours: {
			...SAYS_OK,
			body: ['{"role":"system","content":"Be brief."}', '{"role":"user","content":"Hi"}'],
			wire: "x-a: model, x-b: caller, x-c: none",
		},
	},
	{
		name: "B.2 hooks: the request, the head, every event",
		watch: ["hooks"],
		replies: stream(text("a"), text("b"), end()),
		ours: {
			events: "start | text_start 0 | text 0 ab | text_end 0 | done stop",
			message: "text ab | stop | 10+90>7 | id c1 | model tiny.gguf",
			wire: "onPayload, onResponse 200, 4 chunks",
		},
	},
	{
		name: "B.2 the request that onPayload gives back is sent",
		replace: { temperature: 0.9, top_k: 7 },
		keys: ["top_k"],
		replies,
		ours: {
			...SAYS_OK,
			body: [
				'{"role":"system","content":"Be brief."}',
				'{"role":"user","content":"Hi"}',
				"temperature: 0.9",
				"top_k: 7",
			],
		},
	},
	{
		name: "B.2 no head hook for a refusal",
		wordless: true,
		watch: ["hooks"],
		replies: [{ status: 400, pieces: ["{}"] }],
		ours: { events: "error error", message: "error: ...", wire: "onPayload, 0 chunks" },
	},
	{
		name: "B.3 a server that never answers",
		patience: 1000,
		watch: ["connection"],
		replies: [{ pieces: [], end: "silent" }],
		ours: {
			events: "error error",
			message:
				"error: The server sent nothing for 1 s (timed out). If the model needs longer to load, raise the limit (AI_SERVER_TIMEOUT_MS) | tries again",
			wire: "the turn ended first",
		},
		better: "says how long it waited and what to do",
		newest: { message: "error: Request timed out.: This operation was aborted (20) | tries again" },
		oldest: { message: "error: Request timed out. | tries again" },
	},
	{
		name: "B.3 a server that falls silent in mid-stream",
		patience: 1000,
		watch: ["connection"],
		replies: [{ pieces: [text("half")], end: "hold" }],
		ours: {
			events: "start | text_start 0 | text 0 half | text_end 0 | error error",
			message:
				"text half | error: The server sent nothing for 1 s (timed out). If the model needs longer to load, raise the limit (AI_SERVER_TIMEOUT_MS) | tries again | id c1 | model tiny.gguf",
			wire: "the turn ended first",
		},
		better: "the limit holds for the whole answer, not only until its head",
		newest: {
			message:
				"text half | error: Stream ended without finish_reason | tries again | id c1 | model tiny.gguf",
			wire: "the server closed it first",
		},
	},
	{
		name: "B.3 a server that thinks after its head",
		watch: ["connection"],
		abort: "text_delta",
		replies: [{ pieces: [": wait\n\n", ": wait\n\n", text("half")], end: "hold" }],
		ours: {
			events: "start | text_start 0 | text 0 half | text_end 0 | error aborted",
			message: "text half | aborted | id c1 | model tiny.gguf",
			wire: "the turn ended first",
		},
	},
	{
		name: "B.3 an abort before the call (D abort)",
		abort: "before",
		watch: ["requests"],
		replies,
		ours: { events: "error aborted", message: "aborted", wire: "0 requests" },
		oldest: { events: "error error", message: "error: This operation was aborted" },
	},
	{
		name: "B.3 an abort while the head is awaited",
		abort: "pending",
		watch: ["connection"],
		replies: [{ pieces: [], end: "silent" }],
		ours: { events: "error aborted", message: "aborted", wire: "the turn ended first" },
	},
	{
		name: "B.3 an abort in the thinking",
		abort: "thinking_delta",
		watch: ["connection"],
		replies: [{ pieces: [delta({ reasoning_content: "hm" })], end: "hold" }],
		ours: {
			events: "start | thinking_start 0 | thinking 0 hm | thinking_end 0 | error aborted",
			message: "thinking(reasoning_content) hm | aborted | id c1 | model tiny.gguf",
			wire: "the turn ended first",
		},
	},
];
