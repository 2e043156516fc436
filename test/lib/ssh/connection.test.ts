import { once } from "node:events";
import { appendFile, mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { createServer, type Socket } from "node:net";
import { join } from "node:path";
import ssh2 from "ssh2";
import { expect, onTestFinished, test } from "vitest";
import { AiServerError } from "../../../lib/errors.ts";
import { keyFingerprint } from "../../../lib/ssh/openssh/known-hosts.ts";
import {
	client,
	demo,
	keyPair,
	listen,
	oneFile,
	readText,
	scripted,
	TEXT,
	temporary,
} from "../../support/ssh-rig.ts";

const { generateKeyPairSync } = ssh2.utils;

test.each([
	["~/config.yaml"],
	["/home/demo/config.yaml"],
	["config.yaml"],
	["/home/demo/../demo/config.yaml"],
])("reads %s", async (path) => {
	const { ssh } = await demo();
	expect(await readText(ssh, path)).toBe(TEXT);
});

test("a tilde is the home only in front of a slash", async () => {
	const { ssh, remoteHome } = await demo();
	await writeFile(join(remoteHome, "~config"), "tilde");
	expect(await readText(ssh, "~config")).toBe("tilde");
	expect(await readText(ssh, "/home/demo/~config")).toBe("tilde");
});

test.each([
	["empty", ""],
	["of one packet", "x".repeat(32_768)],
	["of many packets", "0123456789é漢🎉".repeat(20_000)],
	["with CRLF, a byte order mark and no last line end", "\ufeffa\r\nb"],
])("reads a file %s as it is", async (_what, text) => {
	const { ssh, remoteHome } = await demo();
	await writeFile(join(remoteHome, "file"), text);
	expect((await readText(ssh, "~/file")) === text).toBe(true);
});

test("reads what the file holds now, over the same login", async () => {
	const { server, ssh, remoteHome } = await demo();
	for (const text of ["one", "two", "three"]) {
		await writeFile(join(remoteHome, "config.yaml"), text);
		expect(await readText(ssh, "~/config.yaml")).toBe(text);
	}
	expect(server.logins()).toBe(1);
});

test("operations at the same time share one login", async () => {
	const { server, ssh } = await demo();
	const reads = Array.from({ length: 5 }, () => readText(ssh, "~/config.yaml"));
	expect(new Set(await Promise.all(reads))).toEqual(new Set([TEXT]));
	expect(server.logins()).toBe(1);
});

test("makes no connection before the first operation", async () => {
	let connections = 0;
	const port = await listen(
		createServer((socket) => {
			connections += 1;
			socket.destroy();
		}),
	);
	const ssh = client(await temporary(), port);
	ssh.close();
	expect(connections).toBe(0);
	await expect(readText(ssh, "x")).rejects.toMatchObject({ code: "ssh" });
	expect(connections).toBe(1);
});

test.each([
	["~/missing.yaml", /^~\/missing\.yaml does not exist on the server$/],
	["~/missing/config.yaml", / does not exist on the server$/],
	["/etc/passwd", /^No permission to read \/etc\/passwd on the server$/],
	["~/folder", /^Reading ~\/folder on the server failed: /],
])("a file that cannot be read: %s", async (path, message) => {
	const { server, ssh, remoteHome } = await demo();
	await mkdir(join(remoteHome, "folder"));
	await expect(readText(ssh, path)).rejects.toMatchObject({
		name: "AiServerError",
		code: "ssh",
		message: expect.stringMatching(message),
		hint: "Check the path",
	});
	expect(await readText(ssh, "~/config.yaml")).toBe(TEXT);
	expect(server.logins()).toBe(1);
});

test("a file that is too large is refused, one that just fits is not", async () => {
	const { ssh, remoteHome } = await demo();
	await writeFile(join(remoteHome, "large"), "x".repeat(100_000));
	expect(await readText(ssh, "~/large", 100_000)).toHaveLength(100_000);
	await expect(readText(ssh, "~/large", 99_999)).rejects.toMatchObject({
		code: "ssh",
		message: "~/large on the server is larger than 99999 bytes",
	});
});

/** The key the demo's server shows, from a known_hosts that has it. */
async function serverKey(home: string): Promise<string> {
	const text = await readFile(join(home, ".ssh", "known_hosts"), "utf8");
	return text.trim().split(" ").slice(1).join(" ");
}

function fingerprint(publicKey: string): string {
	return keyFingerprint(Buffer.from(publicKey.split(" ")[1] ?? "", "base64"));
}

test("an unknown host key is refused before any login", async () => {
	const { server, home, ssh } = await demo();
	const shown = fingerprint(await serverKey(home));
	await server.writeClientFiles(home, "none");
	await expect(readText(ssh, "~/config.yaml")).rejects.toMatchObject({
		code: "ssh",
		message: `The host key of [127.0.0.1]:${server.port} is unknown: ${shown}`,
		hint: `Log in once and compare the fingerprint: ssh -p ${server.port} demo@127.0.0.1`,
	});
	expect(server.logins()).toBe(0);
	await server.writeClientFiles(home); // now the user has compared it
	expect(await readText(ssh, "~/config.yaml")).toBe(TEXT);
});

test("a host without any known_hosts is unknown", async () => {
	const { server, home, ssh } = await demo();
	await rm(join(home, ".ssh", "known_hosts"));
	await expect(readText(ssh, "~/config.yaml")).rejects.toThrow(/is unknown: SHA256:/);
	expect(server.logins()).toBe(0);
});

test("a changed host key is refused before any login", async () => {
	const { server, home, ssh } = await demo();
	const shown = fingerprint(await serverKey(home));
	await server.writeClientFiles(home, "wrong");
	const known = fingerprint(await serverKey(home));
	await expect(readText(ssh, "~/config.yaml")).rejects.toMatchObject({
		code: "ssh",
		message: `The host key of [127.0.0.1]:${server.port} has changed: it is ${shown}, recorded is ${known} (ssh-ed25519, ${join(home, ".ssh", "known_hosts")}:1)`,
		hint: `If you know why, remove the old key: ssh-keygen -f '${join(home, ".ssh", "known_hosts")}' -R '[127.0.0.1]:${server.port}'`,
	});
	expect(server.logins()).toBe(0);
});

test("a revoked host key is refused before any login", async () => {
	const { server, home, ssh } = await demo();
	const key = await serverKey(home);
	await appendFile(join(home, ".ssh", "known_hosts"), `@revoked * ${key}\n`);
	await expect(readText(ssh, "~/config.yaml")).rejects.toMatchObject({
		code: "ssh",
		message: `The host key of [127.0.0.1]:${server.port} is revoked: ${fingerprint(key)} (ssh-ed25519, ${join(home, ".ssh", "known_hosts")}:2)`,
	});
	expect(server.logins()).toBe(0);
});

test.each(["known_hosts2", "system"])("a host key in %s is known", async (file) => {
	const { server, home } = await demo();
	const line = await readFile(join(home, ".ssh", "known_hosts"), "utf8");
	await rm(join(home, ".ssh", "known_hosts"));
	const system = join(home, "system_known_hosts");
	await writeFile(file === "system" ? system : join(home, ".ssh", file), line);
	const ssh = client(home, server.port, { systemKnownHosts: system });
	expect(await readText(ssh, "~/config.yaml")).toBe(TEXT);
});

test("a host known by its RSA key is asked for that one", async () => {
	const rsa = generateKeyPairSync("rsa", { bits: 2048 });
	const { port, home } = await scripted({
		hostKeys: [keyPair().private, rsa.private],
		known: rsa.public,
		sftp: oneFile((answer) => answer()),
	});
	expect(await readText(client(home, port), "x")).toBe("hello");
});

test("a port where nothing listens is named", async () => {
	const { server, ssh } = await demo();
	await server.close();
	await expect(readText(ssh, "~/config.yaml")).rejects.toMatchObject({
		code: "ssh",
		message: `No SSH server listens at 127.0.0.1:${server.port}`,
		settings: ["sshHost"],
	});
});

test.each<readonly [string, (socket: Socket) => void]>([
	["closes at once", (socket) => socket.end()],
	[
		"speaks HTTP",
		(socket) =>
			socket.once("data", () =>
				socket.end("HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n"),
			),
	],
])("what %s is no SSH server", async (_what, serve) => {
	const port = await listen(
		createServer((socket) => {
			socket.on("error", () => undefined);
			serve(socket);
		}),
	);
	await expect(readText(client(await temporary(), port), "x")).rejects.toMatchObject({
		code: "ssh",
		message: `127.0.0.1:${port} does not speak SSH`,
	});
});

test("a silent server is given up", async () => {
	const sockets: Socket[] = [];
	const port = await listen(createServer((socket) => void sockets.push(socket)));
	onTestFinished(() => {
		for (const socket of sockets) socket.destroy();
	});
	const ssh = client(await temporary(), port, { deadlineMs: 200 });
	await expect(readText(ssh, "x")).rejects.toMatchObject({
		code: "ssh",
		message: `The SSH server at 127.0.0.1:${port} stopped answering`,
	});
});

test("a file that never comes is given up", async () => {
	const { port, home } = await scripted({ sftp: oneFile(() => undefined) });
	const ssh = client(home, port, { deadlineMs: 2000 });
	await expect(readText(ssh, "x")).rejects.toMatchObject({
		code: "timeout",
		message: "The SSH server did not answer within 2 s",
	});
});

test.each<readonly [string, (home: string) => Promise<unknown>, string]>([
	[
		"another key",
		(home) => writeFile(join(home, ".ssh", "id_ed25519"), keyPair().private),
		"offered: id_ed25519",
	],
	["no key", (home) => rm(join(home, ".ssh", "id_ed25519")), "no key to offer"],
	[
		"an encrypted key",
		(home) =>
			writeFile(
				join(home, ".ssh", "id_ed25519"),
				generateKeyPairSync("ecdsa", {
					bits: 256,
					passphrase: "x",
					cipher: "aes256-cbc",
					rounds: 1,
				}).private,
			),
		"no key to offer; not usable: id_ed25519 (encrypted)",
	],
	[
		"a public key in the private one's place",
		(home) => writeFile(join(home, ".ssh", "id_ed25519"), keyPair().public),
		"no key to offer; not usable: id_ed25519 (no private key)",
	],
])("a login with %s is refused with a reason", async (_what, spoil, tried) => {
	const { server, home, ssh } = await demo();
	const key = await readFile(join(home, ".ssh", "id_ed25519"));
	await spoil(home);
	await expect(readText(ssh, "~/config.yaml")).rejects.toMatchObject({
		code: "ssh",
		message: `The SSH server refused the login of demo@127.0.0.1 (${tried})`,
		hint: expect.stringContaining("ssh-copy-id"),
	});
	expect(server.logins()).toBe(0);
	await writeFile(join(home, ".ssh", "id_ed25519"), key);
	expect(await readText(ssh, "~/config.yaml")).toBe(TEXT); // the next try looks again
});

test("an agent that does not answer leaves the key files", async () => {
	const { server, home } = await demo();
	const agent = join(home, "agent");
	await writeFile(agent, "");
	const ssh = client(home, server.port, { env: { SSH_AUTH_SOCK: agent } });
	expect(await readText(ssh, "~/config.yaml")).toBe(TEXT);
});

test("an agent that does not answer does not hide the refusal", async () => {
	const { server, home } = await demo();
	const agent = join(home, "agent");
	await writeFile(agent, "");
	await rm(join(home, ".ssh", "id_ed25519"));
	const ssh = client(home, server.port, { env: { SSH_AUTH_SOCK: agent } });
	await expect(readText(ssh, "~/config.yaml")).rejects.toMatchObject({
		code: "ssh",
		message:
			"The SSH server refused the login of demo@127.0.0.1 (no key to offer; not usable: agent (does not answer))",
	});
});

test("logs in as the target's user, or else as the local one", async () => {
	const { port, home, logins } = await scripted({ sftp: oneFile((answer) => answer()) });
	await readText(client(home, port), "x");
	const target = { user: undefined, host: "127.0.0.1", port };
	await readText(client(home, port, { target, localUser: "me" }), "x");
	expect(logins).toEqual(["demo", "me"]);
});

test("a server without SFTP is an error with the line to add", async () => {
	const { port, home } = await scripted({});
	await expect(readText(client(home, port), "x")).rejects.toMatchObject({
		code: "ssh",
		message: "The SSH server offers no SFTP",
		hint: expect.stringContaining("internal-sftp"),
	});
});

test("a connection cut mid-read rejects, and the next read logs in again", async () => {
	let cuts = 1;
	const { port, home, logins } = await scripted({
		sftp: (sftp, cut) =>
			oneFile((answer) => {
				if (cuts-- > 0) cut();
				else answer();
			})(sftp),
	});
	const ssh = client(home, port);
	await expect(readText(ssh, "x")).rejects.toMatchObject({
		name: "AiServerError",
		code: "ssh",
		message: expect.stringContaining(`The SSH connection to 127.0.0.1:${port} failed`),
	});
	expect(await readText(ssh, "x")).toBe("hello");
	expect(logins).toHaveLength(2);
});

test("a connection cut mid-read rejects every read on it", async () => {
	let waiting = 0;
	const { promise: all, resolve } = Promise.withResolvers<void>();
	const server = await scripted({
		sftp: oneFile(() => {
			waiting += 1;
			if (waiting === 3) resolve();
		}),
	});
	const ssh = client(server.home, server.port);
	const reads = [1, 2, 3].map(() =>
		expect(readText(ssh, "x")).rejects.toMatchObject({ code: "ssh" }),
	);
	await all;
	server.cut();
	await Promise.all(reads);
	expect(server.logins).toHaveLength(1);
});

test("close() rejects a running read", async () => {
	const { promise: reading, resolve } = Promise.withResolvers<void>();
	const { port, home } = await scripted({ sftp: oneFile(() => resolve()) });
	const ssh = client(home, port);
	const rejected = expect(readText(ssh, "x")).rejects.toMatchObject({ code: "ssh" });
	await reading;
	ssh.close();
	await rejected;
});

const REASONS = [
	["the usual reason", undefined],
	["a time limit", new DOMException("too long", "TimeoutError")],
	["a reason of its own", new Error("the user pressed escape")],
] as const;

test.each(REASONS)("an abort mid-read rejects with %s and keeps the login", async (_what, why) => {
	const { promise: reading, resolve } = Promise.withResolvers<void>();
	let silent = 1;
	const { port, home, logins } = await scripted({
		sftp: oneFile((answer) => {
			if (silent-- > 0) resolve();
			else answer();
		}),
	});
	const ssh = client(home, port);
	const controller = new AbortController();
	const read = ssh.readFile("x", { maxBytes: 10, signal: controller.signal });
	const rejected = expect(read).rejects.toSatisfy(
		(error: unknown) => error === controller.signal.reason,
	);
	await reading;
	controller.abort(why);
	await rejected;
	expect(await readText(ssh, "x")).toBe("hello");
	expect(logins).toHaveLength(1);
});

test("a signal aborted beforehand makes no connection", async () => {
	const { server, ssh } = await demo();
	const signal = AbortSignal.abort(new Error("too late"));
	await expect(ssh.readFile("~/config.yaml", { maxBytes: 10, signal })).rejects.toBe(signal.reason);
	expect(await readText(ssh, "~/config.yaml")).toBe(TEXT);
	expect(server.logins()).toBe(1);
});

test("an abort during the login rejects at once", async () => {
	const { promise: connected, resolve } = Promise.withResolvers<Socket>();
	const port = await listen(createServer((socket) => resolve(socket)));
	const ssh = client(await temporary(), port);
	const controller = new AbortController();
	const read = ssh.readFile("x", { maxBytes: 10, signal: controller.signal });
	const rejected = expect(read).rejects.toSatisfy(
		(error: unknown) => error === controller.signal.reason,
	);
	const socket = await connected;
	controller.abort();
	await rejected;
	socket.destroy(); // nothing waits for it any more
});

test("an abort of one read leaves the other", async () => {
	const answers: (() => void)[] = [];
	const { promise: both, resolve } = Promise.withResolvers<void>();
	const { port, home } = await scripted({
		sftp: oneFile((answer) => {
			answers.push(answer);
			if (answers.length === 2) resolve();
			if (answers.length > 2) answer();
		}),
	});
	const ssh = client(home, port);
	const controller = new AbortController();
	const doomed = ssh.readFile("x", { maxBytes: 10, signal: controller.signal });
	const rejected = expect(doomed).rejects.toSatisfy(
		(error: unknown) => error === controller.signal.reason,
	);
	const other = readText(ssh, "x");
	await both;
	controller.abort();
	await rejected;
	for (const answer of answers) answer();
	expect(await other).toBe("hello");
});

test("close() ends a login that is under way, and does not wait for its deadline", async () => {
	const arrived = Promise.withResolvers<Socket>();
	const mute = createServer((socket) => arrived.resolve(socket));
	const port = await listen(mute);
	const ssh = client(await temporary(), port, { deadlineMs: 80_000 });
	const read = readText(ssh, "config.yaml");
	const rejected = expect(read).rejects.toBeInstanceOf(AiServerError);
	const socket = await arrived.promise;
	socket.resume();
	ssh.close();
	await once(socket, "close");
	await rejected;
});
