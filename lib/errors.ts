import { oneLine } from "./text.ts";

export type ErrorCode =
	| "settings" // a setting is unusable
	| "usage" // a command was typed wrong
	| "tls" // a certificate or the handshake
	| "network" // the way to the server; worth another try
	| "http" // the server answered with an error status
	| "timeout" // nothing came for too long
	| "ssh" // the way to the box for administration
	| "config" // llama-swap's config.yaml
	| "protocol"; // something answered, but not in the way we understand

/** What can be set for a server. What a user calls it (a variable, a key of a file) is in `Names`. */
export type Setting =
	| "url"
	| "apiKey"
	| "certsDir"
	| "ca"
	| "clientCert"
	| "clientKey"
	| "keyPassphrase"
	| "timeoutMs"
	| "sshHost"
	| "configPath"
	| "serviceUnit"
	| "serviceScope"
	| "paths";

/** What the user calls the settings and commands of one server, for messages. */
export interface Names {
	/** The name of a variable, or of a key of a file. */
	setting(setting: Setting): string;
	/** "/box-refresh" for "refresh". */
	command(name: string): string;
}

export interface ErrorFacts {
	/** What to do next: one sentence, without a full stop at the end. */
	readonly hint?: string | undefined;
	/** The settings that the hint is about; their names are appended to it. */
	readonly setting?: Setting | readonly Setting[] | undefined;
	/** The command that does what the hint says: "refresh". Its name is appended to the hint. */
	readonly command?: string | undefined;
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
	readonly settings: readonly Setting[];
	readonly command: string | undefined;
	readonly status: number | undefined;
	readonly said: string | undefined;

	constructor(code: ErrorCode, message: string, facts: ErrorFacts = {}) {
		super(message, facts.cause === undefined ? undefined : { cause: facts.cause });
		this.code = code;
		this.hint = facts.hint;
		this.settings = facts.setting === undefined ? [] : [facts.setting].flat();
		this.command = facts.command;
		this.status = facts.status;
		this.said = facts.said;
	}
}

/**
 * One line for a person: the message, then the hint where there is one, with the names of the
 * settings and the command that it is about: "Check the address (BOX_URL)".
 */
export function describeError(error: unknown, names?: Names): string {
	const message = error instanceof Error ? error.message || error.name : String(error);
	const line = oneLine(message);
	if (!(error instanceof AiServerError) || error.hint === undefined) return line;
	const said = `${/[.?!]$/.test(line) ? line : `${line}.`} ${oneLine(error.hint)}`;
	if (names === undefined) return said;
	const { settings, command } = error;
	const unnamed = settings
		.map((setting) => names.setting(setting))
		.filter((name) => !said.includes(name));
	const named = unnamed.length === 0 ? said : `${said} (${unnamed.join(", ")})`;
	return command === undefined ? named : `${named}: ${names.command(command)}`;
}

/** True for the rejection of an aborted request, whoever threw it. */
export function isAbort(error: unknown): boolean {
	return error instanceof Error && error.name === "AbortError";
}
