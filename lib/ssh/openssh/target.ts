import { isIPv6 } from "node:net";
import { AiServerError, type ErrorFacts } from "../../errors.ts";
import type { SshTarget } from "../types.ts";

/** For a target that the user has set. */
const SETTING: ErrorFacts = {
	hint: "Write it as user@host or user@host:port",
	setting: "sshHost",
};

/**
 * Reads `[user@]host[:port]`, `[user@][v6]:port` or `ssh://...`, as the setting and ProxyJump hold it.
 * Throws AiServerError "settings" with the given facts.
 */
export function parseSshTarget(text: string, facts: ErrorFacts = SETTING): SshTarget {
	const unusable = (message: string): AiServerError =>
		new AiServerError("settings", message, facts);
	const bare = text.replace(/^ssh:\/\//i, "").replace(/\/$/, "");
	// The last "@": a user name may hold one, a host may not.
	const at = bare.lastIndexOf("@");
	const user = at < 0 ? undefined : bare.slice(0, at);
	const parts = splitHost(bare.slice(at + 1));
	if (parts === undefined || !isHostName(parts.host) || (user !== undefined && !isUserName(user))) {
		throw unusable(`${JSON.stringify(text)} is not an SSH target`);
	}
	if (parts.port === undefined) return { user, host: parts.host, port: undefined };
	const port = /^\d{1,5}$/.test(parts.port) ? Number(parts.port) : 0;
	if (port < 1 || port > 65_535) {
		throw unusable(
			`${JSON.stringify(text)} is not an SSH target: ${JSON.stringify(parts.port)} is not a port`,
		);
	}
	return { user, host: parts.host, port };
}

/** The target as a user would write it. */
export function describeTarget({ user, host, port }: SshTarget): string {
	const name = port !== undefined && isIPv6(host) ? `[${host}]` : host;
	return `${user === undefined ? "" : `${user}@`}${name}${port === undefined ? "" : `:${port}`}`;
}

/** A leading "-" would be an option, and the hints put hosts and users into a command line. */
export function isHostName(text: string): boolean {
	return /^[\p{L}\p{N}._:%][\p{L}\p{N}._:%-]*$/u.test(text);
}

export function isUserName(text: string): boolean {
	return /^[\p{L}\p{N}._+@][\p{L}\p{N}._+@-]*$/u.test(text);
}

function splitHost(
	text: string,
): { readonly host: string; readonly port: string | undefined } | undefined {
	const bracketed = /^\[([^[\]]+)\](?::(.*))?$/.exec(text);
	if (bracketed !== null) return { host: bracketed[1] ?? "", port: bracketed[2] };
	if (isIPv6(text)) return { host: text, port: undefined };
	const [host = "", port, ...more] = text.split(":");
	return more.length > 0 ? undefined : { host, port };
}
