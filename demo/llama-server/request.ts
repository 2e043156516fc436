import type { ServerResponse } from "node:http";
import type { ModelConfig } from "../llama-swap/config-file.ts";

/** A request that reached the model's own server. */
export interface UpstreamRequest {
	readonly model: ModelConfig;
	readonly method: string;
	/** With its query, without llama-swap's prefix. */
	readonly path: string;
	readonly body: string;
	readonly response: ServerResponse;
	/** Aborts when the client left or the model was stopped. */
	readonly signal: AbortSignal;
	/** Aborts only when the model was stopped. */
	readonly stopped: AbortSignal;
}

export interface ChatBody {
	readonly messages?: readonly ChatTurn[];
	readonly stream?: boolean;
	readonly max_tokens?: number;
	readonly stream_options?: { readonly include_usage?: boolean };
	readonly timings_per_token?: boolean;
	readonly return_progress?: boolean;
	readonly chat_template_kwargs?: { readonly enable_thinking?: boolean };
	readonly tools?: readonly { readonly function?: { readonly name?: string } }[];
}

export interface ChatTurn {
	readonly role: string;
	readonly content?: string | null | readonly { readonly type: string; readonly text?: string }[];
	readonly tool_calls?: readonly unknown[];
}
