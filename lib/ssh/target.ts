import { isIPv6 } from "node:net";
import { AiServerError } from "../errors.ts";
import type { SshTarget } from "./ssh.ts";

const DEFAULT_PORT = 22;

/**
 * Reads `[user@]host[:port]`, `[user@][v6]:port` or `ssh://...`, as AI_SERVER_SSH_HOST holds it.
 * Throws AiServerError "config" that names the variable.
 */
export function parseSshTarget(text: string): SshTarget {
	const bare = text.replace(/^ssh:\/\//i, "").replace(/\/$/, "");
	// The last "@": a user name may hold one, a host may not.
	const at = bare.lastIndexOf("@");
	const user = at < 0 ? undefined : bare.slice(0, at);
	const { host, port } = parseHost(bare.slice(at + 1));
	// A leading "-" would be an option, and the hints put both into a command line.
	const oddHost = !/^[\p{L}\p{N}._:%][\p{L}\p{N}._:%-]*$/u.test(host);
	const oddUser = user !== undefined && !/^[\p{L}\p{N}._+@][\p{L}\p{N}._+@-]*$/u.test(user);
	if (oddHost || oddUser) throw unusable(`is not a target: ${JSON.stringify(text)}`);
	return { user, host, port };
}

function parseHost(text: string): { readonly host: string; readonly port: number } {
	const bracketed = /^\[([^[\]]+)\](?::(.*))?$/.exec(text);
	if (bracketed !== null) return { host: bracketed[1] ?? "", port: parsePort(bracketed[2]) };
	if (isIPv6(text)) return { host: text, port: DEFAULT_PORT };
	const [host = "", port, ...more] = text.split(":");
	if (more.length > 0) throw unusable(`is not a target: ${JSON.stringify(text)}`);
	return { host, port: parsePort(port) };
}

function parsePort(text: string | undefined): number {
	if (text === undefined) return DEFAULT_PORT;
	const port = /^\d{1,5}$/.test(text) ? Number(text) : 0;
	if (port >= 1 && port <= 65_535) return port;
	throw unusable(`has the port ${JSON.stringify(text)}`);
}

function unusable(fault: string): AiServerError {
	return new AiServerError("config", `AI_SERVER_SSH_HOST ${fault}`, {
		hint: "Write it as user@host or user@host:port",
	});
}
