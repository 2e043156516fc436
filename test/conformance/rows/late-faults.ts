import type { Row } from "../runner/scenario.ts";
import { delta, end, frame, stream, text, USAGE } from "../runner/wire.ts";

const HEAD = { id: "c1", model: "tiny.gguf", created: 1 };
const WHOLE = text("a") + end();

/** C.6: odd errors, and what breaks behind the finish reason. */
export const LATE_FAULTS: readonly Row[] = [
	{
		name: "C.6 an error of an empty object",
		replies: stream(text("a"), frame({ error: {} }), end()),
		ours: {
			events: "start | text_start 0 | text 0 a | text_end 0 | error error",
			message: "text a | error: Server error: {} | tries again | id c1 | model tiny.gguf",
		},
		better: "the block is ended, and pi tries again",
		newest: {
			events: "start | text_start 0 | text 0 a | error error",
			message: "text a | error: {} | id c1 | model tiny.gguf",
		},
	},
	{
		name: "C.6 an error that is false",
		replies: stream(
			frame({ ...HEAD, error: false, choices: [{ delta: { content: "a" } }] }),
			end(),
		),
		ours: {
			events: "start | text_start 0 | text 0 a | text_end 0 | done stop",
			message: "text a | stop | 10+90>7 | id c1 | model tiny.gguf",
		},
	},
	{
		name: "C.6 an error that is empty",
		replies: stream(frame({ ...HEAD, error: "", choices: [{ delta: { content: "a" } }] }), end()),
		ours: {
			events: "start | text_start 0 | text 0 a | text_end 0 | done stop",
			message: "text a | stop | 10+90>7 | id c1 | model tiny.gguf",
		},
	},
	{
		name: "C.6 an error behind the finish reason",
		replies: stream(text("a"), delta({}, "stop"), frame({ error: { code: 500, message: "late" } })),
		ours: {
			events: "start | text_start 0 | text 0 a | text_end 0 | error error",
			message:
				"text a | error: 500: late | tries again | from stop | 23+0>1 | id c1 | model tiny.gguf",
		},
		better: "the block is ended, and the code makes pi try again",
		newest: {
			events: "start | text_start 0 | text 0 a | error error",
			message: "text a | error: late | from stop | id c1 | model tiny.gguf",
		},
	},
	{
		name: "C.6 an error behind [DONE]",
		replies: stream(WHOLE, frame({ error: { code: 500, message: "late" } })),
		ours: {
			events: "start | text_start 0 | text 0 a | text_end 0 | done stop",
			message: "text a | stop | 10+90>7 | id c1 | model tiny.gguf",
		},
	},
	{
		name: "C.6 a reset after the finish reason",
		replies: [{ pieces: [text("a") + delta({}, "stop") + USAGE], end: "reset" }],
		ours: {
			events: "start | text_start 0 | text 0 a | text_end 0 | error error",
			message:
				"text a | error: Connection error: The connection to http://127.0.0.1:PORT was lost in the middle of the answer | tries again | from stop | 10+90>7 | id c1 | model tiny.gguf",
		},
		better: "the block is ended, and the error says which connection was lost, and when",
		newest: {
			events: "start | text_start 0 | text 0 a | error error",
			message:
				"text a | error: terminated: read ECONNRESET | tries again | from stop | 10+90>7 | id c1 | model tiny.gguf",
		},
		oldest: {
			message:
				"text a | error: terminated | tries again | from stop | 10+90>7 | id c1 | model tiny.gguf",
		},
	},
	{
		name: "C.6 a closed connection after the finish reason",
		replies: [{ pieces: [text("a") + delta({}, "stop") + USAGE], end: "unframed" }],
		ours: {
			events: "start | text_start 0 | text 0 a | text_end 0 | error error",
			message:
				"text a | error: Connection error: The connection to http://127.0.0.1:PORT was lost in the middle of the answer | tries again | from stop | 10+90>7 | id c1 | model tiny.gguf",
		},
		better: "the block is ended, and the error says which connection was lost, and when",
		newest: {
			events: "start | text_start 0 | text 0 a | error error",
			message:
				"text a | error: terminated: other side closed (UND_ERR_SOCKET) | tries again | from stop | 10+90>7 | id c1 | model tiny.gguf",
		},
		oldest: {
			message:
				"text a | error: terminated | tries again | from stop | 10+90>7 | id c1 | model tiny.gguf",
		},
	},
];
