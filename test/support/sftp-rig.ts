import { spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { type AddressInfo, connect, createServer, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import ssh2, { type Client, type SFTPWrapper } from "ssh2";
import { onTestFinished } from "vitest";
import { type SftpHook, serveSftp } from "../../demo/sftp.ts";
import type { ReplaceOptions } from "../../lib/ssh/files/replace.ts";
import { createSftp, type Sftp } from "../../lib/ssh/files/sftp.ts";

/** OpenSSH's own server, where one is installed. */
export const SFTP_SERVER: string | undefined = [
	"/usr/lib/openssh/sftp-server",
	"/usr/libexec/openssh/sftp-server",
	"/usr/lib/ssh/sftp-server",
	"/usr/libexec/sftp-server",
].find(existsSync);

/** The account that may do least; tests become it where they are root. */
export const NOBODY = 65_534;
export const IS_ROOT: boolean = process.getuid?.() === 0;

export interface SftpSession {
	readonly sftp: Sftp;
	/** ssh2's own. */
	readonly raw: SFTPWrapper;
	/** Ends the connection on the server's side, at once. */
	cut(): void;
	end(): void;
}

export interface RigOptions {
	/** Asked for each connection anew. */
	readonly hook?: (cut: () => void) => SftpHook | undefined;
	/** OpenSSH's sftp-server instead of the demo's, run as the account `nobody` if we are root. */
	readonly openssh?: boolean;
}

export interface SftpRig {
	readonly port: number;
	open(stop?: Promise<never>): Promise<SftpSession>;
	/** Resolves when the sessions so far have ended and their requests are carried out. */
	settled(): Promise<void>;
}

const HOST_KEY = ssh2.utils.generateKeyPairSync("ecdsa", { bits: 256 }).private;

export async function temporary(): Promise<string> {
	const folder = await mkdtemp(join(tmpdir(), "ai-server-replace-"));
	onTestFinished(() => rm(folder, { recursive: true, force: true }));
	return folder;
}

/** An SSH server that accepts every login, with SFTP: the demo's on a folder, or OpenSSH's on all files. */
export async function sftpRig(
	folder: string,
	{ hook, openssh }: RigOptions = {},
): Promise<SftpRig> {
	const sockets = new Set<Socket>();
	const sessions: Promise<void>[] = [];
	const door = createServer({ noDelay: true }, (socket) => {
		sockets.add(socket);
		socket.on("error", () => socket.destroy());
		const cut = (): void => void socket.destroy();
		const server = new ssh2.Server({ hostKeys: [HOST_KEY] }, (connection) => {
			connection.on("authentication", (context) => context.accept());
			connection.on("error", () => undefined);
			connection.on("session", (accept) => {
				const session = accept();
				if (openssh === true) {
					session.on("subsystem" as "sftp", (open) => runSftpServer(open() as never, folder));
				} else {
					session.on("sftp", (open) => {
						sessions.push(serveSftp(open(), folder, hook?.(cut)));
					});
				}
			});
		});
		server.injectSocket(socket);
	});
	await once(door.listen(0, "127.0.0.1"), "listening");
	onTestFinished(() => {
		for (const socket of sockets) socket.destroy();
		door.close();
	});
	const { port } = door.address() as AddressInfo;
	return {
		port,
		async open(stop = new Promise(() => undefined)) {
			const session = await openSession(port, stop);
			onTestFinished(() => session.end());
			return session;
		},
		async settled() {
			await Promise.all(sessions);
		},
	};
}

/** Logs in and opens SFTP. `stop` rejects when the caller gives up. */
async function openSession(port: number, stop: Promise<never>): Promise<SftpSession> {
	const sock = connect({ host: "127.0.0.1", port, noDelay: true });
	const client: Client = new ssh2.Client();
	const { promise: lost, reject } = Promise.withResolvers<never>();
	lost.catch(() => undefined);
	client.on("error", () => undefined);
	client.once("close", () => reject(new Error("the connection was cut")));
	client.connect({ sock, username: "demo", hostVerifier: () => true });
	await Promise.race([once(client, "ready"), lost]);
	const raw = await new Promise<SFTPWrapper>((resolve, fail) => {
		client.sftp((error, opened) => (error === undefined ? resolve(opened) : fail(error)));
	});
	const sftp = createSftp(raw, Promise.race([lost, stop]));
	return { sftp, raw, cut: () => void sock.destroy(), end: () => client.destroy() };
}

function runSftpServer(channel: NodeJS.ReadWriteStream, folder: string): void {
	const account = IS_ROOT ? { uid: NOBODY, gid: NOBODY } : {};
	const child = spawn(SFTP_SERVER ?? "sftp-server", ["-d", folder], {
		...account,
		stdio: ["pipe", "pipe", "ignore"],
	});
	child.stdin.on("error", () => undefined);
	channel.pipe(child.stdin);
	child.stdout.pipe(channel);
	channel.on("close", () => child.kill());
	onTestFinished(() => void child.kill());
}

/** What replaceFile needs for putting `content` in the place of `old`. */
export function replacing(old: Uint8Array | string, content: Uint8Array | string): ReplaceOptions {
	return {
		expected: Buffer.from(old),
		content: Buffer.from(content),
		now: new Date("2026-11-21T08:00:00.123Z"),
		suffix: randomBytes(6).toString("hex"),
		setting: "configPath",
	};
}
