import { AiServerError } from "../errors.ts";
import { type HostKeyVerdict, nameOf } from "./known-hosts.ts";
import type { SshTarget } from "./ssh.ts";

type RefusedKey = Exclude<HostKeyVerdict, { readonly kind: "ok" }>;

/** What was tried before ssh2 gave up, for the message. */
export interface LoginAttempt {
	readonly target: SshTarget;
	/** Undefined when the connection broke before the host showed its key. */
	readonly verdict: HostKeyVerdict | undefined;
	/** Names of the keys that were offered: "agent", file names. */
	readonly offered: readonly string[];
	/** Key files that could not be used, each with its reason. */
	readonly unusable: readonly string[];
}

/** Words what ssh2 or the socket said for a person. */
export function sshFault(error: unknown, attempt: LoginAttempt): AiServerError {
	const { target, verdict } = attempt;
	if (verdict !== undefined && verdict.kind !== "ok") return hostKeyFault(verdict, target);
	const where = `${target.host}:${target.port}`;
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
				`The SSH host ${target.host} is not known`,
				"Check AI_SERVER_SSH_HOST, the DNS and the VPN",
			);
		case "EHOSTUNREACH":
		case "ENETUNREACH":
		case "ETIMEDOUT":
			return fault(`There is no way to the SSH host ${where}`, "Check the network and the VPN");
		default:
			break;
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

function hostKeyFault(verdict: RefusedKey, target: SshTarget): AiServerError {
	const name = nameOf(target);
	const login = target.user === undefined ? target.host : `${target.user}@${target.host}`;
	const command = target.port === 22 ? `ssh ${login}` : `ssh -p ${target.port} ${login}`;
	switch (verdict.kind) {
		case "changed":
			return new AiServerError(
				"ssh",
				`The host key of ${name} has changed: it is ${verdict.fingerprint}, known is ${verdict.recorded.join(", ")}`,
				{ hint: `If you know why, remove the old one: ssh-keygen -R '${name}'` },
			);
		case "revoked":
			return new AiServerError(
				"ssh",
				`The host key of ${name} is revoked: ${verdict.fingerprint}`,
				{
					hint: "Do not connect; ask who runs the server",
				},
			);
		case "unknown":
			return new AiServerError(
				"ssh",
				`The host key of ${name} is unknown: ${verdict.fingerprint}`,
				{
					hint: verdict.onlyAuthority
						? `known_hosts has only a @cert-authority for it, which is not supported; run once: ${command}`
						: `Run once, and compare the fingerprint: ${command}`,
				},
			);
		default:
			return verdict satisfies never;
	}
}

function loginFault({ target, offered, unusable }: LoginAttempt, cause: unknown): AiServerError {
	const login = `${target.user ?? "you"}@${target.host}`;
	const port = target.port === 22 ? "" : `-p ${target.port} `;
	const tried = offered.length === 0 ? "no key to offer" : `offered: ${offered.join(", ")}`;
	const left = unusable.length === 0 ? "" : `; not usable: ${unusable.join(", ")}`;
	return new AiServerError(
		"ssh",
		`The SSH server refused the login of ${login} (${tried}${left})`,
		{
			hint: `Put your key there: ssh-copy-id ${port}${login}`,
			cause,
		},
	);
}
