import type { Attributes, InputAttributes, SFTPWrapper } from "ssh2";
import { AiServerError } from "../../errors.ts";

/** Status codes of draft-ietf-secsh-filexfer-02, section 7; OpenSSH answers most faults with 4. */
export const SFTP_STATUS = {
	eof: 1,
	noSuchFile: 2,
	permissionDenied: 3,
	failure: 4,
	unsupported: 8,
} as const;

/** The connection ended, so nobody knows whether the request was carried out. */
export class Unanswered extends Error {
	override readonly name = "Unanswered";
}

export interface DiskSpace {
	/** Bytes that a user who is not root may still write. */
	readonly free: number;
	readonly blockSize: number;
	readonly readOnly: boolean;
}

/**
 * Requests to an SFTP server as promises. They reject with ssh2's error, whose `code` is the
 * server's status, or with Unanswered.
 */
export interface SftpSteps {
	/** The absolute path without symlinks; a leading "~/" is the remote home. */
	resolve(path: string): Promise<string>;
	/** Of the path itself, not of what a symlink points to. */
	attributes(path: string): Promise<Attributes>;
	attributesOf(handle: Buffer): Promise<Attributes>;
	setAttributes(handle: Buffer, attributes: InputAttributes): Promise<void>;
	/** The whole file; undefined when it is larger than `maxBytes`. */
	read(path: string, maxBytes: number): Promise<Buffer | undefined>;
	/** A new file of mode 0600, open for writing; an existing one is a failure. */
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
	/** Undefined when the server does not tell. */
	space(folder: string): Promise<DiskSpace | undefined>;
}

/** What an SFTP server answers in one packet at least (draft-ietf-secsh-filexfer-02, section 3). */
const CHUNK_BYTES = 32_768;
/** f_flag of statvfs(2). */
const ST_RDONLY = 1;

type Done<T> = (error: Error | null | undefined, value: T) => void;

/** `lost` rejects when nobody waits for answers any more: ssh2's callbacks do not come then. */
export function sftpSteps(sftp: SFTPWrapper, lost: Promise<never>): SftpSteps {
	const gone = lost.catch((error: unknown) => {
		throw new Unanswered("The connection is gone", { cause: error });
	});
	gone.catch(() => undefined); // each request races against it
	const step = <T = void>(call: (done: Done<T>) => void): Promise<T> => {
		const asked = new Promise<T>((resolve, reject) => {
			const done: Done<T> = (error, value) => {
				if (error === undefined || error === null) resolve(value);
				else reject(statusOf(error) === undefined ? unanswered(error) : error);
			};
			try {
				call(done);
			} catch (error) {
				// ssh2 throws for an extension that the server did not announce.
				reject(Object.assign(new Error(String(error)), { code: SFTP_STATUS.unsupported }));
			}
		});
		return Promise.race([asked, gone]);
	};
	const open = (path: string): Promise<Buffer> =>
		step<Buffer>((done) => sftp.open(path, "r", done));
	const close = (handle: Buffer): Promise<void> => step((done) => sftp.close(handle, done));
	const readAt = (handle: Buffer, chunk: Buffer, at: number): Promise<number> =>
		step<number>((done) => sftp.read(handle, chunk, 0, chunk.length, at, done)).catch((error) => {
			if (statusOf(error) === SFTP_STATUS.eof) return 0;
			throw error;
		});
	return {
		async resolve(path) {
			if (path.includes("\0")) {
				// OpenSSH's server ends the session over it.
				throw new AiServerError("settings", `A NUL character in ${JSON.stringify(path)}`, {
					hint: "Check AI_SERVER_PRESET_PATH",
				});
			}
			const inHome = path === "~" || path.startsWith("~/");
			const home = inHome ? await step<string>((done) => sftp.realpath(".", done)) : "";
			return step<string>((done) => sftp.realpath(inHome ? home + path.slice(1) : path, done));
		},
		attributes: (path) => step<Attributes>((done) => sftp.lstat(path, done)),
		attributesOf: (handle) => step<Attributes>((done) => sftp.fstat(handle, done)),
		setAttributes: (handle, attributes) => step((done) => sftp.fsetstat(handle, attributes, done)),
		async read(path, maxBytes) {
			const handle = await open(path);
			const chunks: Buffer[] = [];
			let size = 0;
			try {
				while (size <= maxBytes) {
					const chunk = Buffer.alloc(CHUNK_BYTES);
					const read = await readAt(handle, chunk, size);
					if (read === 0) return Buffer.concat(chunks);
					chunks.push(chunk.subarray(0, read));
					size += read;
				}
				return undefined;
			} finally {
				await close(handle);
			}
		},
		create: (path) => step<Buffer>((done) => sftp.open(path, "wx", 0o600, done)),
		write(handle, bytes) {
			const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
			return step((done) => sftp.write(handle, buffer, 0, buffer.length, 0, done));
		},
		sync: (handle) => step((done) => sftp.ext_openssh_fsync(handle, done)),
		close,
		replace: (from, to) => step((done) => sftp.ext_openssh_rename(from, to, done)),
		rename: (from, to) => step((done) => sftp.rename(from, to, done)),
		remove: (path) => step((done) => sftp.unlink(path, done)),
		names: async (folder) => {
			const entries = await step<readonly { readonly filename: string }[]>((done) =>
				sftp.readdir(folder, done),
			);
			return entries.map(({ filename }) => filename);
		},
		async space(folder) {
			try {
				return toSpace(await step<unknown>((done) => sftp.ext_openssh_statvfs(folder, done)));
			} catch (error) {
				if (error instanceof Unanswered) throw error;
				return undefined;
			}
		},
	};
}

/** The server's status, of what a step rejected with. */
export function statusOf(error: unknown): number | undefined {
	const code = error instanceof Error && "code" in error ? error.code : undefined;
	return typeof code === "number" ? code : undefined;
}

export async function exists(steps: SftpSteps, path: string): Promise<boolean> {
	return (await steps.attributes(path).catch(unlessMissing)) !== undefined;
}

/** For a catch: undefined when the file is not there. */
export function unlessMissing(error: unknown): undefined {
	if (statusOf(error) !== SFTP_STATUS.noSuchFile) throw error;
}

function unanswered(error: Error): Unanswered {
	return new Unanswered(error.message, { cause: error });
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
