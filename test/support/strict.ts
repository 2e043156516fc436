import { fine, type Reply, refused, type Script } from "./answers.ts";

type Body = Readonly<Record<string, unknown>>;
interface Message {
	readonly role: string;
	readonly tool_calls?: unknown;
}

export const WINDOW = 32_768;
const OPENAI = new Set(
	"model messages stream stream_options max_tokens max_completion_tokens temperature top_p tools tool_choice parallel_tool_calls reasoning_effort stop seed n user response_format".split(
		" ",
	),
);
const error = (message: string, status = 400): Reply =>
	refused(status, { error: { message, type: "invalid_request_error", code: status } });

/** Counts as dense text is counted: digits one by one, other scripts by 0.7. */
export function tokensOf({ messages, tools = [] }: Body): number {
	let sum = 0;
	for (const character of JSON.stringify(messages) + JSON.stringify(tools)) {
		const isDigit = character >= "0" && character <= "9";
		sum += isDigit ? 1 : character.charCodeAt(0) < 128 ? 0.25 : 0.7;
	}
	return Math.ceil(sum);
}

/** A template that wants alternating roles; `first` is what the first request comes to. */
export function alternating(first: Script): Script {
	return (body, nth, headers) => {
		if (nth === 1) return first(body, nth, headers);
		const roles = (body["messages"] as readonly Message[]).map(({ role }) => role);
		const twice = roles.some((role, at) => role !== "tool" && role === roles[at + 1]);
		return twice
			? error(
					"Error: Jinja Exception: Conversation roles must alternate user/assistant/user/assistant/...",
				)
			: { body: fine };
	};
}

/** As in templates of Mistral: calls and their results are not counted. */
export const mistral: Script = ({ messages }) => {
	const counted = (messages as readonly Message[]).filter(
		({ role, tool_calls }) => role === "user" || (role === "assistant" && tool_calls === undefined),
	);
	return counted.every(({ role }, at) => (role === "user") === (at % 2 === 0))
		? { body: fine }
		: error(
				"After the optional system message, conversation roles must alternate user/assistant/user/assistant/...",
				500,
			);
};

/** Refuses when prompt and limit are more than the window; `word` says so. */
export function budget(word: (prompt: number, wish: number) => string): Script {
	return (body) => {
		const prompt = tokensOf(body);
		const wish = Number(body["max_tokens"] ?? 0);
		return prompt + wish > WINDOW ? error(word(prompt, wish)) : { body: fine };
	};
}

/** Refuses what OpenAI's API does not have, one field at a time. */
export function openAiOnly(word: (field: string) => Reply): Script {
	return (body) => {
		const odd = Object.keys(body).find((key) => !OPENAI.has(key));
		return odd === undefined ? { body: fine } : word(odd);
	};
}

export const WORDS_FOR_UNKNOWN: Readonly<Record<string, (field: string) => Reply>> = {
	groq: (field) => error(`property '${field}' is unsupported`),
	openai: (field) => error(`Unrecognized request argument supplied: ${field}`),
	mistral: (field) =>
		refused(422, {
			detail: [
				{ type: "extra_forbidden", loc: ["body", field], msg: "Extra inputs are not permitted" },
			],
		}),
	gemini: (field) =>
		error(`Invalid JSON payload received. Unknown name "${field}": Cannot find field.`),
	serde: (field) =>
		refused(
			400,
			`unknown field \`${field}\`, expected one of \`temperature\`, \`max_tokens\`, \`stop\``,
		),
};

export const WORDS_FOR_BUDGET: Readonly<Record<string, (prompt: number, wish: number) => string>> =
	{
		openai: (prompt, wish) =>
			`This model's maximum context length is ${WINDOW} tokens. However, you requested ${prompt + wish} tokens (${prompt} in the messages, ${wish} in the completion). Please reduce the length of the messages or completion.`,
		vllm: (prompt, wish) =>
			`'max_tokens' or 'max_completion_tokens' is too large: ${wish}. This model's maximum context length is ${WINDOW} tokens and your request has ${prompt} input tokens (${wish} > ${WINDOW} - ${prompt}).`,
		sglang: (prompt, wish) =>
			`Requested token count exceeds the model's maximum context length of ${WINDOW} tokens. You requested a total of ${prompt + wish} tokens: ${prompt} tokens from the input messages and ${wish} tokens for the completion. Please reduce the number of tokens in the input messages or the completion to fit within the limit.`,
		llama_cpp: (prompt, wish) =>
			`This model's maximum context length is ${WINDOW} tokens, however you requested ${prompt + wish} tokens (${prompt} in your prompt; ${wish} for the completion). Please reduce your prompt; or completion length.`,
		tgi: (prompt, wish) =>
			`Input validation error: \`inputs\` tokens + \`max_new_tokens\` must be <= ${WINDOW}. Given: ${prompt} \`inputs\` tokens and ${wish} \`max_new_tokens\``,
	};
