import { AiServerError, type ErrorFacts } from "../../errors.ts";
import { ANY, type ErrorDraft, REFUSED, SEPARATELY, STOP } from "./verdict.ts";

/** What a server says about a key; a proxy's own refusal has no such word. */
const KEY = /key|token|credential|unauthori[sz]ed|authenticat|bearer/i;

/**
 * A status that has the same meaning with any body; `message` is quoted if there is one. `isPage`:
 * the body is a page for people, which no server of models sends.
 */
export function draftKnownStatus(
	status: number,
	message: string | undefined,
	isPage = false,
): ErrorDraft {
	const final = (problem: string, facts: ErrorFacts): ErrorDraft => ({
		allowed: STOP,
		quotes: [message ?? String(status)],
		write: (reason) =>
			new AiServerError("http", `${problem}${reason === undefined ? "" : ` (${reason})`}`, facts),
	});
	switch (status) {
		case 401:
		case 403:
			if (isPage || (status === 403 && !KEY.test(message ?? ""))) {
				return final("The proxy in front of the server refused the request", {
					hint: "Check its rules of access and its log",
				});
			}
			return final("The server rejected the API key", {
				hint: "Check the API key",
				setting: "apiKey",
			});
		case 404:
			return final(`The ${isPage ? "proxy" : "server"} has no chat API at this URL`, {
				hint: "Check the URL",
				setting: "url",
			});
		case 413:
			return {
				allowed: ["compact"],
				quotes: [message ?? "the request is too large"],
				write: (reason) =>
					`413: ${reason ?? `the request is too large; ${SEPARATELY}`} (context_length_exceeded)`,
			};
		case 421:
			return final("The proxy does not serve this host name", {
				hint: "Use the name in its certificate",
				setting: "url",
			});
		default:
			break;
	}
	if (status >= 300 && status < 400) {
		return final("The server redirects chat requests", {
			hint: "Set the URL to the address that it redirects to",
			setting: "url",
		});
	}
	return draftNumber(status, message);
}

/** A number that decides whether another try may help, and the server's message. */
export function draftNumber(status: number, message: string | undefined): ErrorDraft {
	const isBusy = status === 429;
	const none =
		status === 502 || status === 504
			? "the proxy answers, but llama-swap or the model behind it does not"
			: "the server gave no reason";
	return {
		allowed: isBusy ? ["retry", "stop"] : status >= 400 && status < 500 ? REFUSED : ANY,
		quotes: message === undefined ? [] : [message],
		write: (quoted) =>
			`${status}: ${quoted ?? (message === undefined ? none : `the server rejected the request; ${SEPARATELY}`)}`,
	};
}
