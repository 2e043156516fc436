import { type BigIntStatsFs, constants, type Stats } from "node:fs";
import {
	type FileHandle,
	lstat,
	open,
	readdir,
	realpath,
	rename,
	stat,
	statfs,
	unlink,
} from "node:fs/promises";
import { join, relative, resolve } from "node:path";
import ssh2, { type Attributes, type SFTPWrapper } from "ssh2";
import { localPath, ROOT, refused } from "./remote-path.ts";

const { OPEN_MODE, STATUS_CODE } = ssh2.utils.sftp;

/** A file or folder that the client has open; a folder's names are given out once. */
type Opened =
	| { readonly file: FileHandle }
	| { names: readonly string[] | undefined; readonly path: string };

/** One request of the client, by its name in the protocol or in OpenSSH's extensions to it. */
export interface SftpRequest {
	readonly name: string;
	/** What the client wrote; of a rename the old name. Undefined for a request about a handle. */
	readonly path: string | undefined;
}

/**
 * Called before a request is carried out. What it throws becomes the answer instead, by its `code`
 * ("EACCES", ...); what it returns is called between the deed and the answer.
 */
export type SftpHook = (
	request: SftpRequest,
) => (() => void) | undefined | Promise<(() => void) | undefined>;

/** As OpenSSH's server announces them. */
const EXTENSIONS = [
	["posix-rename@openssh.com", "1"],
	["statvfs@openssh.com", "2"],
	["fsync@openssh.com", "1"],
] as const;

/**
 * Serves one SFTP session on a folder, which the client sees as "/home/demo": one request after the
 * other, as OpenSSH does. Resolves when the session is closed and what came before is carried out.
 */
export function serveSftp(sftp: SFTPWrapper, home: string, hook?: SftpHook): Promise<void> {
	announce(sftp, EXTENSIONS);
	const session = createSession(sftp, home, hook);
	serveNames(session);
	serveFiles(session);
	serveFolders(session);
	serveExtensions(session);
	return session.ended;
}

/** What the requests of one session have in common. */
interface Session {
	readonly sftp: SFTPWrapper;
	/** The client's path on this machine; throws for one outside of the folder. */
	local(path: string): string;
	/** The way back. */
	remote(path: string): string;
	/** A handle for what was opened. */
	keep(opened: Opened): Buffer;
	opened(handle: Buffer): Opened | undefined;
	fileOf(handle: Buffer): FileHandle;
	readonly ended: Promise<void>;
	forget(handle: Buffer): void;
	/** Answers by the function that `work` gives, else with OK; what it throws becomes a status. */
	answer(id: number, name: string, path: string | undefined, work: () => Promise<unknown>): void;
}

function createSession(sftp: SFTPWrapper, home: string, hook: SftpHook | undefined): Session {
	const handles = new Map<number, Opened>();
	let next = 0;
	let queue = Promise.resolve();
	const { promise: ended, resolve: end } = Promise.withResolvers<void>();
	sftp.on("close", () => {
		// What has come before is still carried out.
		queue = queue.then(async () => {
			for (const opened of handles.values()) if ("file" in opened) await opened.file.close();
			end();
		});
	});
	return {
		sftp,
		ended,
		local: (path) => localPath(home, path),
		remote: (path) => join(ROOT, relative(home, path)),
		keep(opened) {
			const handle = Buffer.alloc(4);
			handle.writeUInt32BE(next);
			handles.set(next++, opened);
			return handle;
		},
		opened: (handle) => handles.get(handle.readUInt32BE(0)),
		fileOf(handle) {
			const opened = handles.get(handle.readUInt32BE(0));
			if (opened === undefined || !("file" in opened)) throw refused("EBADF");
			return opened.file;
		},
		forget: (handle) => void handles.delete(handle.readUInt32BE(0)),
		answer(id, name, path, work) {
			queue = queue.then(async () => {
				try {
					const before = await hook?.({ name, path });
					const send = await work();
					before?.();
					if (typeof send === "function") send();
					else sftp.status(id, STATUS_CODE.OK);
				} catch (error) {
					sftp.status(id, statusOf(error));
				}
			});
		},
	};
}

/** Requests about a path. */
function serveNames(session: Session): void {
	const { sftp, local, remote, answer } = session;
	sftp.on("REALPATH", (id, path) =>
		answer(id, "REALPATH", path, async () => {
			const full = resolve(ROOT, path);
			const known = await realpath(local(full)).catch(() => local(full));
			const filename = remote(known);
			return () => sftp.name(id, [{ filename, longname: filename, attrs: NO_ATTRIBUTES }]);
		}),
	);
	sftp.on("STAT", (id, path) =>
		answer(id, "STAT", path, async () => {
			const attributes = toAttributes(await stat(local(path)));
			return () => sftp.attrs(id, attributes);
		}),
	);
	sftp.on("LSTAT", (id, path) =>
		answer(id, "LSTAT", path, async () => {
			const attributes = toAttributes(await lstat(local(path)));
			return () => sftp.attrs(id, attributes);
		}),
	);
	sftp.on("REMOVE", (id, path) => answer(id, "REMOVE", path, () => unlink(local(path))));
	sftp.on("RENAME", (id, from, to) =>
		answer(id, "RENAME", from, async () => {
			// Unlike posix-rename this never replaces a file.
			const taken = await lstat(local(to)).then(
				() => true,
				() => false,
			);
			if (taken) throw refused("EEXIST");
			await rename(local(from), local(to));
		}),
	);
}

/** Requests about an open file. */
function serveFiles(session: Session): void {
	const { sftp, local, keep, fileOf, answer } = session;
	sftp.on("OPEN", (id, path, flags, { mode }) =>
		answer(id, "OPEN", path, async () => {
			const file = await open(local(path), toFlags(flags), mode ?? 0o644);
			return () => sftp.handle(id, keep({ file }));
		}),
	);
	sftp.on("FSTAT", (id, handle) =>
		answer(id, "FSTAT", undefined, async () => {
			const attributes = toAttributes(await fileOf(handle).stat());
			return () => sftp.attrs(id, attributes);
		}),
	);
	sftp.on("READ", (id, handle, offset, length) =>
		answer(id, "READ", undefined, async () => {
			const buffer = Buffer.alloc(Math.min(length, 65_536));
			const { bytesRead } = await fileOf(handle).read(buffer, 0, buffer.length, offset);
			return () =>
				bytesRead === 0
					? sftp.status(id, STATUS_CODE.EOF)
					: sftp.data(id, buffer.subarray(0, bytesRead));
		}),
	);
	sftp.on("WRITE", (id, handle, offset, data) =>
		answer(id, "WRITE", undefined, async () => {
			const { bytesWritten } = await fileOf(handle).write(data, 0, data.length, offset);
			if (bytesWritten < data.length) throw refused("ENOSPC");
		}),
	);
	sftp.on("FSETSTAT", (id, handle, { mode, uid, gid }) =>
		answer(id, "FSETSTAT", undefined, async () => {
			const file = fileOf(handle);
			if (mode !== undefined) await file.chmod(mode & 0o7777);
			if (uid !== undefined && gid !== undefined) await file.chown(uid, gid);
		}),
	);
	sftp.on("CLOSE", (id, handle) =>
		answer(id, "CLOSE", undefined, async () => {
			const opened = session.opened(handle);
			session.forget(handle);
			if (opened !== undefined && "file" in opened) await opened.file.close();
		}),
	);
}

/** Listings of a folder. */
function serveFolders(session: Session): void {
	const { sftp, local, keep, answer } = session;
	sftp.on("OPENDIR", (id, path) =>
		answer(id, "OPENDIR", path, async () => {
			const names = await readdir(local(path));
			return () => sftp.handle(id, keep({ names, path: local(path) }));
		}),
	);
	sftp.on("READDIR", (id, handle) =>
		answer(id, "READDIR", undefined, async () => {
			const opened = session.opened(handle);
			if (opened === undefined || "file" in opened) throw refused("EBADF");
			const { names, path } = opened;
			opened.names = undefined;
			if (names === undefined) return () => sftp.status(id, STATUS_CODE.EOF);
			const listed = await Promise.all(
				names.map(async (filename) => {
					// Gone again between the listing and the look at it.
					const stats = await lstat(join(path, filename)).catch(() => undefined);
					const attrs = stats === undefined ? NO_ATTRIBUTES : toAttributes(stats);
					return { filename, longname: filename, attrs };
				}),
			);
			return () => sftp.name(id, listed);
		}),
	);
}

/** OpenSSH's extensions to the protocol. */
function serveExtensions(session: Session): void {
	const { sftp, local, fileOf, answer } = session;
	sftp.on("EXTENDED", (id, name, data) => {
		const [first = Buffer.alloc(0), second = Buffer.alloc(0)] = strings(data);
		const path = name === "fsync@openssh.com" ? undefined : first.toString();
		answer(id, name, path, async () => {
			switch (name) {
				case "posix-rename@openssh.com":
					await rename(local(first.toString()), local(second.toString()));
					return undefined;
				case "fsync@openssh.com":
					await fileOf(first).sync();
					return undefined;
				case "statvfs@openssh.com": {
					const space = await statfs(local(first.toString()), { bigint: true });
					return () => sendRaw(sftp, statvfsReply(id, space));
				}
				default:
					return () => sftp.status(id, STATUS_CODE.OP_UNSUPPORTED);
			}
		});
	});
}

const NO_ATTRIBUTES: Attributes = { mode: 0, uid: 0, gid: 0, size: 0, atime: 0, mtime: 0 };

/** As OpenSSH's server: everything but "not there" and "not allowed" is a plain failure. */
function statusOf(error: unknown): number {
	const code = error instanceof Error && "code" in error ? error.code : undefined;
	if (code === "ENOENT" || code === "ENOTDIR") return STATUS_CODE.NO_SUCH_FILE;
	const denied = code === "EACCES" || code === "EPERM";
	return denied ? STATUS_CODE.PERMISSION_DENIED : STATUS_CODE.FAILURE;
}

function toAttributes({ mode, uid, gid, size, atimeMs, mtimeMs }: Stats): Attributes {
	const [atime, mtime] = [Math.floor(atimeMs / 1000), Math.floor(mtimeMs / 1000)];
	return { mode, uid, gid, size, atime, mtime };
}

function toFlags(flags: number): number {
	const has = (flag: number): boolean => (flags & flag) !== 0;
	const access = has(OPEN_MODE.WRITE)
		? has(OPEN_MODE.READ)
			? constants.O_RDWR
			: constants.O_WRONLY
		: constants.O_RDONLY;
	return (
		access |
		(has(OPEN_MODE.CREAT) ? constants.O_CREAT : 0) |
		(has(OPEN_MODE.TRUNC) ? constants.O_TRUNC : 0) |
		(has(OPEN_MODE.EXCL) ? constants.O_EXCL : 0) |
		(has(OPEN_MODE.APPEND) ? constants.O_APPEND : 0)
	);
}

/** The length-prefixed strings of an extended request. */
function strings(data: Buffer): readonly Buffer[] {
	const found: Buffer[] = [];
	for (let at = 0; at + 4 <= data.length; ) {
		const length = data.readUInt32BE(at);
		found.push(data.subarray(at + 4, at + 4 + length));
		at += 4 + length;
	}
	return found;
}

/** What ssh2's types leave out of the server's side. */
interface ServerSide {
	_protocol: { channelData(channel: number, packet: Buffer): void };
	readonly outgoing: { readonly id: number; window: number };
}

/** A packet that ssh2 has no function for. */
function sendRaw(sftp: SFTPWrapper, packet: Buffer): void {
	const { _protocol, outgoing } = sftp as unknown as ServerSide;
	outgoing.window -= packet.length;
	_protocol.channelData(outgoing.id, packet);
}

/** Puts a version packet with extensions in place of ssh2's own, the first that it sends. */
function announce(sftp: SFTPWrapper, extensions: readonly (readonly [string, string])[]): void {
	const side = sftp as unknown as ServerSide;
	const protocol = side._protocol;
	const own = Object.create(protocol) as ServerSide["_protocol"];
	own.channelData = () => {
		side._protocol = protocol;
		const version = Buffer.from([SSH_FXP_VERSION, 0, 0, 0, 3]);
		const words = extensions.flat().flatMap((word) => [uint32(word.length), Buffer.from(word)]);
		sendRaw(sftp, framed(Buffer.concat([version, ...words])));
	};
	side._protocol = own;
}

const SSH_FXP_VERSION = 2;
const SSH_FXP_EXTENDED_REPLY = 201;

/** PROTOCOL of OpenSSH, section 4.4. */
function statvfsReply(id: number, space: BigIntStatsFs): Buffer {
	const { bsize, blocks, bfree, bavail, files, ffree } = space;
	const numbers = [bsize, bsize, blocks, bfree, bavail, files, ffree, ffree, 0n, 0n, 255n];
	const body = Buffer.alloc(8 * numbers.length);
	for (const [index, number] of numbers.entries()) body.writeBigUInt64BE(number, 8 * index);
	return framed(Buffer.concat([Buffer.from([SSH_FXP_EXTENDED_REPLY]), uint32(id), body]));
}

function framed(packet: Buffer): Buffer {
	return Buffer.concat([uint32(packet.length), packet]);
}

function uint32(value: number): Buffer {
	const bytes = Buffer.alloc(4);
	bytes.writeUInt32BE(value);
	return bytes;
}
