import type { Api, Model } from "@earendil-works/pi-ai";

/** What is asked and what is answered. */
export interface Scenario {
	/**
	 * Begins with its section: A conversion, B the rest of the request, C the stream, D pi-ai's own
	 * tests (or names the file of those that asks for the same).
	 */
	readonly name: string;
	/** pi's transcript; a prompt and one question where it does not matter. */
	readonly messages?: readonly unknown[];
	readonly model?: Partial<Model<"openai-completions">>;
	/** SimpleStreamOptions that can be written as JSON. */
	readonly options?: Readonly<Record<string, unknown>>;
	/** Laid over the request by onPayload. */
	readonly replace?: Readonly<Record<string, unknown>>;
	/** When the caller gives up: before the call, while the head is awaited, or at the first such event. */
	readonly abort?: "before" | "pending" | "text_delta" | "thinking_delta" | "toolcall_delta";
	/** Milliseconds of silence that are allowed; for pi's own provider until the head. */
	readonly patience?: number;
	/** How an error is worded is no subject of this row; what pi concludes from it is. */
	readonly wordless?: boolean;
	/** Nothing listens where the request goes. */
	readonly nobody?: boolean;
	/** In order, the last one again after that. */
	readonly replies: readonly Reply[];
	/** What of the request is compared besides its messages, tools and limits. */
	readonly keys?: readonly string[];
	/** Headers that are looked at; "requests", "hooks" and "connection" are known too. */
	readonly watch?: readonly string[];
}

/** One row of the table: a scenario, and what comes of it on each side. */
export interface Row extends Scenario {
	readonly ours: Outcome;
	/** Tags the row `better` and says in which way; without it ours and the newest pi's are `same`. */
	readonly better?: string;
	/** Where pi 1.6.0's own provider differs from ours. */
	readonly newest?: Partial<Outcome>;
	/** Where pi 1.3.0's own provider differs from 1.6.0's. */
	readonly oldest?: Partial<Outcome>;
}

/** What came of it, in few words; `observe.ts` says how it is written. */
export interface Outcome {
	readonly events: string;
	readonly message: string;
	/** Not written where the request is no subject of the row; then it is the same on all sides. */
	readonly body?: readonly string[];
	readonly wire?: string;
}

/** An answer as bytes. */
export interface Reply {
	readonly status?: number;
	readonly headers?: Readonly<Record<string, string>>;
	/** Written one by one. */
	readonly pieces: readonly (string | Uint8Array)[];
	/**
	 * How it ends: "close" in order; "reset"; "hold": the connection stays open until the client has
	 * ended its turn, and is closed in order when that takes too long; "silent": not even a head;
	 * "unframed": the connection is closed, but the body has not come to its end.
	 */
	readonly end?: "close" | "reset" | "hold" | "silent" | "unframed";
}

/**
 * Both sides get this very model. `compat` is what pi's own llama.cpp provider sets, so that pi's
 * side is the best that pi can do with this server.
 */
export const MODEL: Model<"openai-completions"> = {
	id: "tiny",
	name: "tiny",
	api: "openai-completions",
	provider: "conformance",
	baseUrl: "",
	reasoning: false,
	input: ["text"],
	cost: { input: 0, output: 0, cacheRead: 0, cacheWrite: 0 },
	contextWindow: 100_000,
	maxTokens: 1000,
	compat: {
		supportsStore: false,
		supportsDeveloperRole: false,
		supportsReasoningEffort: false,
		supportsUsageInStreaming: true,
		supportsStrictMode: false,
		maxTokensField: "max_tokens",
		thinkingFormat: "qwen-chat-template",
	},
};

export const QUESTION: readonly unknown[] = [
	{ role: "system", content: "Be brief.", timestamp: 0 },
	{ role: "user", content: "Hi", timestamp: 0 },
];

/** A row as the runner needs it, on either side; nothing but JSON. */
export interface Order {
	readonly model: Model<Api>;
	readonly context: Readonly<Record<string, unknown>>;
	readonly options: Readonly<Record<string, unknown>>;
	readonly replace: Readonly<Record<string, unknown>> | undefined;
	readonly abort: Scenario["abort"];
	readonly wordless: boolean;
	/** Answered when the request is there. */
	readonly arrived: string;
	/** Asked when the turn has ended, which lets the server end what it holds open. */
	readonly ended: string;
	/** Asked at the first delta, where the server waits for that before it breaks the connection. */
	readonly reached: string | undefined;
}

export function orderOf(row: Scenario, url: string): Order {
	const { options = {}, patience, messages = QUESTION } = row;
	return {
		model: { ...MODEL, ...row.model, baseUrl: `${url}/v1` },
		context: { messages },
		options: patience === undefined ? options : { ...options, timeoutMs: patience },
		replace: row.replace,
		abort: row.abort,
		wordless: row.wordless === true,
		arrived: `${url}/arrived`,
		ended: `${url}/ended`,
		reached: row.replies.some((reply) => reply.end === "reset") ? `${url}/reached` : undefined,
	};
}
