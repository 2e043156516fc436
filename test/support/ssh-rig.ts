import { once } from "node:events";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { type AddressInfo, createServer, type Server, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import ssh2, { type Connection, type ServerChannel, type SFTPWrapper } from "ssh2";
import { onTestFinished } from "vitest";
import { type SshServer, startSshServer } from "../../demo/ssh-server.ts";
import { createSsh, type SshOptions } from "../../lib/ssh/connection.ts";
import type { RunSsh } from "../../lib/ssh/openssh/proxy-jump.ts";
import type { Ssh } from "../../lib/ssh/types.ts";

const { generateKeyPairSync, sftp: sftpCodes } = ssh2.utils;

export const TEXT = "models:\n  ünïcödé: {}\n";

/** Not Ed25519: one in 256 of ssh2's own cannot be read, as it drops a leading zero. */
export const keyPair = (): { private: string; public: string } =>
	generateKeyPairSync("ecdsa", { bits: 256 });

/** A machine without an ssh client. */
export const noOpenSsh: RunSsh = async () => undefined;

export async function temporary(): Promise<string> {
	const folder = await mkdtemp(join(tmpdir(), "ai-server-ssh-"));
	onTestFinished(() => rm(folder, { recursive: true, force: true }));
	return folder;
}

export function client(home: string, port: number, options: Partial<SshOptions> = {}): Ssh {
	const ssh = createSsh({
		target: { user: "demo", host: "127.0.0.1", port },
		home,
		env: {},
		localUser: "nobody",
		systemKnownHosts: join(home, "no-system-file"),
		runSsh: noOpenSsh,
		...options,
	});
	onTestFinished(() => ssh.close());
	return ssh;
}

/** A file of the server as text. */
export async function readText(
	ssh: Ssh,
	path: string,
	maxBytes: number = 1024 * 1024,
): Promise<string> {
	const bytes = await ssh.readFile(path, { maxBytes });
	return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
}

export interface Demo {
	readonly server: SshServer;
	readonly home: string;
	readonly remoteHome: string;
	readonly ssh: Ssh;
}

/** The demo's SSH server with one file, and a client that is let in. */
export async function demo(options: Partial<SshOptions> = {}): Promise<Demo> {
	const home = await temporary();
	const remoteHome = await temporary();
	const service = { restart: () => undefined, hangUp: () => undefined, journal: () => "" };
	const server = await startSshServer({ remoteHome, service });
	onTestFinished(() => server.close());
	await server.writeClientFiles(home);
	await writeFile(join(remoteHome, "config.yaml"), TEXT);
	return { server, home, remoteHome, ssh: client(home, server.port, options) };
}

export interface Scripted {
	readonly port: number;
	readonly home: string;
	/** User names that logged in. */
	readonly logins: readonly string[];
	/** Connections so far. */
	readonly sockets: () => number;
	cut(): void;
}

export interface Script {
	readonly hostKeys?: readonly string[];
	/** What known_hosts has, of the host's public keys; the first by default. */
	readonly known?: string;
	/** Serves an SFTP session; without it the server has no SFTP. */
	readonly sftp?: (sftp: SFTPWrapper, cut: () => void) => void;
	/** Runs a command; without it the server runs none. */
	readonly exec?: (channel: ServerChannel, command: string, cut: () => void) => void;
	/** Sees the connection once it is logged in. */
	readonly ready?: (connection: Connection, cut: () => void) => void;
	/** Whether a key is let in. Every key is by default. */
	readonly allows?: (publicKey: Buffer) => boolean;
}

/** An SSH server that accepts every login and follows the script. */
export async function scripted(script: Script = {}): Promise<Scripted> {
	const { hostKeys, known, sftp, exec, ready, allows = () => true } = script;
	const home = await temporary();
	const own = keyPair();
	let count = 0;
	const logins: string[] = [];
	const sockets = new Set<Socket>();
	const cut = (): void => {
		for (const socket of sockets) socket.destroy();
	};
	const ssh = new ssh2.Server({ hostKeys: [...(hostKeys ?? [own.private])] }, (connection) => {
		connection.on("authentication", (context) => {
			if (context.method === "none") return context.reject(["publickey"]);
			if (context.method !== "publickey" || !allows(context.key.data)) {
				return context.reject(["publickey"]);
			}
			if (context.signature !== undefined) logins.push(context.username);
			return context.accept();
		});
		connection.on("ready", () => ready?.(connection, cut));
		connection.on("error", () => undefined);
		connection.on("session", (accept) => {
			const session = accept();
			if (sftp !== undefined) session.on("sftp", (open) => sftp(open(), cut));
			if (exec !== undefined) {
				session.on("exec", (open, _reject, { command }) => exec(open(), command, cut));
			}
		});
	});
	const door = createServer({ noDelay: true }, (socket) => {
		sockets.add(socket);
		count += 1;
		socket.once("close", () => sockets.delete(socket));
		socket.on("error", () => socket.destroy());
		ssh.injectSocket(socket);
	});
	const port = await listen(door);
	onTestFinished(cut);
	await mkdir(join(home, ".ssh"));
	await writeFile(join(home, ".ssh", "id_ed25519"), keyPair().private);
	const line = `[127.0.0.1]:${port} ${known ?? own.public}\n`;
	await writeFile(join(home, ".ssh", "known_hosts"), line);
	return { port, home, logins, sockets: () => count, cut };
}

export async function listen(server: Server): Promise<number> {
	await once(server.listen(0, "127.0.0.1"), "listening");
	onTestFinished(() => void server.close());
	return (server.address() as AddressInfo).port;
}

/** One file, "hello", read by way of `read`. */
export function oneFile(
	read: (answer: () => void, sftp: SFTPWrapper) => void,
): (sftp: SFTPWrapper) => void {
	return (sftp) => {
		sftp.on("OPEN", (id) => sftp.handle(id, Buffer.from("file")));
		sftp.on("READ", (id, _handle, offset) => {
			const answer = (): void => {
				if (offset === 0) sftp.data(id, Buffer.from("hello"));
				else sftp.status(id, sftpCodes.STATUS_CODE.EOF);
			};
			read(answer, sftp);
		});
		sftp.on("error", () => undefined);
	};
}
