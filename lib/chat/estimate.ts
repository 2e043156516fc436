import type { TokenCounts } from "./chunk.ts";
import type { ChatRequest } from "./request.ts";

export const NO_TOKENS: TokenCounts = { input: 0, cached: 0, output: 0, reasoning: undefined };

/** A rule of thumb for code; pi reckons the same. */
export const CHARACTERS_PER_TOKEN = 3.5;

/** What a server that counts nothing may have used; `written` is in characters. */
export function estimateUsage(request: ChatRequest, written: number): TokenCounts {
	const read = JSON.stringify([request.messages, request["tools"]], withoutImages).length;
	return {
		...NO_TOKENS,
		input: Math.ceil(read / CHARACTERS_PER_TOKEN),
		output: Math.ceil(written / CHARACTERS_PER_TOKEN),
	};
}

/** The bytes of an image have nothing to do with its tokens. */
function withoutImages(key: string, value: unknown): unknown {
	return key === "url" ? "" : value;
}
