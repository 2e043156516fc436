import { AiServerError } from "../errors.ts";
import {
	type HostKeyVerdict,
	type HostName,
	nameOf,
	type RecordedKey,
} from "./openssh/known-hosts.ts";
import type { Endpoint } from "./openssh/settings.ts";
import { shellQuote } from "./quote.ts";

type RefusedKey = Exclude<HostKeyVerdict, { readonly kind: "ok" }>;

/** The server is reached and serves no SFTP; commands may still run. */
export class NoSftpError extends AiServerError {
	constructor(cause?: unknown) {
		super("ssh", "The SSH server offers no SFTP", {
			hint: "Add `Subsystem sftp internal-sftp` to its sshd_config",
			cause,
		});
	}
}

/** Why no session could be opened; undefined when one was, and the server refused what it was for. */
export function openFault(error: unknown): AiServerError | undefined {
	const { message = "", reason } = (error ?? {}) as { message?: string; reason?: unknown };
	if (/^(?:Not connected|No response from server)$/.test(message)) {
		return new AiServerError("ssh", "The SSH connection has ended", {
			hint: "Try again",
			cause: error,
		});
	}
	if (reason === undefined) return undefined;
	return new AiServerError("ssh", `The SSH server opens no session: ${message}`, {
		hint: "Try again; it may limit the sessions of a login (MaxSessions)",
		cause: error,
	});
}

/** What was tried before ssh2 gave up, for the message. */
export interface LoginAttempt {
	readonly endpoint: Endpoint;
	readonly name: HostName;
	/** Undefined when the connection broke before the host showed its key. */
	readonly verdict: HostKeyVerdict | undefined;
	/** Names of the keys that were offered: "agent", file names. */
	readonly offered: readonly string[];
	/** Key files that could not be used, each with its reason. */
	readonly unusable: readonly string[];
}

/** Words what ssh2 or the socket said for a person. */
export function sshFault(error: unknown, attempt: LoginAttempt): AiServerError {
	const { endpoint, verdict } = attempt;
	if (verdict !== undefined && verdict.kind !== "ok") return hostKeyFault(verdict, attempt);
	const where = `${endpoint.host}:${endpoint.port}`;
	const { level, code, message } = (error ?? {}) as {
		level?: string;
		code?: unknown;
		message?: string;
	};
	const fault = (text: string, hint: string): AiServerError =>
		new AiServerError("ssh", text, { hint, cause: error });
	if (level === "client-authentication" || level === "agent") return loginFault(attempt, error);
	switch (code) {
		case "ECONNREFUSED":
			return fault(
				`No SSH server listens at ${where}`,
				"Check AI_SERVER_SSH_HOST, or set it to none",
			);
		case "ENOTFOUND":
		case "EAI_AGAIN":
			return fault(
				`The SSH host ${endpoint.host} is not known`,
				"Check AI_SERVER_SSH_HOST, the DNS and the VPN",
			);
		case "EHOSTUNREACH":
		case "ENETUNREACH":
		case "ETIMEDOUT":
			return fault(`There is no way to the SSH host ${where}`, "Check the network and the VPN");
		default:
			break;
	}
	if (code === 2 && message === "Too many authentication failures") {
		return fault(
			`The SSH server at ${where} ended the login: ${message}`,
			"Name the right key in ~/.ssh/config, by IdentityFile and IdentitiesOnly yes",
		);
	}
	if (level === "client-timeout") {
		return fault(
			`The SSH server at ${where} stopped answering`,
			"Try again, or look at the machine",
		);
	}
	if (level === "handshake") {
		return fault(
			`SSH with ${where} found no common way: ${message ?? ""}`,
			"Update the SSH server",
		);
	}
	if (level === "protocol") {
		return fault(`What answers at ${where} is not an SSH server`, "Check AI_SERVER_SSH_HOST");
	}
	return fault(`SSH to ${where} failed: ${message ?? String(error)}`, "Try the same with ssh");
}

/** An SFTP status code about a file (draft-ietf-secsh-filexfer-02, section 7). */
export function fileFault(error: unknown, path: string): AiServerError {
	const { code, message } = (error ?? {}) as { code?: unknown; message?: string };
	const hint = "Check AI_SERVER_PRESET_PATH";
	const words =
		code === 2
			? `There is no file ${path} on the server`
			: code === 3
				? `The server does not let us read ${path}`
				: `The server could not read ${path}: ${message ?? String(error)}`;
	return new AiServerError("ssh", words, { hint, cause: error });
}

function hostKeyFault(verdict: RefusedKey, { endpoint, name: host }: LoginAttempt): AiServerError {
	const name = nameOf(host);
	const fault = (text: string, hint: string): AiServerError =>
		new AiServerError("ssh", text, { hint });
	switch (verdict.kind) {
		case "changed": {
			const recorded = verdict.recorded.map(describeRecord).join(", ");
			const files = [...new Set(verdict.recorded.map(({ path }) => path))];
			const commands = files.map(
				(path) => `ssh-keygen -f ${shellQuote(path)} -R ${shellQuote(name)}`,
			);
			return fault(
				`The host key of ${name} has changed: it is ${verdict.fingerprint}, known is ${recorded}`,
				`If you know why, remove the old one: ${commands.join(" && ")}`,
			);
		}
		case "revoked":
			return fault(
				`The host key of ${name} is revoked: it is ${verdict.fingerprint}, revoked is ${describeRecord(verdict.recorded)}`,
				"Do not connect; ask who runs the server",
			);
		case "unknown":
			return fault(
				`The host key of ${name} is unknown: ${verdict.fingerprint}`,
				verdict.onlyAuthority
					? `known_hosts has only a @cert-authority for it, which is not supported; run once: ${loginCommand(endpoint)}`
					: `Run once, and compare the fingerprint: ${loginCommand(endpoint)}`,
			);
		default:
			return verdict satisfies never;
	}
}

function describeRecord({ type, fingerprint, path, line }: RecordedKey): string {
	return `${fingerprint} (${type}, ${path}:${line})`;
}

function loginCommand({ user, host, port }: Endpoint): string {
	return port === 22 ? `ssh ${user}@${host}` : `ssh -p ${port} ${user}@${host}`;
}

function loginFault({ endpoint, offered, unusable }: LoginAttempt, cause: unknown): AiServerError {
	const { user, host, port } = endpoint;
	const flag = port === 22 ? "" : `-p ${port} `;
	const tried = offered.length === 0 ? "no key to offer" : `offered: ${offered.join(", ")}`;
	const left = unusable.length === 0 ? "" : `; not usable: ${unusable.join(", ")}`;
	return new AiServerError(
		"ssh",
		`The SSH server refused the login of ${user}@${host} (${tried}${left})`,
		{ hint: `Put your key there: ssh-copy-id ${flag}${user}@${host}`, cause },
	);
}
