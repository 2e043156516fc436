export type ChatPart =
	| { readonly type: "text"; readonly text: string }
	| { readonly type: "image_url"; readonly image_url: { readonly url: string } };

export interface ChatToolCall {
	readonly id: string;
	readonly type: "function";
	readonly function: { readonly name: string; readonly arguments: string };
}

export type ChatMessage =
	| { readonly role: "system"; readonly content: string }
	| { readonly role: "user"; readonly content: string | readonly ChatPart[] }
	| {
			readonly role: "assistant";
			readonly content: string;
			readonly reasoning?: string;
			readonly reasoning_content?: string;
			readonly reasoning_text?: string;
			readonly tool_calls?: readonly ChatToolCall[];
	  }
	| { readonly role: "tool"; readonly tool_call_id: string; readonly content: string };

export interface ChatTool {
	readonly type: "function";
	readonly function: {
		readonly name: string;
		readonly description: string;
		readonly parameters: object;
	};
}

/** The body of POST /v1/chat/completions, and whatever else the sampling parameters add. */
export interface ChatRequest {
	readonly model: string;
	readonly messages: readonly ChatMessage[];
	readonly stream: true;
	readonly max_tokens?: number;
	readonly [parameter: string]: unknown;
}
