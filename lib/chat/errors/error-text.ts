import { parseErrorBody, type ServerError, withoutPrefix } from "../../error-body.ts";
import { AiServerError, describeError, type ErrorCode, type ErrorFacts } from "../../errors.ts";
import { maskText } from "../../secrets/mask-text.ts";
import { oneLine } from "../../text.ts";
import { draftOverflow } from "./overflow.ts";
import { draftKnownStatus, draftNumber } from "./status.ts";
import {
	ANY,
	type ErrorDraft,
	fullText,
	REFUSED,
	RETRY,
	SEPARATELY,
	STOP,
	type Verdict,
} from "./verdict.ts";

// pi decides by the text of an error whether it tries again or compacts, so this text is an
// interface: "Connection error", "timed out" and the numbers 429, 500, 502, 503, 504 mean "again";
// "exceeds the available context size" and "context_length_exceeded" mean "compact".

/** llama-server answers 500 to these, although the request is wrong and will be at the next try. */
const REQUEST_ERROR =
	/tool call arguments|image input is not supported|mmproj|audio input|jinja|template|tools? param|grammar|json schema|failed to parse|invalid (?:type|message|role)/i;
const UNKNOWN_MODEL =
	/no router for requested model|no local server found|could not find suitable inference handler|model (?:'[^']*' )?not found|no model id could be identified|\bmodel\b.{0,200}\bdoes not exist/i;
const LOAD_FAILURE =
	/unable to start process|upstream command exited|failed to start command|health check timed out|group: aborted|failed to load/i;
/** llama-swap was stopped, or read a new config.yaml, before the model was loaded. */
const INTERRUPTED = /interrupted due to shutdown|group is shutting down/i;
const UNLOADED = /group: model unloaded/i;
/** llama-server as a router that may not load models on demand. */
const NOT_LOADED = /^model is not loaded$/i;
/** Longest quotation of a server, in characters. */
const MAX_QUOTE = 1000;

/** An error of a chat whose text is not settled yet; `message` has all its quotes. */
export class ChatError extends Error {
	readonly draft: ErrorDraft;

	constructor(draft: ErrorDraft | string) {
		const made = typeof draft === "string" ? plainDraft(draft) : draft;
		super(fullText(made));
		this.draft = made;
	}
}

/** An error that the server reported inside a stream. */
export class StreamError extends Error {
	readonly error: ServerError;
	/** True when parts of the answer came before it. */
	readonly isLate: boolean;

	constructor(error: ServerError, isLate: boolean) {
		super(error.message);
		this.error = error;
		this.isLate = isLate;
	}
}

/** What else is known about an error of the server. */
export interface ErrorContext {
	/** The last lines of the model's log. */
	readonly log?: string | undefined;
	/** The keywords and tools whose schemas the server complains of, in words. */
	readonly culprits?: string | undefined;
}

/** Whether a failed load is the reason, so that the model's log is worth a look. */
export function isLoadFailure(status: number, body: string): boolean {
	const error = parseErrorBody(body);
	return status >= 500 && error !== undefined && isLoadError(error);
}

/** The same for an error inside a stream. */
export function isLoadError({ message }: ServerError): boolean {
	return LOAD_FAILURE.test(message) && !INTERRUPTED.test(message);
}

/** An HTTP status that is not 2xx. */
export function draftStatus(
	status: number,
	body: string,
	model: string,
	{ log, culprits }: ErrorContext = {},
): ErrorDraft {
	const page = pageText(body);
	const error = parseErrorBody(page ?? body);
	if (error === undefined) return draftKnownStatus(status, undefined);
	const message = quoteOf(error);
	const isRequestError =
		culprits !== undefined || (status >= 500 && !error.fromProxy && REQUEST_ERROR.test(message));
	return (
		draftOverflow(message, error, `${status}: `) ??
		draftModelError(message, model, log) ??
		(isRequestError
			? draftRequestError(message, culprits)
			: draftKnownStatus(status, message, page !== undefined))
	);
}

/** An error inside a stream whose status was 200. */
export function draftStreamError(
	error: ServerError,
	model: string,
	{ log, culprits }: ErrorContext = {},
): ErrorDraft {
	const message = quoteOf(error);
	return (
		draftOverflow(message, error, "") ??
		draftModelError(message, model, log) ??
		(REQUEST_ERROR.test(message) ? draftRequestError(message, culprits) : undefined) ??
		(typeof error.code === "number"
			? draftNumber(error.code, message)
			: { allowed: ANY, quotes: [message], write: (quoted) => `Server error: ${quoted}` })
	);
}

/** Whatever was thrown on the way. */
export function draftFailure(error: unknown): ErrorDraft {
	if (error instanceof ChatError) return error.draft;
	if (!(error instanceof AiServerError)) return plainDraft(describeError(error));
	const { code, hint = "" } = error;
	const facts: ErrorFacts = { setting: error.settings, command: error.command };
	return {
		allowed: code === "network" || code === "timeout" ? RETRY : STOP,
		quotes: [error.message, hint],
		write: (message, advice) =>
			new AiServerError(
				code,
				message === undefined
					? IN_OUR_WORDS[code]
					: `${code === "network" ? "Connection error: " : ""}${message}`,
				{ ...facts, hint: advice === "" ? undefined : advice },
			),
	};
}

/** Why a stream is not complete: the server named a reason that is not an end, or none. */
export function unfinishedText(finishReason: string | undefined): string {
	return finishReason === undefined
		? "Connection error: the stream ended without finish_reason"
		: `Provider finish_reason: ${finishReason}`;
}

/** For an error whose own message cannot be shown. */
const IN_OUR_WORDS: Readonly<Record<ErrorCode, string>> = {
	usage: `The command cannot be run; ${SEPARATELY}`,
	settings: `The settings of the server cannot be used; ${SEPARATELY}`,
	tls: `The TLS handshake with the server failed; ${SEPARATELY}`,
	network: `Connection error: the server cannot be reached; ${SEPARATELY}`,
	http: `The server rejected the request; ${SEPARATELY}`,
	timeout: `The server did not answer in time (timed out); ${SEPARATELY}`,
	ssh: `The SSH connection failed; ${SEPARATELY}`,
	config: `The server's config.yaml cannot be used; ${SEPARATELY}`,
	protocol: `The server's answer is not a chat completion; ${SEPARATELY}`,
};

/** A text that is sent as it is. */
function plainDraft(text: string): ErrorDraft {
	return { allowed: ANY, quotes: [], write: () => text };
}

/** An error of the model as such, not of this request; undefined for any other. */
function draftModelError(
	message: string,
	model: string,
	log: string | undefined,
): ErrorDraft | undefined {
	const draft = (
		allowed: readonly Verdict[],
		write: (name: string, reason: string) => string | AiServerError,
	): ErrorDraft => ({
		allowed,
		quotes: [model, message],
		write: (id, reason) =>
			write(
				id === undefined ? "the model" : `the model ${id}`,
				reason === undefined ? "" : ` (${reason})`,
			),
	});
	if (UNKNOWN_MODEL.test(message)) {
		const facts: ErrorFacts = { hint: "List the models again", command: "refresh" };
		return draft(
			STOP,
			(name, reason) =>
				new AiServerError("http", `The server does not know ${name}${reason}`, facts),
		);
	}
	if (NOT_LOADED.test(message)) {
		return draft(
			STOP,
			(name, reason) =>
				`${upper(name)} is not loaded, and the server does not load models on demand${reason}`,
		);
	}
	if (INTERRUPTED.test(message)) {
		return draft(
			RETRY,
			(name, reason) =>
				`Connection error: llama-swap was stopped or restarted while ${name} was loading${reason}`,
		);
	}
	if (UNLOADED.test(message)) {
		const facts: ErrorFacts = { hint: "Send the message again to load it" };
		return draft(
			STOP,
			(name, reason) =>
				new AiServerError(
					"http",
					`${upper(name)} was unloaded while it was loading${reason}`,
					facts,
				),
		);
	}
	return LOAD_FAILURE.test(message) ? draftLoadFailure(message, model, log ?? "") : undefined;
}

function draftLoadFailure(message: string, model: string, log: string): ErrorDraft {
	return {
		allowed: STOP,
		quotes: [model, message, oneLine(log)],
		write: (id, reason, lines = "") => {
			const name = id === undefined ? "The model" : `The model ${id}`;
			return new AiServerError(
				"http",
				reason === undefined
					? `${name} could not be loaded`
					: `${name} could not be loaded (${reason})`,
				{ hint: lines === "" ? "Check the model's log on the server" : `Its log: ${lines}` },
			);
		},
	};
}

/** What helps against an error of the request, where the message does not contain it. */
const REMEDIES: readonly (readonly [RegExp, string])[] = [
	[/tool call arguments/i, "Go back before that call with /tree"],
	[/(?:image|audio) input/i, "Go back before it with /tree, or give the model its mmproj file"],
	[/requires --jinja/i, "Add it to the model's command"],
];

function draftRequestError(message: string, culprits: string | undefined): ErrorDraft {
	const hint =
		culprits === undefined
			? REMEDIES.find(([error]) => error.test(message))?.[1]
			: `The likely reason is ${culprits}`;
	return {
		allowed: REFUSED,
		quotes: [message],
		write: (quoted) =>
			new AiServerError(
				"http",
				`The model's server rejected this request${
					quoted === undefined ? `; ${SEPARATELY}` : `: ${quoted}`
				}`,
				{ hint },
			),
	};
}

function upper(name: string): string {
	return `${name.slice(0, 1).toUpperCase()}${name.slice(1)}`;
}

/** A server's message in one line, without secrets and what only its programmers can read. */
function quoteOf({ message }: ServerError): string {
	const text = maskText(oneLine(withoutPrefix(message)))
		.replace(/[\u00ad\u200b\u2060-\u2064\ufeff]/g, "") // invisible
		.replace(/\[json\.exception\.\w+\.\d+\] /g, "")
		.replace(/; tools = [[{][\s\S]*$/, "");
	return text.length > MAX_QUOTE ? `${text.slice(0, MAX_QUOTE)}...` : text;
}

/** The text of a proxy's HTML page; undefined for anything else. */
function pageText(body: string): string | undefined {
	if (!/^\s*<(?:!doctype|html|\?xml|head|body|h1|center)/i.test(body)) return undefined;
	const title = /<title[^>]*>([^<]*)/i.exec(body)?.[1];
	const headed = body.replace(/<\/h1>/gi, ": ");
	const text = title ?? headed.replace(/<(style|script)[\s\S]*?<\/\1>|<[^>]*>/gi, " ");
	return oneLine(text.replace(/ +(?=: )/g, "")).slice(0, 200);
}
