import { randomBytes } from "node:crypto";
import { once } from "node:events";
import type { ServerResponse } from "node:http";
import { setTimeout as sleep } from "node:timers/promises";
import { sendFault, sendJson } from "./answers.ts";
import { pathOf } from "./launch.ts";
import type { ChatBody, UpstreamRequest } from "./request.ts";
import { type Speech, speak } from "./speech.ts";

/** What a test makes the next chat answer instead; it owns the response then. */
export type ScriptedReply = (response: ServerResponse, body: string) => void | Promise<void>;

export interface ChatOptions {
	/** Milliseconds between two tokens. */
	readonly tokenMs: number;
	/** Taken from the front, one a chat. */
	readonly scripted: ScriptedReply[];
}

type Fields = Readonly<Record<string, unknown>>;

/** POST /v1/chat/completions as llama-server answers it; `window` in tokens. */
export async function answerChat(
	request: UpstreamRequest,
	window: number,
	{ tokenMs, scripted }: ChatOptions,
): Promise<void> {
	const { response, body: text } = request;
	const reply = scripted.shift();
	if (reply !== undefined) {
		await reply(response, text);
		return;
	}
	const body = parseBody(text);
	if (body === undefined) {
		refuse(response, 400, "[json.exception.parse_error.101] parse error", "invalid_request_error");
		return;
	}
	if (!Array.isArray(body.messages)) {
		refuse(response, 400, "'messages' is required", "invalid_request_error");
		return;
	}
	if (text.includes('"image_url"')) {
		const words =
			"image input is not supported - hint: if this is unexpected, you may need to provide the mmproj";
		refuse(response, 500, words, "server_error");
		return;
	}
	const used = countTokens(body);
	if (used >= window) {
		const message = `request (${used} tokens) exceeds the available context size (${window} tokens), try increasing it`;
		const facts = { n_prompt_tokens: used, n_ctx: window };
		sendFault(response, 400, { code: 400, message, type: "exceed_context_size_error", ...facts });
		return;
	}
	const speech = speak(body, request.model);
	const limit = Math.min(body.max_tokens ?? Number.POSITIVE_INFINITY, window - used);
	const answer = createAnswer(request, { body, used, speech, limit });
	if (body.stream === true) await streamAnswer(request, answer, body, tokenMs);
	else sendJson(response, 200, answer.whole());
}

interface Step {
	readonly delta: Fields;
	readonly tokens: number;
}

interface Answer {
	readonly steps: readonly Step[];
	readonly finish: "stop" | "length" | "tool_calls";
	chunk(parts: Fields): string;
	timings(tokens: number, prompt?: number): Fields;
	usage(): Fields;
	whole(): object;
	readonly used: number;
}

function createAnswer(
	{ model }: UpstreamRequest,
	given: {
		readonly body: ChatBody;
		readonly used: number;
		readonly speech: Speech;
		readonly limit: number;
	},
): Answer {
	const { used, speech, limit } = given;
	const all = toSteps(speech);
	const steps = all.slice(0, Math.max(1, limit));
	const cut = steps.length < all.length;
	const finish = cut ? "length" : speech.call === undefined ? "stop" : "tool_calls";
	const head = {
		created: Math.floor(Date.now() / 1000),
		id: `chatcmpl-${letters()}`,
		model: pathOf(model),
		system_fingerprint: "b11669-demo",
	};
	const cached = Math.max(0, used - 20);
	const timings = (tokens: number, prompt = used - cached): Fields => ({
		cache_n: cached,
		prompt_n: prompt,
		prompt_ms: prompt * 0.5,
		prompt_per_token_ms: 0.5,
		prompt_per_second: 2000,
		predicted_n: tokens,
		predicted_ms: tokens * 20,
		predicted_per_token_ms: 20,
		predicted_per_second: 50,
	});
	const usage = (): Fields => ({
		completion_tokens: steps.length,
		prompt_tokens: used,
		total_tokens: used + steps.length,
		prompt_tokens_details: { cached_tokens: cached },
	});
	return {
		steps,
		finish,
		used,
		timings,
		usage,
		chunk: (parts) => {
			const { choices, ...rest } = parts;
			const frame = { choices, ...head, object: "chat.completion.chunk", ...rest };
			return `data: ${JSON.stringify(frame)}\n\n`;
		},
		whole: () => ({
			choices: [{ finish_reason: finish, index: 0, message: toMessage(speech, cut, steps) }],
			created: head.created,
			model: head.model,
			system_fingerprint: head.system_fingerprint,
			object: "chat.completion",
			usage: usage(),
			id: head.id,
			timings: timings(steps.length),
		}),
	};
}

async function streamAnswer(
	{ response, signal, stopped }: UpstreamRequest,
	answer: Answer,
	body: ChatBody,
	tokenMs: number,
): Promise<void> {
	if (!response.headersSent) {
		response.writeHead(200, { "content-type": "text/event-stream", "x-accel-buffering": "no" });
	}
	/** As fast as the connection takes it; a client that left takes no more. */
	const send = async (frame: string): Promise<void> => {
		if (!response.write(frame)) await once(response, "drain", { signal }).catch(() => undefined);
	};
	const choice = (delta: Fields, finish: string | null = null): readonly Fields[] => [
		{ finish_reason: finish, index: 0, delta },
	];
	const role = choice({ role: "assistant", content: null });
	if (body.return_progress === true) {
		for (const processed of [0, answer.used]) {
			const progress = { total: answer.used, cache: 0, processed, time_ms: processed };
			const timings = body.timings_per_token === true ? { timings: answer.timings(0) } : {};
			response.write(answer.chunk({ choices: role, ...timings, prompt_progress: progress }));
		}
	}
	response.write(answer.chunk({ choices: role }));
	let tokens = 0;
	for (const step of answer.steps) {
		if (tokenMs > 0) await sleep(tokenMs, undefined, { signal }).catch(() => undefined);
		if (signal.aborted) break;
		tokens += step.tokens;
		const timings = body.timings_per_token === true ? { timings: answer.timings(tokens) } : {};
		await send(answer.chunk({ choices: choice(step.delta), ...timings }));
	}
	if (stopped.aborted) {
		response.end(); // a stopped model ends the stream cleanly, without [DONE]
		return;
	}
	// The timings are in the last event, whichever that is.
	const timings = answer.timings(tokens);
	const wantsUsage = body.stream_options?.include_usage === true;
	const finish = { choices: choice({}, answer.finish), ...(wantsUsage ? {} : { timings }) };
	response.write(answer.chunk(finish));
	if (wantsUsage) response.write(answer.chunk({ choices: [], usage: answer.usage(), timings }));
	response.end("data: [DONE]\n\n");
}

function toSteps({ thinking, text, call }: Speech): readonly Step[] {
	const say = (field: string, words: string): readonly Step[] =>
		tokensOf(words).map((token) => ({ delta: { [field]: token }, tokens: 1 }));
	const made =
		call === undefined
			? []
			: (call.arguments.match(/[\s\S]{1,10}/gu) ?? []).map((token, at): Step => {
					const head = at === 0 ? { id: letters(), type: "function" } : {};
					const name = at === 0 ? { name: call.name } : {};
					const made = { index: 0, ...head, function: { ...name, arguments: token } };
					return { delta: { tool_calls: [made] }, tokens: 1 };
				});
	return [...say("reasoning_content", thinking), ...say("content", text), ...made];
}

function toMessage(speech: Speech, cut: boolean, steps: readonly Step[]): Fields {
	const said = (field: string): string => steps.map(({ delta }) => delta[field] ?? "").join("");
	const thinking = said("reasoning_content");
	const call = cut ? undefined : speech.call;
	return {
		role: "assistant",
		content: said("content"),
		...(thinking === "" ? {} : { reasoning_content: thinking }),
		...(call === undefined
			? {}
			: { tool_calls: [{ type: "function", function: call, id: letters() }] }),
	};
}

/** Words with the blanks before them: about what a tokenizer makes of English. */
function tokensOf(text: string): readonly string[] {
	return text.match(/\s*\S+\s*$|\s*\S{1,8}/g) ?? [];
}

function countTokens({ messages = [], tools = [] }: ChatBody): number {
	return Math.ceil((JSON.stringify(messages).length + JSON.stringify(tools).length) / 4);
}

function parseBody(text: string): ChatBody | undefined {
	try {
		return JSON.parse(text) as ChatBody;
	} catch {
		return undefined;
	}
}

function refuse(response: ServerResponse, code: number, message: string, type: string): void {
	sendFault(response, code, { code, message, type });
}

function letters(): string {
	return randomBytes(24).toString("base64url").replace(/[-_]/g, "x");
}
