import { AiServerError } from "../errors.ts";
import type { HttpResponse } from "./types.ts";

/**
 * The body as text (UTF-8), read to its end. Rejects with AiServerError "protocol" as soon as it is
 * larger than `limit` bytes, and drops the connection then.
 */
export async function readText(response: HttpResponse, limit: number): Promise<string> {
	const decoder = new TextDecoder();
	let text = "";
	let size = 0;
	for await (const chunk of response.body) {
		size += chunk.byteLength;
		if (size > limit) {
			response.body.destroy();
			throw new AiServerError("protocol", `The server sent more than ${limit} bytes`, {
				hint: "Check that AI_SERVER_URL leads to llama-swap",
			});
		}
		text += decoder.decode(chunk, { stream: true });
	}
	return text + decoder.decode();
}
