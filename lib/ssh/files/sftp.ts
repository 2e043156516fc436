import type { Attributes, InputAttributes, SFTPWrapper } from "ssh2";
import { AiServerError } from "../../errors.ts";

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
	/** Names of what is no folder; a leading "~/" is the remote home. */
	files(folder: string): Promise<readonly string[]>;
	/** Undefined when the server does not support the question. */
	space(folder: string): Promise<DiskSpace | undefined>;
}

/** The least that an SFTP server must answer in one packet (draft-ietf-secsh-filexfer-02, section 3). */
const CHUNK_BYTES = 32_768;
/** Requests that wait for their answers at the same time; their packets fit a window of ssh2. */
const MAX_IN_FLIGHT = 64;
/** f_flag of statvfs(2). */
const ST_RDONLY = 1;

/** The bits of a mode that tell what a file is. */
const FILE_TYPE = 0o170_000;
const FOLDER = 0o040_000;

interface FolderEntry {
	readonly filename: string;
	readonly attrs: Attributes;
}

type Done<T> = (error: Error | null | undefined, value: T) => void;
type Request = <T = void>(call: (done: Done<T>) => void) => Promise<T>;

/**
 * `lost` rejects when the session ends, as ssh2's callbacks never come then. Nothing is sent once
 * `isOver`.
 */
export function createSftp(
	session: SFTPWrapper,
	lost: Promise<never>,
	isOver: () => boolean = () => false,
): Sftp {
	const request = requester(lost, isOver);
	return {
		async resolve(path) {
			const from = fromHome(path);
			return request<string>((done) => session.realpath(from, done));
		},
		attributes: (path) => request<Attributes>((done) => session.lstat(path, done)),
		attributesOf: (handle) => request<Attributes>((done) => session.fstat(handle, done)),
		setAttributes: (handle, attributes) =>
			request((done) => session.fsetstat(handle, attributes, done)),
		async read(path, start, length) {
			const from = fromHome(path);
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
		async files(folder) {
			const from = fromHome(folder);
			const entries = await request<readonly FolderEntry[]>((done) => session.readdir(from, done));
			return entries
				.filter(({ attrs }) => (attrs.mode & FILE_TYPE) !== FOLDER)
				.map(({ filename }) => filename);
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

function requester(lost: Promise<never>, isOver: () => boolean): Request {
	const gone = lost.catch((error: unknown) => {
		throw new SessionLost("The SFTP session has ended", { cause: error });
	});
	gone.catch(() => undefined); // each request races against it
	return <T>(call: (done: Done<T>) => void): Promise<T> => {
		if (isOver()) return gone;
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

interface Range {
	readonly handle: Buffer;
	readonly start: number;
	readonly length: number;
}

/** All packets are asked for at once, so that a long line costs one round trip and not one a packet. */
async function readChunks(
	session: SFTPWrapper,
	request: Request,
	{ handle, start, length }: Range,
): Promise<Buffer> {
	const readAt = async (at: number, most: number): Promise<Buffer> => {
		const chunk = Buffer.alloc(most);
		const read = await request<number>((done) =>
			session.read(handle, chunk, 0, most, start + at, done),
		).catch((error: unknown) => {
			if (statusOf(error) === SFTP_STATUS.eof) return 0;
			throw error;
		});
		return chunk.subarray(0, read);
	};
	// Asked with the first packets, so that the end of the file need not be asked for after them.
	const attributes = request<Attributes>((done) => session.fstat(handle, done)).catch(
		() => undefined,
	);
	const chunks: Buffer[] = [];
	let size = 0;
	let packet = CHUNK_BYTES;
	while (size < length) {
		const count = Math.min(MAX_IN_FLIGHT, Math.ceil((length - size) / packet));
		const places = Array.from({ length: count }, (_none, index) => size + index * packet);
		const answers = await Promise.all(
			places.map((at) => readAt(at, Math.min(packet, length - at))),
		);
		const short = answers.findIndex((answer) => answer.length < packet);
		const whole = short === -1 ? answers : answers.slice(0, short + 1);
		chunks.push(...whole);
		size += whole.reduce((sum, answer) => sum + answer.length, 0);
		const last = answers[short]?.length;
		if (last === 0 || start + size === (await attributes)?.size) break;
		// A server that gives less than it is asked for is asked for that much.
		if (last !== undefined && size < length) packet = last;
	}
	return Buffer.concat(chunks);
}

/**
 * SFTP has no tilde; relative paths begin in the remote home. Not by ext_openssh_expandPath: that of
 * ssh2 1.17 writes a wrong packet, over which the server ends the session.
 */
function fromHome(path: string): string {
	if (path.includes("\0")) throw nulError(path);
	if (path !== "~" && !path.startsWith("~/")) return path;
	return path.slice(1).replace(/^\/+/, "") || ".";
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

/**
 * The results of requests that were sent side by side, once all of them are answered: nothing is
 * under way any more when it rejects, with the first error in the order of the list.
 */
export async function together<T extends readonly unknown[]>(
	requests: {
		readonly [K in keyof T]: Promise<T[K]>;
	},
): Promise<T> {
	await Promise.allSettled(requests);
	return Promise.all(requests) as Promise<unknown> as Promise<T>;
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
