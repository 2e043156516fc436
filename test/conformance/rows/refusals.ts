import type { Row } from "../runner/scenario.ts";
import { refusal } from "../runner/wire.ts";

const error = (code: number, message: string, type = "server_error"): Row["replies"] =>
	refusal(code, { error: { code, message, type } });
const HTML = { "content-type": "text/html" };

/** C.7: answers that are no 2xx, and what pi concludes from the words. */
export const REFUSALS: readonly Row[] = [
	{
		name: "C.7 400, the context is too small (D context-overflow)",
		replies: refusal(400, {
			error: {
				code: 400,
				type: "exceed_context_size_error",
				n_prompt_tokens: 15_024,
				n_ctx: 4096,
				message: "request (15024 tokens) exceeds the available context size (4096 tokens)",
			},
		}),
		ours: {
			events: "error error",
			message:
				"error: 400: request (15024 tokens) exceeds the available context size (4096 tokens) | compacts",
		},
		better: "the server's words without the JSON around them",
		newest: {
			message:
				'error: 400: {"code":400,"type":"exceed_context_size_error","n_prompt_tokens":15024,"n_ctx":4096,"message":"request (15024 tokens) exceeds the available context size (4096 tokens)"} | compacts',
		},
	},
	{
		name: "C.7 400, the context is too small, in other words",
		replies: error(400, "Context size has been exceeded.", "exceed_context_size_error"),
		ours: {
			events: "error error",
			message: "error: 400: Context size has been exceeded. (context_length_exceeded) | compacts",
		},
		better: "pi recognises the overflow, and compacts",
		newest: {
			message:
				'error: 400: {"code":400,"message":"Context size has been exceeded.","type":"exceed_context_size_error"}',
		},
	},
	{
		name: "C.7 400 with a number that looks like a status",
		replies: error(400, "n_predict of 15024 is more than 8192", "invalid_request_error"),
		ours: {
			events: "error error",
			message: "error: 400: n_predict of 15024 is more than 8192",
		},
		better: "no JSON; and pi 1.3.0 takes a number inside a longer one for a status",
		newest: {
			message:
				'error: 400: {"code":400,"message":"n_predict of 15024 is more than 8192","type":"invalid_request_error"}',
		},
		oldest: {
			message:
				'error: 400: {"code":400,"message":"n_predict of 15024 is more than 8192","type":"invalid_request_error"} | tries again',
		},
	},
	{
		name: "C.7 400, a message that the server cannot take",
		replies: error(400, "Failed to parse messages: invalid role", "invalid_request_error"),
		ours: { events: "error error", message: "error: 400: Failed to parse messages: invalid role" },
		better: "the server's words without the JSON around them",
		newest: {
			message:
				'error: 400: {"code":400,"message":"Failed to parse messages: invalid role","type":"invalid_request_error"}',
		},
	},
	{
		name: "C.7 500, an image for a model without projector",
		replies: error(500, "image input is not supported - hint: you may need to provide the mmproj"),
		ours: {
			events: "error error",
			message:
				"error: The model's server rejected this request: image input is not supported - hint: you may need to provide the mmproj. Go back before it with /tree, or give the model its mmproj file",
		},
		better: "no second try can help, and it says what does",
		newest: {
			message:
				'error: 500: {"code":500,"message":"image input is not supported - hint: you may need to provide the mmproj","type":"server_error"} | tries again',
		},
	},
	{
		name: "C.7 500, arguments in the history that are no JSON",
		replies: error(
			500,
			"Failed to parse tool call arguments as JSON: [json.exception.parse_error.101] oops",
		),
		ours: {
			events: "error error",
			message:
				"error: The model's server rejected this request: Failed to parse tool call arguments as JSON: oops. Go back before that call with /tree",
		},
		better: "no second try can help, and it says what does",
		newest: {
			message:
				'error: 500: {"code":500,"message":"Failed to parse tool call arguments as JSON: [json.exception.parse_error.101] oops","type":"server_error"} | tries again',
		},
	},
	{
		name: "C.7 500 for another reason",
		replies: error(500, "Compute error."),
		ours: { events: "error error", message: "error: 500: Compute error. | tries again" },
		better: "the server's words without the JSON around them",
		newest: {
			message:
				'error: 500: {"code":500,"message":"Compute error.","type":"server_error"} | tries again',
		},
	},
	{
		name: "C.7 503 while the model is loaded",
		replies: error(503, "Loading model", "unavailable_error"),
		ours: { events: "error error", message: "error: 503: Loading model | tries again" },
		better: "the server's words without the JSON around them",
		newest: {
			message:
				'error: 503: {"code":503,"message":"Loading model","type":"unavailable_error"} | tries again',
		},
	},
	{
		name: "C.7 404, llama-swap does not know the model",
		replies: refusal(404, { error: "no router for requested model" }),
		ours: {
			events: "error error",
			message:
				"error: The server does not know the model tiny (no router for requested model). List the models again: /ai-server-refresh",
		},
		better: "says what to do",
		newest: { message: 'error: 404 "no router for requested model"' },
	},
	{
		name: "C.7 400, an older llama-swap does not know the model",
		replies: refusal(400, "could not find suitable inference handler for tiny", {
			"content-type": "text/plain",
		}),
		ours: {
			events: "error error",
			message:
				"error: The server does not know the model tiny (could not find suitable inference handler for tiny). List the models again: /ai-server-refresh",
		},
		better: "says what to do",
		newest: { message: "error: 400 could not find suitable inference handler for tiny" },
	},
	{
		name: "C.7 404, no chat at this address",
		replies: refusal(404, "404 page not found\n", { "content-type": "text/plain" }),
		ours: {
			events: "error error",
			message:
				"error: The server has no chat API at this URL (404 page not found). Check the URL (AI_SERVER_URL)",
		},
		better: "says what to do",
		newest: { message: "error: 404 404 page not found\n" },
	},
	{
		name: "C.7 401",
		replies: refusal(401, { error: { message: "Invalid API Key", type: "authentication_error" } }),
		ours: {
			events: "error error",
			message:
				"error: The server rejected the API key (Invalid API Key). Check the API key (AI_SERVER_API_KEY)",
		},
		better: "says what to do",
		newest: { message: 'error: 401: {"message":"Invalid API Key","type":"authentication_error"}' },
	},
	{
		name: "C.7 429",
		wordless: true,
		replies: refusal(429, "Too many requests", { "content-type": "text/plain" }),
		ours: { events: "error error", message: "error: ... | tries again" },
	},
	{
		name: "C.7 413",
		wordless: true,
		replies: refusal(413, "", {}),
		ours: { events: "error error", message: "error: ... | compacts" },
		oldest: { message: "error: ..." },
	},
	{
		name: "C.7 500 without a body",
		wordless: true,
		replies: refusal(500, "", {}),
		ours: { events: "error error", message: "error: ... | tries again" },
	},
	{
		name: "C.7 502, the model did not start",
		replies: refusal(502, "unable to start process: upstream command exited prematurely", {
			"content-type": "text/plain",
		}),
		ours: {
			events: "error error",
			message:
				"error: The model tiny could not be loaded (unable to start process: upstream command exited prematurely). Check the model's log on the server",
		},
		better: "no second try can help, and it says where to look",
		newest: {
			message:
				"error: 502 unable to start process: upstream command exited prematurely | tries again",
		},
	},
	{
		name: "C.7 502, a proxy's page",
		replies: refusal(
			502,
			"<html><head><title>502 Bad Gateway</title></head><body><h1>502 Bad Gateway</h1></body></html>",
			HTML,
		),
		ours: { events: "error error", message: "error: 502: 502 Bad Gateway | tries again" },
		better: "one line instead of a page of HTML",
		newest: {
			message:
				"error: 502 <html><head><title>502 Bad Gateway</title></head><body><h1>502 Bad Gateway</h1></body></html> | tries again",
		},
	},
	{
		name: "C.7 504, a proxy's empty answer",
		replies: refusal(504, "", {}),
		ours: {
			events: "error error",
			message:
				"error: 504: the proxy answers, but llama-swap or the model behind it does not | tries again",
		},
		better: "says who does not answer",
		newest: { message: "error: 504 status code (no body) | tries again" },
	},
	{
		name: "C.7 302 to a login page",
		watch: ["requests"],
		replies: refusal(302, "", { location: "/login" }),
		ours: {
			events: "error error",
			message:
				"error: The server redirects chat requests (302). Set the URL to the address that it redirects to (AI_SERVER_URL)",
			wire: "1 requests",
		},
		better: "the chat is not sent to another address, and the error says so",
		newest: {
			events: "start | error error",
			message: "error: Stream ended without finish_reason | tries again",
		},
	},
	{
		name: "C.7 a body of 6,000 characters",
		replies: refusal(500, `it broke: ${"x".repeat(6000)}`, { "content-type": "text/plain" }),
		ours: {
			events: "error error",
			message:
				"error: 500: it broke: xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx... (1029 characters) ...xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx... | tries again",
		},
		better: "no more of it than a person reads",
		newest: {
			message:
				"error: 500 it broke: xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx... (6035 characters) ...xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx | tries again",
		},
	},
	{
		name: "C.7 words with control characters",
		replies: error(500, "\u001b[31mred\u001b[0m\u0007 alarm"),
		ours: { events: "error error", message: "error: 500: red alarm | tries again" },
		better: "nothing in it can reach the terminal",
		newest: {
			message:
				'error: 500: {"code":500,"message":"\\u001b[31mred\\u001b[0m\\u0007 alarm","type":"server_error"} | tries again',
		},
	},
	{
		name: "C.7 an error without the key error",
		replies: refusal(400, { message: "bad thing" }),
		ours: { events: "error error", message: "error: 400: bad thing" },
		better: "the server's words without the JSON around them",
		newest: { message: 'error: 400: {"message":"bad thing"}' },
	},
	{
		name: "C.7 an error in detail",
		replies: refusal(422, { detail: [{ msg: "field required" }] }),
		ours: { events: "error error", message: 'error: 422: [{"msg":"field required"}]' },
		better: "the server's words without the JSON around them",
		newest: { message: 'error: 422 {"detail":[{"msg":"field required"}]}' },
	},
	{
		name: "C.7 an error that is half JSON",
		wordless: true,
		replies: refusal(500, '{"error":{"message":"cut of'),
		ours: { events: "error error", message: "error: ... | tries again" },
	},
];
