import { parseErrorBody, withoutPrefix } from "../../error-body.ts";
import { AiServerError } from "../../errors.ts";

/** What was asked for, for the message: "the model list", "load of tiny". */
export interface Asked {
	readonly what: string;
	/** Set when the path names a model, so that a 404 means this model. */
	readonly modelId?: string | undefined;
	/** True when a key was sent, so that a 401 means this key. */
	readonly keySent: boolean;
	/** The Location header of a redirect. */
	readonly location?: string | undefined;
}

/** The error for an answer whose status is not 2xx: whose fault it is, in words, and what to do. */
export function statusFault(status: number, body: string, asked: Asked): AiServerError {
	const fault = parseErrorBody(body);
	const said = fault && short(withoutPrefix(fault.message));
	const { message, hint } = explain(status, said, asked);
	return new AiServerError("http", message, { status, hint, said });
}

function explain(
	status: number,
	said: string | undefined,
	{ what, modelId, keySent, location }: Asked,
): { message: string; hint?: string } {
	const plain = `HTTP ${status} for ${what}${said === undefined ? "" : `: ${said}`}`;
	if (status >= 300 && status < 400) {
		return {
			message: `The server redirects ${what}${location === undefined ? "" : ` to ${location}`}`,
			hint: "Set AI_SERVER_URL to the address it ends at; redirects are not followed",
		};
	}
	switch (status) {
		case 400:
			return said?.includes("HTTP request to an HTTPS server") === true
				? {
						message: "The server speaks TLS on this port",
						hint: "Write AI_SERVER_URL with https://",
					}
				: { message: plain };
		case 401:
			return keySent
				? { message: "The server refused the API key", hint: "Check AI_SERVER_API_KEY" }
				: { message: "The server wants an API key", hint: "Set AI_SERVER_API_KEY" };
		case 404:
			return modelId === undefined
				? {
						message: `The server has no such page for ${what}`,
						hint: "Check AI_SERVER_URL, and the AI_SERVER_..._PATH variables if you set them",
					}
				: {
						message: `The server does not know the model ${modelId}`,
						hint: "Run /ai-server-refresh to see the models it has",
					};
		case 421:
			return {
				message: "The proxy does not serve this host name",
				hint: "AI_SERVER_URL must use the name in the proxy's certificate, not an IP address",
			};
		case 429:
			return { message: plain, hint: "The model is busy; try again in a moment" };
		case 502:
		case 504:
			// Caddy's own answer has no body; llama-swap's always says something.
			return said === undefined
				? {
						message: `The proxy answers, but llama-swap behind it does not (HTTP ${status})`,
						hint: "Start llama-swap on the server, or look at its log",
					}
				: { message: plain };
		default:
			return { message: plain };
	}
}

function short(text: string): string {
	return text.length > 300 ? `${text.slice(0, 300)}...` : text;
}
