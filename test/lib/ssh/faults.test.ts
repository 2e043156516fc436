import { expect, test } from "vitest";
import { fileFault, type LoginAttempt, sshFault } from "../../../lib/ssh/faults.ts";
import type { HostKeyVerdict } from "../../../lib/ssh/known-hosts.ts";

const ATTEMPT: LoginAttempt = {
	target: { user: "demo", host: "box", port: 2222 },
	verdict: undefined,
	offered: ["agent", "id_ed25519"],
	unusable: [],
};
const OK: HostKeyVerdict = { kind: "ok", fingerprint: "SHA256:abc" };

/** An error as ssh2 1.17 was recorded to make it. */
function ssh2Error(level: string | undefined, message: string, code?: unknown): Error {
	const facts = {
		...(level === undefined ? {} : { level }),
		...(code === undefined ? {} : { code }),
	};
	return Object.assign(new Error(message), facts);
}

test.each<readonly [string, unknown, RegExp, RegExp]>([
	[
		"refused",
		ssh2Error("client-socket", "connect ECONNREFUSED 127.0.0.1:2222", "ECONNREFUSED"),
		/^No SSH server listens at box:2222$/,
		/AI_SERVER_SSH_HOST/,
	],
	[
		"refused on both addresses",
		Object.assign(new AggregateError([]), { code: "ECONNREFUSED" }),
		/^No SSH server listens at box:2222$/,
		/AI_SERVER_SSH_HOST/,
	],
	[
		"unknown name",
		ssh2Error("client-socket", "getaddrinfo ENOTFOUND box", "ENOTFOUND"),
		/SSH host box is not known/,
		/DNS/,
	],
	[
		"no name server",
		ssh2Error("client-socket", "getaddrinfo EAI_AGAIN box", "EAI_AGAIN"),
		/SSH host box is not known/,
		/DNS/,
	],
	[
		"no route",
		ssh2Error("client-socket", "connect EHOSTUNREACH", "EHOSTUNREACH"),
		/no way to the SSH host box:2222/,
		/VPN/,
	],
	[
		"no network",
		ssh2Error("client-socket", "connect ENETUNREACH", "ENETUNREACH"),
		/no way to/,
		/VPN/,
	],
	[
		"packets swallowed",
		ssh2Error("client-socket", "connect ETIMEDOUT", "ETIMEDOUT"),
		/no way to/,
		/network/,
	],
	[
		"reset",
		ssh2Error("client-socket", "read ECONNRESET", "ECONNRESET"),
		/SSH to box:2222 failed: read ECONNRESET/,
		/ssh/,
	],
	[
		"silent server",
		ssh2Error("client-timeout", "Timed out while waiting for handshake"),
		/stopped answering/,
		/machine/,
	],
	[
		"dead connection",
		ssh2Error("client-timeout", "Keepalive timeout"),
		/stopped answering/,
		/machine/,
	],
	[
		"no SSH server",
		ssh2Error("protocol", "Connection lost before handshake"),
		/What answers at box:2222 is not an SSH server/,
		/AI_SERVER_SSH_HOST/,
	],
	[
		"no common key type",
		ssh2Error("handshake", "Handshake failed: no matching host key format"),
		/no common way: Handshake failed: no matching host key format/,
		/Update/,
	],
	[
		"key not accepted",
		ssh2Error("client-authentication", "All configured authentication methods failed"),
		/refused the login of demo@box \(offered: agent, id_ed25519\)$/,
		/^Put your key there: ssh-copy-id .*demo@box$/,
	],
	[
		"agent gone",
		ssh2Error("agent", "Failed to connect to agent"),
		/refused the login of demo@box/,
		/ssh-copy-id/,
	],
	[
		"too many keys",
		ssh2Error(undefined, "Too many authentication failures", 2),
		/Too many authentication failures/,
		/ssh/,
	],
	["closed", new Error("the connection was closed"), /the connection was closed/, /ssh/],
	["no error at all", undefined, /SSH to box:2222 failed: undefined/, /ssh/],
])("words it: %s", (_situation, error, message, hint) => {
	for (const verdict of [undefined, OK]) {
		expect(sshFault(error, { ...ATTEMPT, verdict })).toMatchObject({
			name: "AiServerError",
			code: "ssh",
			message: expect.stringMatching(message),
			hint: expect.stringMatching(hint),
		});
	}
	expect(sshFault(error, ATTEMPT).cause).toBe(error);
});

test("the way to put a key there uses the right port", () => {
	const error = ssh2Error("client-authentication", "All configured authentication methods failed");
	const hintAt = (port: number): string | undefined =>
		sshFault(error, { ...ATTEMPT, target: { ...ATTEMPT.target, port } }).hint;
	expect(hintAt(22)).toBe("Put your key there: ssh-copy-id demo@box");
	expect(hintAt(2222)).toBe("Put your key there: ssh-copy-id -p 2222 demo@box");
});

test("says what there was to log in with", () => {
	const error = ssh2Error("client-authentication", "All configured authentication methods failed");
	const nothing = { ...ATTEMPT, offered: [], unusable: ["id_rsa (encrypted)"] };
	expect(sshFault(error, nothing).message).toBe(
		"The SSH server refused the login of demo@box (no key to offer; not usable: id_rsa (encrypted))",
	);
});

const DENIED = ssh2Error("handshake", "Host denied (verification failed)");

test.each<readonly [HostKeyVerdict, number, string, string]>([
	[
		{ kind: "unknown", fingerprint: "SHA256:abc", onlyAuthority: false },
		2222,
		"The host key of [box]:2222 is unknown: SHA256:abc",
		"Run once, and compare the fingerprint: ssh -p 2222 demo@box",
	],
	[
		{ kind: "unknown", fingerprint: "SHA256:abc", onlyAuthority: false },
		22,
		"The host key of box is unknown: SHA256:abc",
		"Run once, and compare the fingerprint: ssh demo@box",
	],
	[
		{ kind: "unknown", fingerprint: "SHA256:abc", onlyAuthority: true },
		22,
		"The host key of box is unknown: SHA256:abc",
		"known_hosts has only a @cert-authority for it, which is not supported; run once: ssh demo@box",
	],
	[
		{ kind: "changed", fingerprint: "SHA256:abc", recorded: ["SHA256:old", "SHA256:older"] },
		2222,
		"The host key of [box]:2222 has changed: it is SHA256:abc, known is SHA256:old, SHA256:older",
		"If you know why, remove the old one: ssh-keygen -R '[box]:2222'",
	],
	[
		{ kind: "revoked", fingerprint: "SHA256:abc" },
		22,
		"The host key of box is revoked: SHA256:abc",
		"Do not connect; ask who runs the server",
	],
])("the verdict on the host key beats ssh2's one text: %o", (verdict, port, message, hint) => {
	const target = { ...ATTEMPT.target, port };
	expect(sshFault(DENIED, { ...ATTEMPT, target, verdict })).toMatchObject({
		code: "ssh",
		message,
		hint,
	});
});

test("names a host without a user as it is", () => {
	const verdict = { kind: "unknown", fingerprint: "SHA256:abc", onlyAuthority: false } as const;
	const target = { user: undefined, host: "box", port: 22 };
	expect(sshFault(DENIED, { ...ATTEMPT, target, verdict }).hint).toMatch(/: ssh box$/);
});

test.each([
	[{ code: 2, message: "No such file" }, "There is no file ~/config.yaml on the server"],
	[{ code: 3, message: "Permission denied" }, "The server does not let us read ~/config.yaml"],
	[{ code: 4, message: "Failure" }, "The server could not read ~/config.yaml: Failure"],
	[new Error("odd"), "The server could not read ~/config.yaml: odd"],
	[undefined, "The server could not read ~/config.yaml: undefined"],
])("words a file's fault %o", (error, message) => {
	expect(fileFault(error, "~/config.yaml")).toMatchObject({
		code: "ssh",
		message,
		hint: "Check AI_SERVER_PRESET_PATH",
	});
});
