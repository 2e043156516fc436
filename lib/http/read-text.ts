import { AiServerError } from "../errors.ts";
import type { HttpResponse } from "./types.ts";

/**
 * The body as text (UTF-8), read to its end. Rejects with AiServerError "protocol" as soon as it is
 * larger than `maxBytes`, and drops the connection then.
 */
export async function readText(response: HttpResponse, maxBytes: number): Promise<string> {
	const decoder = new TextDecoder();
	let text = "";
	let size = 0;
	for await (const chunk of response.body) {
		size += chunk.byteLength;
		if (size > maxBytes) {
			response.body.destroy();
			throw new AiServerError("protocol", `The server sent more than ${maxBytes} bytes`, {
				hint: "Check that the URL leads to llama-swap",
				setting: "url",
			});
		}
		text += decoder.decode(chunk, { stream: true });
	}
	return text + decoder.decode();
}
