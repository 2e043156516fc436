import type { Outcome, Reply } from "./scenario.ts";

const HEAD = { id: "c1", object: "chat.completion.chunk", created: 1, model: "tiny.gguf" };

export const DONE = "data: [DONE]\n\n";

export const frame = (value: unknown): string => `data: ${JSON.stringify(value)}\n\n`;

/** One event in llama-server's form. */
export const delta = (part: unknown, finish: string | null = null): string =>
	frame({ ...HEAD, choices: [{ index: 0, delta: part, finish_reason: finish }] });

export const text = (content: string): string => delta({ content });

/** Tokens of 100 in the prompt, 90 of them cached, 7 written. */
export const USAGE: string = frame({
	...HEAD,
	choices: [],
	usage: {
		prompt_tokens: 100,
		completion_tokens: 7,
		total_tokens: 107,
		prompt_tokens_details: { cached_tokens: 90 },
	},
});

/** The end of an answer as llama-server writes it. */
export const end = (finish = "stop"): string => delta({}, finish) + USAGE + DONE;

export const call = (part: unknown): string => delta({ tool_calls: [part] });

/** A call as llama-server begins it. */
export const opened = (index: number, id: string, name: string, args = ""): string =>
	call({ index, id, type: "function", function: { name, arguments: args } });

export const more = (index: number, args: string): string =>
	call({ index, function: { arguments: args } });

/** An answer of these events, in one piece. */
export const stream = (...parts: readonly string[]): readonly Reply[] => [
	{ pieces: [parts.join("")] },
];

/** "ok" and a proper end. */
export const OK: readonly Reply[] = stream(text("ok"), end());

/** What comes of it on every side. */
export const SAYS_OK: Outcome = {
	events: "start | text_start 0 | text 0 ok | text_end 0 | done stop",
	message: "text ok | stop | 10+90>7 | id c1 | model tiny.gguf",
};

/** llama-swap's words while it loads a model: no id, no model, no time. */
export const loading = (words: string): string =>
	frame({ choices: [{ delta: { reasoning_content: words } }] });

export const refusal = (
	status: number,
	body: unknown,
	headers: Readonly<Record<string, string>> = {},
): readonly Reply[] => [
	{
		status,
		headers: { "content-type": "application/json", ...headers },
		pieces: [typeof body === "string" ? body : JSON.stringify(body)],
	},
];
