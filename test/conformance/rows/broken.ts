import type { Row } from "../runner/scenario.ts";
import {
	DONE,
	delta,
	end,
	frame,
	loading,
	more,
	opened,
	stream,
	text,
	USAGE,
} from "../runner/wire.ts";

const LOADING = loading("━━━━━\nllama-swap loading model: tiny\n");
const OVERFLOW = {
	code: 400,
	type: "exceed_context_size_error",
	n_prompt_tokens: 9000,
	n_ctx: 4096,
	message:
		"request (9000 tokens) exceeds the available context size (4096 tokens), try increasing it",
};

/** C.6: streams that break. */
export const BROKEN: readonly Row[] = [
	{
		name: "C.6 an end without a finish reason",
		replies: stream(text("half")),
		ours: {
			events: "start | text_start 0 | text 0 half | text_end 0 | error error",
			message:
				"text half | error: Connection error: the stream ended without finish_reason; the model's server stopped, or was stopped | tries again | id c1 | model tiny.gguf",
		},
		better: "says that it was the model's server that stopped",
		newest: {
			message:
				"text half | error: Stream ended without finish_reason | tries again | id c1 | model tiny.gguf",
		},
	},
	{
		name: "C.6 [DONE] without a finish reason",
		wordless: true,
		replies: stream(text("half"), DONE),
		ours: {
			events: "start | text_start 0 | text 0 half | text_end 0 | error error",
			message: "text half | error: ... | tries again | id c1 | model tiny.gguf",
		},
	},
	{
		name: "C.6 an end inside a call",
		replies: stream(text("a"), opened(0, "a", "bash"), more(0, '{"command":"r')),
		ours: {
			events:
				'start | text_start 0 | text 0 a | toolcall_start 1 | toolcall 1 {"command":"r | text_end 0 | toolcall_end 1 | error error',
			message:
				'text a | call a bash {"command":"r"} with an argumentsError | error: Connection error: the stream ended without finish_reason; the model\'s server stopped, or was stopped | tries again | id c1 | model tiny.gguf',
		},
		better: "says that it was the model's server that stopped, and goes on showing what came",
		newest: {
			message:
				"text a | call a bash {} with an argumentsError | error: Stream ended without finish_reason | tries again | id c1 | model tiny.gguf",
		},
	},
	{
		name: "C.6 a finish reason, but no [DONE]",
		replies: stream(text("a"), delta({}, "stop"), USAGE),
		ours: {
			events: "start | text_start 0 | text 0 a | text_end 0 | done stop",
			message: "text a | stop | 10+90>7 | id c1 | model tiny.gguf",
		},
	},
	{
		name: "C.6 an end inside an event",
		replies: stream(text("half"), text("lost").slice(0, 40)),
		ours: {
			events: "start | text_start 0 | text 0 half | text_end 0 | error error",
			message:
				"text half | error: Connection error: the stream ended without finish_reason; the model's server stopped, or was stopped | tries again | id c1 | model tiny.gguf",
		},
		better: "the half event is dropped, the block is ended, and pi tries again",
		newest: {
			events: "start | text_start 0 | text 0 half | error error",
			message:
				"text half | error: Error reading response: malformed server-sent event JSON. | id c1 | model tiny.gguf",
		},
	},
	{
		name: "C.6 an end inside the event after the finish reason",
		replies: stream(text("a"), delta({}, "stop"), USAGE, 'data: {"choices":[],"us'),
		ours: {
			events: "start | text_start 0 | text 0 a | text_end 0 | done stop",
			message: "text a | stop | 10+90>7 | id c1 | model tiny.gguf",
		},
		better: "the answer was complete, so it is kept",
		newest: {
			events: "start | text_start 0 | text 0 a | error error",
			message:
				"text a | error: Error reading response: malformed server-sent event JSON. | from stop | 10+90>7 | id c1 | model tiny.gguf",
		},
	},
	{
		name: "C.6 an error as an event",
		replies: stream(
			text("half"),
			frame({ error: { code: 500, message: "Compute error.", type: "server_error" } }),
		),
		ours: {
			events: "start | text_start 0 | text 0 half | text_end 0 | error error",
			message: "text half | error: 500: Compute error. | tries again | id c1 | model tiny.gguf",
		},
		better: "the block is ended, and the code makes pi try again",
		newest: {
			events: "start | text_start 0 | text 0 half | error error",
			message: "text half | error: Compute error. | id c1 | model tiny.gguf",
		},
	},
	{
		name: "C.6 an error as an event, a string",
		replies: stream(text("half"), frame({ error: "slot crashed" })),
		ours: {
			events: "start | text_start 0 | text 0 half | text_end 0 | error error",
			message:
				"text half | error: Server error: slot crashed | tries again | id c1 | model tiny.gguf",
		},
		better: "the block is ended, no quotes, and pi tries again",
		newest: {
			events: "start | text_start 0 | text 0 half | error error",
			message: 'text half | error: "slot crashed" | id c1 | model tiny.gguf',
		},
	},
	{
		name: "C.6 an error inside a call",
		replies: stream(
			opened(0, "a", "bash", '{"command":"r'),
			frame({ error: { code: 500, message: "Compute error.", type: "server_error" } }),
		),
		ours: {
			events: 'start | toolcall_start 0 | toolcall 0 {"command":"r | toolcall_end 0 | error error',
			message:
				'call a bash {"command":"r"} with an argumentsError | error: 500: Compute error. | tries again | id c1 | model tiny.gguf',
		},
		better:
			"the call is ended, its half arguments are not taken for whole ones, and pi tries again",
		newest: {
			events: 'start | toolcall_start 0 | toolcall 0 {"command":"r | error error',
			message: 'call a bash {"command":"r"} | error: Compute error. | id c1 | model tiny.gguf',
		},
	},
	{
		name: "C.6 an error of null is none",
		replies: stream(
			frame({ id: "c1", model: "tiny.gguf", choices: [{ delta: { content: "a" } }], error: null }),
			end(),
		),
		ours: {
			events: "start | text_start 0 | text 0 a | text_end 0 | done stop",
			message: "text a | stop | 10+90>7 | id c1 | model tiny.gguf",
		},
	},
	{
		name: "C.6 an overflow as an event",
		replies: stream(frame({ error: OVERFLOW })),
		ours: {
			events: "start | error error",
			message:
				"error: request (9000 tokens) exceeds the available context size (4096 tokens), try increasing it | compacts",
		},
	},
	{
		name: "C.6 an error on a separate line, as older llama-servers write it",
		replies: stream(
			text("half"),
			'error: {"code":500,"message":"Compute error.","type":"server_error"}\n\n',
		),
		ours: {
			events: "start | text_start 0 | text 0 half | text_end 0 | error error",
			message: "text half | error: 500: Compute error. | tries again | id c1 | model tiny.gguf",
		},
		better: "the server's words are not lost",
		newest: {
			message:
				"text half | error: Stream ended without finish_reason | tries again | id c1 | model tiny.gguf",
		},
	},
	{
		name: "C.6 an event named error, without the key",
		replies: stream(text("half"), 'event: error\ndata: {"message":"slot crashed"}\n\n'),
		ours: {
			events: "start | text_start 0 | text 0 half | text_end 0 | error error",
			message:
				"text half | error: Server error: slot crashed | tries again | id c1 | model tiny.gguf",
		},
		better: "the block is ended, and pi tries again",
		newest: {
			events: "start | text_start 0 | text 0 half | error error",
			message: "text half | error: slot crashed | id c1 | model tiny.gguf",
		},
	},
	{
		name: "C.6 loading, then an error as bare JSON",
		replies: stream(LOADING, '{"error":{"message":"model crashed while loading"}}'),
		ours: {
			events: "start | error error",
			message: "error: Server error: model crashed while loading | tries again",
		},
		better: "the server's words are not lost, and llama-swap's are no thought of the model",
		newest: {
			events:
				"start | thinking_start 0 | thinking 0 ━━━━━\nllama-swap loading model: tiny\n | thinking_end 0 | error error",
			message:
				"thinking(reasoning_content) ━━━━━\nllama-swap loading model: tiny\n | error: Stream ended without finish_reason | tries again",
		},
	},
	{
		name: "C.6 loading, then a bare text",
		replies: stream(
			LOADING,
			"unable to start process: upstream command exited prematurely but successfully",
		),
		ours: {
			events: "start | error error",
			message:
				"error: The model tiny could not be loaded (unable to start process: upstream command exited prematurely but successfully). Check the model's log on the server",
		},
		better: "says that the model does not load, which no second try would change",
		newest: {
			events:
				"start | thinking_start 0 | thinking 0 ━━━━━\nllama-swap loading model: tiny\n | thinking_end 0 | error error",
			message:
				"thinking(reasoning_content) ━━━━━\nllama-swap loading model: tiny\n | error: Stream ended without finish_reason | tries again",
		},
	},
	{
		name: "C.6 loading, then nothing",
		replies: stream(LOADING),
		ours: {
			events: "start | error error",
			message:
				"error: Connection error: the stream ended without finish_reason while the model was loading | tries again",
		},
		better: "llama-swap's words are no thought of the model, and the error says where it stopped",
		newest: {
			events:
				"start | thinking_start 0 | thinking 0 ━━━━━\nllama-swap loading model: tiny\n | thinking_end 0 | error error",
			message:
				"thinking(reasoning_content) ━━━━━\nllama-swap loading model: tiny\n | error: Stream ended without finish_reason | tries again",
		},
	},
	{
		name: "C.6 a connection that is reset",
		replies: [{ pieces: [text("half")], end: "reset" }],
		ours: {
			events: "start | text_start 0 | text 0 half | text_end 0 | error error",
			message:
				"text half | error: Connection error: The connection to http://127.0.0.1:PORT was lost in the middle of the answer | tries again | id c1 | model tiny.gguf",
		},
		better: "the block is ended, and the error says which connection was lost, and when",
		newest: {
			events: "start | text_start 0 | text 0 half | error error",
			message:
				"text half | error: terminated: read ECONNRESET | tries again | id c1 | model tiny.gguf",
		},
		oldest: { message: "text half | error: terminated | tries again | id c1 | model tiny.gguf" },
	},
	{
		name: "C.6 a connection that is reset before the first event",
		replies: [{ pieces: [], end: "reset" }],
		ours: {
			events: "start | error error",
			message:
				"error: Connection error: The connection to http://127.0.0.1:PORT was lost in the middle of the answer | tries again",
		},
		better: "says which connection was lost, and when",
		newest: { message: "error: terminated: read ECONNRESET | tries again" },
		oldest: { message: "error: terminated | tries again" },
	},
	{
		name: "C.6 a connection that is closed without the end of the body",
		replies: [{ pieces: [text("half")], end: "unframed" }],
		ours: {
			events: "start | text_start 0 | text 0 half | text_end 0 | error error",
			message:
				"text half | error: Connection error: The connection to http://127.0.0.1:PORT was lost in the middle of the answer | tries again | id c1 | model tiny.gguf",
		},
		better: "the block is ended, and the error says which connection was lost, and when",
		newest: {
			events: "start | text_start 0 | text 0 half | error error",
			message:
				"text half | error: terminated: other side closed (UND_ERR_SOCKET) | tries again | id c1 | model tiny.gguf",
		},
		oldest: { message: "text half | error: terminated | tries again | id c1 | model tiny.gguf" },
	},
	{
		name: "C.6 a connection that is closed without the end of the body, after [DONE]",
		replies: [{ pieces: [text("a") + end()], end: "unframed" }],
		ours: {
			events: "start | text_start 0 | text 0 a | text_end 0 | done stop",
			message: "text a | stop | 10+90>7 | id c1 | model tiny.gguf",
		},
	},
	{
		name: "C.6 nobody listens",
		nobody: true,
		replies: [],
		ours: {
			events: "error error",
			message:
				"error: Connection error: Nothing listens at http://127.0.0.1:PORT (connection refused). Start the proxy there, or check the URL (AI_SERVER_URL) | tries again",
		},
		better: "has a hint",
		newest: {
			message: "error: Connection error.: connect ECONNREFUSED 127.0.0.1:PORT | tries again",
		},
		oldest: { message: "error: Connection error. | tries again" },
	},
];
