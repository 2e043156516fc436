import { expect, test } from "vitest";
import { type LoginAttempt, openError, sshError } from "../../../lib/ssh/errors.ts";
import type { HostKeyVerdict, RecordedKey } from "../../../lib/ssh/openssh/known-hosts.ts";

const ATTEMPT: LoginAttempt = {
	endpoint: { user: "demo", host: "box", port: 2222 },
	name: { host: "box", port: 2222 },
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
		/Check the SSH target/,
	],
	[
		"refused on both addresses",
		Object.assign(new AggregateError([]), { code: "ECONNREFUSED" }),
		/^No SSH server listens at box:2222$/,
		/Check the SSH target/,
	],
	[
		"unknown name",
		ssh2Error("client-socket", "getaddrinfo ENOTFOUND box", "ENOTFOUND"),
		/^The SSH host box cannot be resolved$/,
		/DNS/,
	],
	[
		"no name server",
		ssh2Error("client-socket", "getaddrinfo EAI_AGAIN box", "EAI_AGAIN"),
		/^The SSH host box cannot be resolved$/,
		/DNS/,
	],
	[
		"no route",
		ssh2Error("client-socket", "connect EHOSTUNREACH", "EHOSTUNREACH"),
		/^No route to box:2222$/,
		/VPN/,
	],
	[
		"no network",
		ssh2Error("client-socket", "connect ENETUNREACH", "ENETUNREACH"),
		/^No route to/,
		/VPN/,
	],
	[
		"packets swallowed",
		ssh2Error("client-socket", "connect ETIMEDOUT", "ETIMEDOUT"),
		/^No route to/,
		/network/,
	],
	[
		"reset",
		ssh2Error("client-socket", "read ECONNRESET", "ECONNRESET"),
		/^The SSH connection to box:2222 failed: read ECONNRESET$/,
		/^Try: ssh -p 2222 demo@box$/,
	],
	[
		"silent server",
		ssh2Error("client-timeout", "Timed out while waiting for handshake"),
		/stopped answering/,
		/server/,
	],
	[
		"dead connection",
		ssh2Error("client-timeout", "Keepalive timeout"),
		/stopped answering/,
		/server/,
	],
	[
		"no SSH server",
		ssh2Error("protocol", "Connection lost before handshake"),
		/^box:2222 does not speak SSH$/,
		/Check the SSH target/,
	],
	[
		"no common key type",
		ssh2Error("handshake", "Handshake failed: no matching host key format"),
		/^SSH negotiation with box:2222 failed: Handshake failed: no matching host key format$/,
		/Update/,
	],
	[
		"key not accepted",
		ssh2Error("client-authentication", "All configured authentication methods failed"),
		/refused the login of demo@box \(offered: agent, id_ed25519\)$/,
		/^Install your public key there: ssh-copy-id .*demo@box$/,
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
	["no error at all", undefined, /connection to box:2222 failed: undefined/, /ssh/],
])("the message for: %s", (_situation, error, message, hint) => {
	for (const verdict of [undefined, OK]) {
		expect(sshError(error, { ...ATTEMPT, verdict })).toMatchObject({
			name: "AiServerError",
			code: "ssh",
			message: expect.stringMatching(message),
			hint: expect.stringMatching(hint),
		});
	}
	expect(sshError(error, ATTEMPT).cause).toBe(error);
});

test("the way to put a key there uses the right port", () => {
	const error = ssh2Error("client-authentication", "All configured authentication methods failed");
	const hintAt = (port: number): string | undefined =>
		sshError(error, { ...ATTEMPT, endpoint: { ...ATTEMPT.endpoint, port } }).hint;
	expect(hintAt(22)).toBe("Install your public key there: ssh-copy-id demo@box");
	expect(hintAt(2222)).toBe("Install your public key there: ssh-copy-id -p 2222 demo@box");
});

test("lists what was offered to log in with", () => {
	const error = ssh2Error("client-authentication", "All configured authentication methods failed");
	const nothing = { ...ATTEMPT, offered: [], unusable: ["id_rsa (encrypted)"] };
	expect(sshError(error, nothing).message).toBe(
		"The SSH server refused the login of demo@box (no key to offer; not usable: id_rsa (encrypted))",
	);
});

/** A verdict on a host that is not recorded. */
function unknown(onlyAuthority: boolean): HostKeyVerdict {
	const fingerprint = "SHA256:abc";
	return { kind: "unknown", fingerprint, keyType: "ssh-ed25519", onlyAuthority };
}

/** A key on a line of a file. */
function recorded(fingerprint: string, path: string, line: number): RecordedKey {
	return { type: "ssh-ed25519", fingerprint, path, line };
}

const DENIED = ssh2Error("handshake", "Host denied (verification failed)");

test.each<readonly [HostKeyVerdict, number, string, string]>([
	[
		unknown(false),
		2222,
		"The host key of [box]:2222 is unknown: SHA256:abc",
		"Log in once and compare the fingerprint: ssh -p 2222 demo@box",
	],
	[
		unknown(false),
		22,
		"The host key of box is unknown: SHA256:abc",
		"Log in once and compare the fingerprint: ssh demo@box",
	],
	[
		unknown(true),
		22,
		"The host key of box is unknown: SHA256:abc",
		"known_hosts has only a @cert-authority for it, which is not supported. Log in once: ssh demo@box",
	],
	[
		{
			kind: "changed",
			fingerprint: "SHA256:abc",
			recorded: [
				recorded("SHA256:old", "/h/known_hosts", 3),
				recorded("SHA256:older", "/h/known_hosts", 9),
			],
		},
		2222,
		"The host key of [box]:2222 has changed: it is SHA256:abc, recorded is SHA256:old (ssh-ed25519, /h/known_hosts:3), SHA256:older (ssh-ed25519, /h/known_hosts:9)",
		"If you know why, remove the old key: ssh-keygen -f '/h/known_hosts' -R '[box]:2222'",
	],
	[
		{
			kind: "changed",
			fingerprint: "SHA256:abc",
			recorded: [recorded("SHA256:old", "/h/a", 1), recorded("SHA256:older", "/h/$(b)'s", 1)],
		},
		22,
		"The host key of box has changed: it is SHA256:abc, recorded is SHA256:old (ssh-ed25519, /h/a:1), SHA256:older (ssh-ed25519, /h/$(b)'s:1)",
		"If you know why, remove the old key: ssh-keygen -f '/h/a' -R 'box' && ssh-keygen -f '/h/$(b)'\\''s' -R 'box'",
	],
	[
		{ kind: "revoked", fingerprint: "SHA256:abc", recorded: recorded("SHA256:abc", "/h/a", 2) },
		22,
		"The host key of box is revoked: SHA256:abc (ssh-ed25519, /h/a:2)",
		"Do not connect; ask the administrator of the server",
	],
])("the verdict on the host key beats ssh2's one text: %o", (verdict, port, message, hint) => {
	const endpoint = { ...ATTEMPT.endpoint, port };
	const name = { ...ATTEMPT.name, port };
	expect(sshError(DENIED, { ...ATTEMPT, endpoint, name, verdict })).toMatchObject({
		code: "ssh",
		message,
		hint,
	});
});

test("a HostKeyAlias is the name to remove from known_hosts", () => {
	const name = { ...ATTEMPT.name, alias: "boxy" };
	const verdict: HostKeyVerdict = {
		kind: "changed",
		fingerprint: "SHA256:abc",
		recorded: [recorded("SHA256:old", "/h/a", 1)],
	};
	expect(sshError(DENIED, { ...ATTEMPT, name, verdict })).toMatchObject({
		message: expect.stringMatching(/^The host key of boxy has changed/),
		hint: expect.stringMatching(/-R 'boxy'$/),
	});
});

test.each<readonly [unknown, RegExp | undefined]>([
	[new Error("Not connected"), /connection has ended/],
	[new Error("No response from server"), /connection has ended/],
	[
		Object.assign(new Error("(SSH) Channel open failure: open failed"), { reason: 1 }),
		/refused to open a session: .*open failed/,
	],
	[new Error("Unable to start subsystem: sftp"), undefined],
	[undefined, undefined],
])(
	"distinguishes a session that was not opened from one that was refused: %o",
	(error, message) => {
		const failure = openError(error);
		if (message === undefined) expect(failure).toBeUndefined();
		else expect(failure?.message).toMatch(message);
	},
);
