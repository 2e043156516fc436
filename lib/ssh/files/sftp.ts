import type { Attributes, Client, InputAttributes, SFTPWrapper } from "ssh2";
import { AiServerError } from "../../errors.ts";
import { callback } from "../callback.ts";
import { NoSftpError, openError } from "../errors.ts";

/** Status codes of draft-ietf-secsh-filexfer-02, section 7; OpenSSH reports most errors as 4. */
export const SFTP_STATUS = {
	eof: 1,
	noSuchFile: 2,
	permissionDenied: 3,
	failure: 4,
	unsupported: 8,
} as const;

/** The session ended before the answer came, so the server may have carried out the request or not. */
export class SessionLost extends Error {
	override readonly name = "SessionLost";
}

export interface DiskSpace {
	/** Bytes that an ordinary user may still write. */
	readonly free: number;
	readonly blockSize: number;
	readonly readOnly: boolean;
}

/**
 * Requests to an SFTP server as promises. They reject with ssh2's error, whose `code` is the server's
 * status, or with SessionLost.
 */
export interface Sftp {
	/** The absolute path without symlinks; a leading "~/" is the remote home. */
	resolve(path: string): Promise<string>;
	/** Of the path itself, not of what a symlink points to. */
	attributes(path: string): Promise<Attributes>;
	attributesOf(handle: Buffer): Promise<Attributes>;
	setAttributes(handle: Buffer, attributes: InputAttributes): Promise<void>;
	/** Bytes of a file, fewer than `length` where it ends; a leading "~/" is the remote home. */
	read(path: string, start: number, length: number): Promise<Buffer>;
	/** A new file of mode 0600, open for writing; fails where one exists. */
	create(path: string): Promise<Buffer>;
	write(handle: Buffer, bytes: Uint8Array): Promise<void>;
	sync(handle: Buffer): Promise<void>;
	close(handle: Buffer): Promise<void>;
	/** Takes the place of `to` in one step. */
	replace(from: string, to: string): Promise<void>;
	/** Never takes another file's place. */
	rename(from: string, to: string): Promise<void>;
	remove(path: string): Promise<void>;
	names(folder: string): Promise<readonly string[]>;
	/** Undefined when the server does not support the question. */
	space(folder: string): Promise<DiskSpace | undefined>;
}

/** The least that an SFTP server must answer in one packet (draft-ietf-secsh-filexfer-02, section 3). */
const CHUNK_BYTES = 32_768;
/** f_flag of statvfs(2). */
const ST_RDONLY = 1;

/**
 * Lends an SFTP session to `run` and ends it afterwards, at once when `stop` aborts: nothing that
 * `run` does then reaches the server. Rejects when the server ends the session.
 */
export async function useSftp<T>(
	client: Client,
	stop: AbortSignal,
	run: (sftp: Sftp) => Promise<T>,
): Promise<T> {
	const session = await callback<SFTPWrapper>((done) => client.sftp(done)).catch(
		(error: unknown) => {
			throw openError(error) ?? new NoSftpError(error);
		},
	);
	// ssh2 leaves the requests that wait when a session ends without an answer, or with its own error.
	let over: AiServerError | undefined;
	const { promise: lost, reject } = Promise.withResolvers<never>();
	lost.catch(() => undefined);
	const end = (cause?: unknown): void => {
		const hint = "Try again, or check the server";
		over ??= new AiServerError("ssh", "The SSH server ended the SFTP session", { hint, cause });
		reject(over);
	};
	session.on("error", end);
	session.once("end", () => end());
	session.once("close", () => end());
	const close = (): void => {
		session.end();
		reject(stop.reason);
	};
	stop.addEventListener("abort", close, { once: true });
	try {
		stop.throwIfAborted();
		return await Promise.race([run(createSftp(session, lost)), lost]);
	} catch (error) {
		throw over ?? error;
	} finally {
		stop.removeEventListener("abort", close);
		session.end();
		reject(new Error("the session is over")); // for requests that come too late
	}
}

type Done<T> = (error: Error | null | undefined, value: T) => void;
type Request = <T = void>(call: (done: Done<T>) => void) => Promise<T>;

/** `lost` rejects when the session ends, as ssh2's callbacks never come then. */
export function createSftp(session: SFTPWrapper, lost: Promise<never>): Sftp {
	const request = requester(lost);
	const absolute = async (path: string): Promise<string> => {
		if (path.includes("\0")) throw nulError(path);
		if (path !== "~" && !path.startsWith("~/")) return path;
		// SFTP has no tilde; relative paths begin in the remote home. Not by ext_openssh_expandPath:
		// that of ssh2 1.17 writes a wrong packet, over which the server ends the session.
		const home = await request<string>((done) => session.realpath(".", done));
		return `${home}${path.slice(1)}`;
	};
	return {
		async resolve(path) {
			const from = await absolute(path);
			return request<string>((done) => session.realpath(from, done));
		},
		attributes: (path) => request<Attributes>((done) => session.lstat(path, done)),
		attributesOf: (handle) => request<Attributes>((done) => session.fstat(handle, done)),
		setAttributes: (handle, attributes) =>
			request((done) => session.fsetstat(handle, attributes, done)),
		async read(path, start, length) {
			const from = await absolute(path);
			const handle = await request<Buffer>((done) => session.open(from, "r", done));
			try {
				return await readChunks(session, request, { handle, start, length });
			} finally {
				// A round trip that nothing depends on.
				request((done) => session.close(handle, done)).catch(() => undefined);
			}
		},
		create: (path) => request<Buffer>((done) => session.open(path, "wx", 0o600, done)),
		write(handle, bytes) {
			const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
			return request((done) => session.write(handle, buffer, 0, buffer.length, 0, done));
		},
		sync: (handle) => request((done) => session.ext_openssh_fsync(handle, done)),
		close: (handle) => request((done) => session.close(handle, done)),
		replace: (from, to) => request((done) => session.ext_openssh_rename(from, to, done)),
		rename: (from, to) => request((done) => session.rename(from, to, done)),
		remove: (path) => request((done) => session.unlink(path, done)),
		names: async (folder) => {
			const entries = await request<readonly { readonly filename: string }[]>((done) =>
				session.readdir(folder, done),
			);
			return entries.map(({ filename }) => filename);
		},
		async space(folder) {
			try {
				return toSpace(await request<unknown>((done) => session.ext_openssh_statvfs(folder, done)));
			} catch (error) {
				if (error instanceof SessionLost) throw error;
				return undefined;
			}
		},
	};
}

function requester(lost: Promise<never>): Request {
	const gone = lost.catch((error: unknown) => {
		throw new SessionLost("The SFTP session has ended", { cause: error });
	});
	gone.catch(() => undefined); // each request races against it
	return <T>(call: (done: Done<T>) => void): Promise<T> => {
		const answered = new Promise<T>((resolve, reject) => {
			const done: Done<T> = (error, value) => {
				if (error === undefined || error === null) resolve(value);
				else if (statusOf(error) !== undefined) reject(error);
				else reject(new SessionLost(error.message, { cause: error }));
			};
			try {
				call(done);
			} catch (error) {
				// ssh2 throws for an extension that the server did not announce.
				reject(Object.assign(new Error(String(error)), { code: SFTP_STATUS.unsupported }));
			}
		});
		return Promise.race([answered, gone]);
	};
}

async function readChunks(
	session: SFTPWrapper,
	request: Request,
	{ handle, start, length }: { handle: Buffer; start: number; length: number },
): Promise<Buffer> {
	const chunks: Buffer[] = [];
	for (let size = 0; size < length; ) {
		const chunk = Buffer.alloc(Math.min(CHUNK_BYTES, length - size));
		const read = await request<number>((done) =>
			session.read(handle, chunk, 0, chunk.length, start + size, done),
		).catch((error: unknown) => {
			if (statusOf(error) === SFTP_STATUS.eof) return 0;
			throw error;
		});
		if (read === 0) break;
		chunks.push(chunk.subarray(0, read));
		size += read;
	}
	return Buffer.concat(chunks);
}

/** OpenSSH's server ends the session over such a path. */
function nulError(path: string): AiServerError {
	return new AiServerError(
		"settings",
		`The path ${JSON.stringify(path)} contains a NUL character`,
		{
			hint: "Check the path",
		},
	);
}

/** The server's status, of what a request rejected with. */
export function statusOf(error: unknown): number | undefined {
	const code = error instanceof Error && "code" in error ? error.code : undefined;
	return typeof code === "number" ? code : undefined;
}

export async function exists(sftp: Sftp, path: string): Promise<boolean> {
	return (await sftp.attributes(path).catch(unlessMissing)) !== undefined;
}

/** For a catch: undefined when the file is not there. */
export function unlessMissing(error: unknown): undefined {
	if (statusOf(error) !== SFTP_STATUS.noSuchFile) throw error;
}

function toSpace(answer: unknown): DiskSpace {
	const { f_bavail, f_frsize, f_flag } = answer as Readonly<Record<string, number | bigint>>;
	const blockSize = Number(f_frsize);
	return {
		free: Number(f_bavail) * blockSize,
		blockSize,
		readOnly: (Number(f_flag) & ST_RDONLY) !== 0,
	};
}
