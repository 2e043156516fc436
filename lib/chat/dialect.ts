/**
 * What a model's server takes besides the fields of OpenAI's API. "llama-server": all that this product
 * makes use of; "template": the variables of a chat template alone; "openai": nothing.
 */
export interface Dialect {
	readonly fields: "llama-server" | "template" | "openai";
	/** True where an answer without `max_tokens` ends after a few hundred tokens. */
	readonly needsLimit: boolean;
}

type Fields = Readonly<Record<string, unknown>>;

/** Keeps the prompt in the cache, and reports speed and progress. */
export const LLAMA_SERVER_FIELDS: Fields = {
	cache_prompt: true,
	timings_per_token: true,
	return_progress: true,
};

/** Fields that OpenAI's API does not have. A server that refuses one of them knows none. */
export const EXTENSIONS: readonly string[] = [
	...Object.keys(LLAMA_SERVER_FIELDS),
	"thinking_budget_tokens",
	"chat_template_kwargs",
];

const PLAIN: Dialect = { fields: "openai", needsLimit: false };
/** By the name of the program; a server that is missing here takes what llama-server takes. */
const DIALECTS: Readonly<Record<string, Dialect>> = {
	vllm: { fields: "template", needsLimit: false },
	sglang: { fields: "template", needsLimit: false },
	"mlx_lm.server": { fields: "template", needsLimit: true },
	koboldcpp: { fields: "openai", needsLimit: true },
	tabbyAPI: PLAIN,
	ollama: PLAIN,
	lmdeploy: PLAIN,
	"trtllm-serve": PLAIN,
	"text-generation-launcher": PLAIN,
	"mistralrs-server": PLAIN,
};

/** The dialect of a peer's model, or of the server that a command starts; undefined while unknown. */
export function dialectOf(
	server: string | undefined,
	peer: string | undefined,
): Dialect | undefined {
	if (peer !== undefined) return PLAIN;
	return server === undefined ? undefined : DIALECTS[server];
}

/** What of these fields goes out. */
export function fieldsOf(dialect: Dialect | undefined, fields: Fields): Fields {
	if (dialect === undefined || dialect.fields === "llama-server") return fields;
	const isLeftOut = (name: string): boolean =>
		EXTENSIONS.includes(name) && (dialect.fields === "openai" || name !== "chat_template_kwargs");
	return Object.fromEntries(Object.entries(fields).filter(([name]) => !isLeftOut(name)));
}
