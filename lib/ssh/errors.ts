import { AiServerError, type Setting } from "../errors.ts";
import {
	type HostKeyVerdict,
	type HostName,
	nameOf,
	type RecordedKey,
} from "./openssh/known-hosts.ts";
import type { Endpoint } from "./openssh/settings.ts";
import { shellQuote } from "./quote.ts";

type RefusedKey = Exclude<HostKeyVerdict, { readonly kind: "ok" }>;

/** The server was reached but offers no SFTP; commands may still run. */
export class NoSftpError extends AiServerError {
	constructor(cause?: unknown) {
		super("ssh", "The SSH server offers no SFTP", {
			hint: "Add `Subsystem sftp internal-sftp` to sshd_config on the server",
			cause,
		});
	}
}

/** Why no session could be opened; undefined when one was, and the server refused its purpose. */
export function openError(error: unknown): AiServerError | undefined {
	const { message = "", reason } = (error ?? {}) as { message?: string; reason?: unknown };
	if (/^(?:Not connected|No response from server)$/.test(message)) {
		return new AiServerError("ssh", "The SSH connection has ended", {
			hint: "Try again",
			cause: error,
		});
	}
	if (reason === undefined) return undefined;
	return new AiServerError("ssh", `The SSH server refused to open a session: ${message}`, {
		hint: "Try again; the server may limit the sessions of a login (MaxSessions)",
		cause: error,
	});
}

/** What is known about a login that failed, for the message. */
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

/** The AiServerError for an error of ssh2 or of the socket. */
export function sshError(error: unknown, attempt: LoginAttempt): AiServerError {
	const { endpoint, verdict } = attempt;
	if (verdict !== undefined && verdict.kind !== "ok") return hostKeyError(verdict, attempt);
	const where = `${endpoint.host}:${endpoint.port}`;
	const { level, code, message } = (error ?? {}) as {
		level?: string;
		code?: unknown;
		message?: string;
	};
	const failed = (text: string, hint: string, setting?: Setting): AiServerError =>
		new AiServerError("ssh", text, { hint, setting, cause: error });
	if (level === "client-authentication" || level === "agent") return loginError(attempt, error);
	switch (code) {
		case "ECONNREFUSED":
			return failed(
				`No SSH server listens at ${where}`,
				"Check the SSH target, or set it to none",
				"sshHost",
			);
		case "ENOTFOUND":
		case "EAI_AGAIN":
			return failed(
				`The SSH host ${endpoint.host} cannot be resolved`,
				"Check DNS, the VPN and the SSH target",
				"sshHost",
			);
		case "EHOSTUNREACH":
		case "ENETUNREACH":
		case "ETIMEDOUT":
			return failed(`No route to ${where}`, "Check the network and the VPN");
		default:
			break;
	}
	if (code === 2 && message === "Too many authentication failures") {
		return failed(
			`The SSH server at ${where} ended the login: ${message}`,
			"Select the right key in ~/.ssh/config with IdentityFile and IdentitiesOnly yes",
		);
	}
	if (level === "client-timeout") {
		return failed(`The SSH server at ${where} stopped answering`, "Try again, or check the server");
	}
	if (level === "handshake") {
		return failed(
			`SSH negotiation with ${where} failed: ${message ?? ""}`,
			"Update the SSH server",
		);
	}
	if (level === "protocol") {
		return failed(`${where} does not speak SSH`, "Check the SSH target", "sshHost");
	}
	return failed(
		`The SSH connection to ${where} failed: ${message ?? String(error)}`,
		`Try: ${loginCommand(endpoint)}`,
	);
}

function hostKeyError(verdict: RefusedKey, { endpoint, name: host }: LoginAttempt): AiServerError {
	const name = nameOf(host);
	const refused = (text: string, hint: string): AiServerError =>
		new AiServerError("ssh", text, { hint });
	switch (verdict.kind) {
		case "changed": {
			const recorded = verdict.recorded.map(describeRecord).join(", ");
			const files = [...new Set(verdict.recorded.map(({ path }) => path))];
			const commands = files.map(
				(path) => `ssh-keygen -f ${shellQuote(path)} -R ${shellQuote(name)}`,
			);
			return refused(
				`The host key of ${name} has changed: it is ${verdict.fingerprint}, recorded is ${recorded}`,
				`If you know why, remove the old key: ${commands.join(" && ")}`,
			);
		}
		case "revoked":
			return refused(
				`The host key of ${name} is revoked: ${describeRecord(verdict.recorded)}`,
				"Do not connect; ask the administrator of the server",
			);
		case "unknown":
			return refused(
				`The host key of ${name} is unknown: ${verdict.fingerprint}`,
				verdict.onlyAuthority
					? `known_hosts has only a @cert-authority for it, which is not supported. Log in once: ${loginCommand(endpoint)}`
					: `Log in once and compare the fingerprint: ${loginCommand(endpoint)}`,
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

function loginError({ endpoint, offered, unusable }: LoginAttempt, cause: unknown): AiServerError {
	const { user, host, port } = endpoint;
	const flag = port === 22 ? "" : `-p ${port} `;
	const tried = offered.length === 0 ? "no key to offer" : `offered: ${offered.join(", ")}`;
	const left = unusable.length === 0 ? "" : `; not usable: ${unusable.join(", ")}`;
	return new AiServerError(
		"ssh",
		`The SSH server refused the login of ${user}@${host} (${tried}${left})`,
		{ hint: `Install your public key there: ssh-copy-id ${flag}${user}@${host}`, cause },
	);
}
