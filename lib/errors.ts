export type ErrorCode =
	| "config" // a setting is unusable
	| "tls" // a certificate or the handshake
	| "network" // the way to the server; worth another try
	| "http" // the server answered with an error status
	| "timeout" // nothing came for too long
	| "ssh" // the way to the box for administration
	| "preset" // llama-swap's config.yaml
	| "protocol"; // something answered, but not in the way we understand

export interface ErrorFacts {
	/** What to do next: one sentence, without a full stop at the end. */
	readonly hint?: string | undefined;
	/** HTTP status, for code "http". */
	readonly status?: number | undefined;
	/** The server's own words, for code "http", where it said any; the message has them as well. */
	readonly said?: string | undefined;
	readonly cause?: unknown;
}

/** The one error this extension throws: a closed set of codes, one line for a person, and a hint. */
export class AiServerError extends Error {
	override readonly name = "AiServerError";
	readonly code: ErrorCode;
	readonly hint: string | undefined;
	readonly status: number | undefined;
	readonly said: string | undefined;

	constructor(code: ErrorCode, message: string, facts: ErrorFacts = {}) {
		super(message, facts.cause === undefined ? undefined : { cause: facts.cause });
		this.code = code;
		this.hint = facts.hint;
		this.status = facts.status;
		this.said = facts.said;
	}
}

/** One line for a person: the message, then the hint where there is one. */
export function describeError(error: unknown): string {
	const message = error instanceof Error ? error.message || error.name : String(error);
	const line = oneLine(message);
	const hint = error instanceof AiServerError ? error.hint : undefined;
	if (hint === undefined) return line;
	return `${/[.?!]$/.test(line) ? line : `${line}.`} ${oneLine(hint)}`;
}

/** True for the rejection of an aborted request, whoever threw it. */
export function isAbort(error: unknown): boolean {
	return error instanceof Error && error.name === "AbortError";
}

/**
 * Text of a server on its way to a terminal: control characters (C0, C1, DEL) and the
 * Unicode direction overrides become blanks, so that no answer can move the cursor or hide text.
 */
export function plainText(text: string): string {
	return text
		.replace(/\u001b(?:\[[0-?]*[ -/]*[@-~]|\][^\u0007\u001b]*(?:\u0007|\u001b\\)?|.)/g, "")
		.replace(/[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]/g, " ");
}

function oneLine(text: string): string {
	return plainText(text).replace(/\s+/g, " ").trim();
}
