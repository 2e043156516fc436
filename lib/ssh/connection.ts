import { connect as connectTcp, type Socket } from "node:net";
import { join } from "node:path";
import type { Algorithms, Client, SFTPWrapper } from "ssh2";
import { AiServerError } from "../errors.ts";
import { fileFault, sshFault } from "./faults.ts";
import { type HostKeyVerdict, hostKeyAlgorithms, judgeHostKey } from "./known-hosts.ts";
import { gatherLogin, readOptional } from "./login.ts";
import type { ReadFileOptions, Ssh, SshTarget } from "./ssh.ts";

export interface SshOptions {
	readonly target: SshTarget;
	/** The local home: keys and known_hosts are in its .ssh. */
	readonly home: string;
	/** SSH_AUTH_SOCK is read. */
	readonly env: Readonly<Record<string, string | undefined>>;
	/** Logs in under this name where the target has none. */
	readonly localUser: string;
	readonly systemKnownHosts?: string;
	/** For a connection, and again for each operation. */
	readonly deadlineMs?: number;
}

const DEFAULT_DEADLINE_MS = 15_000;
const DEFAULT_MAX_BYTES = 1024 * 1024;
/** An idle connection is kept this long for the next operation. */
const IDLE_MS = 60_000;
/** What an SFTP server answers in one packet at least (draft-ietf-secsh-filexfer-02, section 3). */
const CHUNK_BYTES = 32_768;

interface Connection {
	readonly client: Client;
	readonly socket: Socket;
	/** Rejects when the connection ends: SFTP callbacks never come after that. */
	readonly lost: Promise<never>;
}

/** A connection that is made at the first operation and kept for a minute after the last. */
export function createSsh(options: SshOptions): Ssh {
	const { deadlineMs = DEFAULT_DEADLINE_MS } = options;
	let current: Promise<Connection> | undefined;
	let idle: NodeJS.Timeout | undefined;
	let users = 0;

	const drop = (): void => {
		void current?.then(
			({ client }) => client.destroy(),
			() => undefined,
		);
		current = undefined;
	};
	const acquire = (): Promise<Connection> => {
		clearTimeout(idle);
		if (current !== undefined) return current;
		const opening = openConnection(options, deadlineMs);
		const forget = (): void => {
			if (current === opening) current = undefined;
		};
		opening.then(({ lost }) => lost.catch(forget), forget);
		current = opening;
		return opening;
	};
	/** An idle connection must not keep pi from exiting. */
	const rest = (): void => {
		idle = setTimeout(drop, IDLE_MS).unref();
		void current?.then(
			({ socket }) => users === 0 && socket.unref(),
			() => undefined,
		);
	};
	const use = async <T>(
		signal: AbortSignal | undefined,
		operate: (client: Client) => Promise<T>,
	): Promise<T> => {
		signal?.throwIfAborted();
		users += 1;
		try {
			const { client, socket, lost } = await untilAborted(acquire(), signal);
			socket.ref();
			return await untilAborted(Promise.race([operate(client), lost, late(deadlineMs)]), signal);
		} finally {
			users -= 1;
			if (users === 0) rest();
		}
	};
	return {
		readFile: (path, read = {}) => use(read.signal, (client) => readRemote(client, path, read)),
		close() {
			clearTimeout(idle);
			drop();
		},
	};
}

async function openConnection(options: SshOptions, deadlineMs: number): Promise<Connection> {
	const { target, home, env, localUser } = options;
	const { default: ssh2 } = await import("ssh2");
	const username = target.user ?? localUser;
	const login = await gatherLogin(username, home, env["SSH_AUTH_SOCK"], ssh2.utils.parseKey);
	const files = await knownHosts(options);
	let verdict: HostKeyVerdict | undefined;
	const socket = connectTcp({ host: target.host, port: target.port, noDelay: true });
	const client = new ssh2.Client();
	const fail = (error: unknown): AiServerError => sshFault(error, { ...login, target, verdict });

	const { promise: ready, resolve, reject } = Promise.withResolvers<void>();
	const { promise: lost, reject: lose } = Promise.withResolvers<never>();
	lost.catch(() => undefined); // whoever is at work at that time races against it
	client.once("ready", resolve);
	// May come twice, for the agent and then for the whole login; the last word is what counts.
	let last: unknown;
	client.on("error", (error) => {
		last = error;
		if (error.level !== "agent") reject(fail(error));
	});
	client.once("close", () => {
		const error = last ?? new Error("the connection was closed");
		reject(fail(error));
		lose(fail(error));
	});
	socket.once("error", (error) => reject(fail(error)));
	client.connect({
		sock: socket,
		username,
		authHandler: login.methods,
		algorithms: { serverHostKey: [...hostKeyAlgorithms(files, target)] } as Algorithms,
		readyTimeout: deadlineMs,
		keepaliveInterval: 10_000,
		keepaliveCountMax: 3,
		// ssh2 refuses on a strict false only, so the answer goes through the callback.
		hostVerifier: (key: Buffer, answer: (accept: boolean) => void): undefined => {
			verdict = judgeHostKey(files, target, key);
			answer(verdict.kind === "ok");
		},
	});
	try {
		await ready;
	} catch (error) {
		client.destroy();
		socket.destroy();
		throw error;
	}
	return { client, socket, lost };
}

async function knownHosts({
	home,
	systemKnownHosts = "/etc/ssh/ssh_known_hosts",
}: SshOptions): Promise<readonly string[]> {
	const user = ["known_hosts", "known_hosts2"].map((name) => join(home, ".ssh", name));
	const files = await Promise.all([...user, systemKnownHosts].map(readOptional));
	return files.map((file) => file?.toString("utf8") ?? "");
}

async function readRemote(
	client: Client,
	path: string,
	{ maxBytes = DEFAULT_MAX_BYTES }: ReadFileOptions,
): Promise<string> {
	const sftp = await callback<SFTPWrapper>((done) => client.sftp(done)).catch((error: unknown) => {
		throw new AiServerError("ssh", "The SSH server offers no SFTP", {
			hint: "Add `Subsystem sftp internal-sftp` to its sshd_config",
			cause: error,
		});
	});
	try {
		const absolute = await resolveHome(sftp, path);
		const handle = await callback<Buffer>((done) => sftp.open(absolute, "r", done));
		const bytes = await readHandle(sftp, handle, path, maxBytes);
		return new TextDecoder("utf-8", { ignoreBOM: true }).decode(bytes);
	} catch (error) {
		throw error instanceof AiServerError ? error : fileFault(error, path);
	} finally {
		sftp.end();
	}
}

/** SFTP has no tilde; relative paths begin in the remote home, which realpath(".") names. */
async function resolveHome(sftp: SFTPWrapper, path: string): Promise<string> {
	if (path !== "~" && !path.startsWith("~/")) return path;
	const home = await callback<string>((done) => sftp.realpath(".", done));
	return `${home}${path.slice(1)}`;
}

async function readHandle(
	sftp: SFTPWrapper,
	handle: Buffer,
	path: string,
	maxBytes: number,
): Promise<Buffer> {
	const chunks: Buffer[] = [];
	let size = 0;
	for (;;) {
		const chunk = Buffer.alloc(CHUNK_BYTES);
		const read = await readChunk(sftp, handle, chunk, size);
		if (read === 0) return Buffer.concat(chunks);
		size += read;
		if (size > maxBytes) {
			throw new AiServerError("ssh", `${path} on the server is larger than ${maxBytes} bytes`, {
				hint: "Check AI_SERVER_PRESET_PATH",
			});
		}
		chunks.push(chunk.subarray(0, read));
	}
}

/** Number of bytes read; 0 at the end of the file, which SFTP reports as an error with code 1. */
function readChunk(sftp: SFTPWrapper, handle: Buffer, chunk: Buffer, at: number): Promise<number> {
	return new Promise((resolve, reject) => {
		sftp.read(handle, chunk, 0, chunk.length, at, (error, read) => {
			const code = (error as { code?: unknown } | undefined)?.code;
			if (error === undefined || error === null) resolve(read);
			else if (code === 1) resolve(0);
			else reject(error);
		});
	});
}

function callback<T>(
	call: (done: (error: Error | undefined | null, value: T) => void) => void,
): Promise<T> {
	return new Promise((resolve, reject) => {
		call((error, value) =>
			error === undefined || error === null ? resolve(value) : reject(error),
		);
	});
}

function late(milliseconds: number): Promise<never> {
	return new Promise((_, reject) => {
		setTimeout(() => {
			reject(
				new AiServerError(
					"timeout",
					`The SSH server did not answer within ${milliseconds / 1000} s`,
					{
						hint: "Try again, or look at the machine",
					},
				),
			);
		}, milliseconds).unref();
	});
}

function untilAborted<T>(work: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
	if (signal === undefined) return work;
	const aborted = new Promise<never>((_, reject) => {
		if (signal.aborted) reject(signal.reason);
		signal.addEventListener("abort", () => reject(signal.reason), { once: true });
	});
	return Promise.race([work, aborted]);
}
