import { parseErrorBody, withoutPrefix } from "../../error-body.ts";
import { AiServerError, type ErrorFacts } from "../../errors.ts";
import { maskText } from "../../secrets/mask-text.ts";

/** What was asked for, for the message: "the model list", "load of tiny". */
export interface Asked {
	readonly what: string;
	/** Set when the path names a model, so that a 404 means this model. */
	readonly modelId?: string | undefined;
	/** True when a key was sent, so that a 401 means this key. */
	readonly keySent: boolean;
	/** The Location header of a redirect. */
	readonly location?: string | undefined;
	/** The WWW-Authenticate header of a 401. */
	readonly challenge?: string | undefined;
}

/** The error for an answer whose status is not 2xx: what is wrong, and what to do about it. */
export function statusError(status: number, body: string, asked: Asked): AiServerError {
	const parsed = parseErrorBody(body);
	const said = parsed && short(maskText(withoutPrefix(parsed.message)));
	const { message, ...facts } = explain(status, said, asked);
	return new AiServerError("http", message, { status, said, ...facts });
}

interface Explained extends Pick<ErrorFacts, "hint" | "setting" | "command"> {
	readonly message: string;
}

function explain(status: number, said: string | undefined, asked: Asked): Explained {
	const { what, modelId, location } = asked;
	const plain = `HTTP ${status} for ${what}${said === undefined ? "" : `: ${said}`}`;
	if (status >= 300 && status < 400) {
		return {
			message: `The server redirects ${what}${location === undefined ? "" : ` to ${location}`}`,
			hint: "Set the URL to the address it ends at; redirects are not followed",
			setting: "url",
		};
	}
	switch (status) {
		case 400:
			if (said?.includes("HTTP request to an HTTPS server") !== true) return { message: plain };
			return {
				message: "The server speaks TLS on this port",
				hint: "Write the URL with https://",
				setting: "url",
			};
		case 401:
			return unauthorized(asked);
		case 403:
			// llama-swap has no 403; a proxy's access rules do.
			return {
				message: `The proxy refuses access to ${what} (HTTP 403)`,
				hint: "Check the access rules of the proxy for this client",
			};
		case 404:
			return modelId === undefined ? noPage(what) : noModel(modelId);
		case 421:
			return {
				message: "The proxy does not serve this host name",
				hint: "Use the name in the proxy's certificate, not an IP address, in the URL",
				setting: "url",
			};
		case 429:
			return {
				message: plain,
				hint:
					modelId === undefined
						? "The server or its proxy limits requests; try again in a moment"
						: "The model is busy; try again in a moment",
			};
		case 502:
		case 504:
			// Caddy's own answer has no body; llama-swap's always has one.
			if (said !== undefined) return { message: plain };
			return {
				message: `The proxy answers, but llama-swap behind it does not (HTTP ${status})`,
				hint: "Start llama-swap on the server, or look at its log",
			};
		default:
			return { message: plain };
	}
}

function unauthorized({ keySent, challenge }: Asked): Explained {
	if (/^\s*(?:basic|digest|negotiate)\b/i.test(challenge ?? "")) {
		return {
			message: "The proxy asks for a user name and a password, which ai-server does not send",
			hint: "Let the proxy accept the client certificate or an API key instead",
		};
	}
	return {
		message: keySent ? "The server refused the API key" : "The server requires an API key",
		hint: keySent ? "Check the key" : "Set one",
		setting: "apiKey",
	};
}

function noPage(what: string): Explained {
	return {
		message: `The server has no such page for ${what}`,
		hint: "Check the URL, and the paths if you set any",
		setting: ["url", "paths"],
	};
}

function noModel(id: string): Explained {
	return {
		message: `The server does not know the model ${id}`,
		hint: "List the models again",
		command: "refresh",
	};
}

function short(text: string): string {
	return text.length > 300 ? `${text.slice(0, 300)}...` : text;
}
