import { constants, type Stats } from "node:fs";
import { type FileHandle, open, readdir, realpath, rename, rm, stat } from "node:fs/promises";
import { join, relative, resolve, sep } from "node:path";
import ssh2, { type Attributes, type SFTPWrapper } from "ssh2";

const { OPEN_MODE, STATUS_CODE } = ssh2.utils.sftp;

/** A file or folder that the client has open; a folder's names are given out once. */
type Opened =
	| { readonly file: FileHandle }
	| { names: readonly string[] | undefined; readonly path: string };

/** Serves one SFTP session on a folder, which the client sees as "/home/demo". */
export function serveSftp(sftp: SFTPWrapper, home: string): void {
	const root = "/home/demo";
	const handles = new Map<number, Opened>();
	let next = 0;
	const local = (path: string): string => {
		const absolute = resolve(root, path);
		if (absolute !== root && !absolute.startsWith(root + sep)) throw refused("EACCES");
		return join(home, relative(root, absolute));
	};
	const remote = (path: string): string => join(root, relative(home, path));
	const keep = (opened: Opened): Buffer => {
		const handle = Buffer.alloc(4);
		handle.writeUInt32BE(next);
		handles.set(next++, opened);
		return handle;
	};
	const fileOf = (handle: Buffer): FileHandle => {
		const opened = handles.get(handle.readUInt32BE(0));
		if (opened === undefined || !("file" in opened)) throw refused("EBADF");
		return opened.file;
	};
	/** Answers with OK, unless `work` has answered itself; what it throws becomes a status. */
	const answer = (id: number, work: () => Promise<unknown>): void => {
		work().then(
			(answered) => answered === ANSWERED || sftp.status(id, STATUS_CODE.OK),
			(error: unknown) => sftp.status(id, statusOf(error)),
		);
	};
	const attributes = (id: number, path: string): void =>
		answer(id, async () => answered(sftp.attrs(id, toAttributes(await stat(local(path))))));

	sftp.on("REALPATH", (id, path) =>
		answer(id, async () => {
			const full = resolve(root, path);
			const known = await realpath(local(full)).catch(() => local(full));
			const filename = remote(known);
			return answered(sftp.name(id, [{ filename, longname: filename, attrs: NO_ATTRIBUTES }]));
		}),
	);
	sftp.on("STAT", attributes);
	sftp.on("LSTAT", attributes);
	sftp.on("FSTAT", (id, handle) =>
		answer(id, async () => answered(sftp.attrs(id, toAttributes(await fileOf(handle).stat())))),
	);
	sftp.on("OPEN", (id, path, flags, { mode }) =>
		answer(id, async () => {
			const file = await open(local(path), toFlags(flags), mode ?? 0o644);
			return answered(sftp.handle(id, keep({ file })));
		}),
	);
	sftp.on("READ", (id, handle, offset, length) =>
		answer(id, async () => {
			const buffer = Buffer.alloc(Math.min(length, 65_536));
			const { bytesRead } = await fileOf(handle).read(buffer, 0, buffer.length, offset);
			if (bytesRead === 0) return answered(sftp.status(id, STATUS_CODE.EOF));
			return answered(sftp.data(id, buffer.subarray(0, bytesRead)));
		}),
	);
	sftp.on("WRITE", (id, handle, offset, data) =>
		answer(id, () => fileOf(handle).write(data, 0, data.length, offset)),
	);
	sftp.on("FSETSTAT", (id, handle, { mode }) =>
		answer(id, async () => mode === undefined || (await fileOf(handle).chmod(mode))),
	);
	sftp.on("CLOSE", (id, handle) =>
		answer(id, async () => {
			const key = handle.readUInt32BE(0);
			const opened = handles.get(key);
			handles.delete(key);
			if (opened !== undefined && "file" in opened) await opened.file.close();
		}),
	);
	sftp.on("OPENDIR", (id, path) =>
		answer(id, async () => {
			const names = await readdir(local(path));
			return answered(sftp.handle(id, keep({ names, path: local(path) })));
		}),
	);
	sftp.on("READDIR", (id, handle) =>
		answer(id, async () => {
			const opened = handles.get(handle.readUInt32BE(0));
			if (opened === undefined || "file" in opened) throw refused("EBADF");
			const { names, path } = opened;
			opened.names = undefined;
			if (names === undefined) return answered(sftp.status(id, STATUS_CODE.EOF));
			const entries = names.map(async (filename) => {
				const attrs = toAttributes(await stat(join(path, filename)));
				return { filename, longname: filename, attrs };
			});
			return answered(sftp.name(id, await Promise.all(entries)));
		}),
	);
	sftp.on("REMOVE", (id, path) => answer(id, () => rm(local(path))));
	sftp.on("RENAME", (id, from, to) =>
		answer(id, async () => {
			// Unlike posix-rename this never replaces a file.
			const taken = await stat(local(to)).then(
				() => true,
				() => false,
			);
			if (taken) throw refused("EEXIST");
			await rename(local(from), local(to));
		}),
	);
	sftp.on("EXTENDED", (id, name, data) =>
		answer(id, async () => {
			const [first = Buffer.alloc(0), second = Buffer.alloc(0)] = strings(data);
			if (name === "posix-rename@openssh.com") {
				await rename(local(first.toString()), local(second.toString()));
			} else if (name === "fsync@openssh.com") await fileOf(first).sync();
			else return answered(sftp.status(id, STATUS_CODE.OP_UNSUPPORTED));
			return undefined;
		}),
	);
	sftp.on("close", () => {
		for (const opened of handles.values()) if ("file" in opened) void opened.file.close();
	});
}

const ANSWERED = Symbol("answered");
const NO_ATTRIBUTES: Attributes = { mode: 0, uid: 0, gid: 0, size: 0, atime: 0, mtime: 0 };

function answered(_sent: unknown): typeof ANSWERED {
	return ANSWERED;
}

function refused(code: string): Error {
	return Object.assign(new Error(code), { code });
}

/** As OpenSSH's server: everything but "not there" and "not allowed" is a plain failure. */
function statusOf(error: unknown): number {
	const code = error instanceof Error && "code" in error ? error.code : undefined;
	if (code === "ENOENT") return STATUS_CODE.NO_SUCH_FILE;
	return code === "EACCES" ? STATUS_CODE.PERMISSION_DENIED : STATUS_CODE.FAILURE;
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
