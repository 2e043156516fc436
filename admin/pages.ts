import { withDeadline } from "../lib/deadline.ts";
import { readText } from "../lib/http/read-text.ts";
import type { Http } from "../lib/http/types.ts";
import { statusError } from "../lib/llama-swap/api/http-error.ts";

/** Lists are short; an answer this large is not one. */
const MAX_BODY_BYTES = 4 * 1024 * 1024;
const PAGE_DEADLINE_MS = 10_000;

export interface PageRequest {
	readonly method?: "GET" | "POST";
	readonly path: string;
	/** What it is for, for messages: "the model list". */
	readonly what: string;
	/** Set when the path names a model, so that a 404 means this model. */
	readonly modelId?: string;
	/** Ten seconds by default; "none" for what is not limited. */
	readonly deadlineMs?: number | "none";
	readonly signal: AbortSignal | undefined;
}

/** Requests a page of the server whole. Rejects with AiServerError, also for a status that is not 2xx. */
export type ReadPage = (request: PageRequest) => Promise<string>;

/** `keySent`: a key goes along, so that a 401 is worded right. */
export function createPages(http: Http, keySent: boolean): ReadPage {
	return async ({ method = "GET", path, what, modelId, deadlineMs = PAGE_DEADLINE_MS, signal }) => {
		const ask = async (limit: AbortSignal | undefined): Promise<string> => {
			const response = await http.request({ method, path, signal: limit });
			const body = await readText(response, MAX_BODY_BYTES);
			if (response.status >= 200 && response.status < 300) return body;
			const { location, "www-authenticate": challenge } = response.headers;
			throw statusError(response.status, body, { what, modelId, keySent, location, challenge });
		};
		if (deadlineMs === "none") return ask(signal);
		return withDeadline(deadlineMs, ask, {
			signal,
			late: `No answer for ${what}`,
			hint: "The server may be hanging; look at its log",
		});
	};
}
