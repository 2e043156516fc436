import { posix } from "node:path";
import type { Attributes } from "ssh2";
import { backupPath, backupTimes, leftovers, type WriteNames, writeNames } from "./file-names.ts";
import { type FileLock, fileLock } from "./lock.ts";
import type { PathSource } from "./read.ts";
import { type ReplaceErrors, replaceErrors } from "./replace-errors.ts";
import { exists, SessionLost, SFTP_STATUS, type Sftp, statusOf, together } from "./sftp.ts";

export interface ReplaceOptions extends PathSource {
	/** The bytes that the edit began with. */
	readonly expected: Uint8Array;
	readonly content: Uint8Array;
	/** Names the backup. */
	readonly now: Date;
	/** Letters and digits that no other write uses at the same time. */
	readonly suffix: string;
}

export interface Replaced {
	/** The file that was replaced: absolute, no symlink. */
	readonly realPath: string;
	/** The old text, in the same folder. */
	readonly backupPath: string;
	/** What could not be tidied up afterwards; the write itself is done. */
	readonly notes: readonly string[];
}

/** The new one among them; older ones are removed. */
const MAX_BACKUPS = 10;
/** How many milliseconds a backup's name may give way to others of the same time. */
const MAX_BACKUP_TRIES = 20;

/** One write, with all that its steps need. */
interface Write {
	readonly sftp: Sftp;
	readonly errors: ReplaceErrors;
	readonly options: ReplaceOptions;
	readonly real: string;
	readonly folder: string;
	readonly names: WriteNames;
	/** Files that must be gone if the write fails. */
	readonly made: Set<string>;
	/** True from the moment on at which the new text may be in place. */
	committing: boolean;
}

/**
 * Replaces a file over SFTP in one step, so that at any time the old or the new text is there,
 * whole. Symlink, mode and owner are kept, the old text goes to a backup in the same folder, and a
 * text other than the expected one is left alone. Rejects with AiServerError: "config" when another
 * client changed the file or is changing it, else "ssh".
 */
export async function replaceFile(
	sftp: Sftp,
	path: string,
	options: ReplaceOptions,
): Promise<Replaced> {
	const errors = replaceErrors(path, { setting: options.setting });
	const { real, old } = await find(sftp, path, errors);
	const folder = posix.dirname(real);
	const names = writeNames(real, options.suffix);
	const made = new Set<string>();
	const lock = fileLock({ sftp, errors, names, made, suffix: options.suffix });
	const write: Write = { sftp, errors, options, real, folder, names, made, committing: false };
	try {
		await checkSpace(write, old);
		await lock.take();
		const backup = await replaceLocked(write, old, lock);
		const notes = await tidy(write);
		return { realPath: real, backupPath: backup, notes };
	} catch (error) {
		const failure = await toReplaceError(write, error);
		// All at once, as the answers may never come; the lock, made first, goes last.
		await Promise.allSettled([...made].reverse().map((file) => sftp.remove(file)));
		throw failure;
	}
}

async function find(
	sftp: Sftp,
	path: string,
	errors: ReplaceErrors,
): Promise<{ readonly real: string; readonly old: Attributes }> {
	try {
		const real = await sftp.resolve(path);
		const old = await sftp.attributes(real);
		if (!isRegularFile(old)) throw errors.notAFile();
		return { real, old };
	} catch (error) {
		throw errors.unread(error);
	}
}

/** SFTP reports a full disk as "failure", like much else, so the free space is checked beforehand. */
async function checkSpace(
	{ sftp, errors, folder, options }: Write,
	old: Attributes,
): Promise<void> {
	const space = await sftp.space(folder);
	if (space === undefined) return;
	if (space.readOnly) throw errors.readOnlyDisk();
	const blocks = (bytes: number): number => Math.ceil(bytes / space.blockSize);
	// The new text, the backup, the lock and what the folder grows by.
	const needed = (blocks(options.content.length) + blocks(old.size) + 2) * space.blockSize;
	if (space.free < needed) throw errors.diskFull({ free: space.free, needed });
}

/** The path of the backup. What does not depend on each other is asked for side by side. */
async function replaceLocked(write: Write, old: Attributes, lock: FileLock): Promise<string> {
	const { sftp, real, names, made, options } = write;
	made.add(names.draft).add(names.oldDraft);
	// Drafts first: an owner that cannot be kept is known before anything is written.
	const [text, draft, oldDraft] = await together([
		readExpected(write),
		createFor(write, names.draft, old),
		createFor(write, names.oldDraft, old),
	]);
	await together([fill(write, oldDraft, text, old), fill(write, draft, options.content, old)]);
	const backup = await nameBackup(write);
	await together([readExpected(write), lock.check()]);
	write.committing = true;
	await sftp.replace(names.draft, real);
	made.delete(names.draft);
	made.delete(backup);
	return backup;
}

async function readExpected({ sftp, errors, real, options }: Write): Promise<Buffer> {
	const { expected } = options;
	const bytes = await sftp.read(real, 0, expected.length + 1).catch((error: unknown) => {
		throw errors.unread(error);
	});
	if (!bytes.equals(expected)) throw errors.changed();
	return bytes;
}

/** An empty file with the given owner, which other users cannot read yet. */
async function createFor(
	{ sftp, errors }: Write,
	path: string,
	{ uid, gid }: Attributes,
): Promise<Buffer> {
	const handle = await sftp.create(path);
	const isSame = (made: Attributes): boolean => made.uid === uid && made.gid === gid;
	const own = await sftp.attributesOf(handle);
	if (isSame(own)) return handle;
	await sftp.setAttributes(handle, { uid, gid }).catch(unlessRefused);
	if (isSame(await sftp.attributesOf(handle))) return handle;
	throw errors.foreignOwner(`${uid}:${gid}`, `${own.uid}:${own.gid}`);
}

/** The mode comes after the text, as writing takes away the bits that lend rights. */
async function fill(
	{ sftp, errors }: Write,
	handle: Buffer,
	bytes: Uint8Array,
	{ mode }: Attributes,
): Promise<void> {
	await sftp.write(handle, bytes);
	// A server carries out the requests about one file in their order.
	const [, made] = await together([
		sftp.setAttributes(handle, { mode: permissions(mode) }),
		sftp.attributesOf(handle),
		sftp.sync(handle),
		sftp.close(handle),
	]);
	if (made.size !== bytes.length) {
		throw errors.failed(`only ${made.size} of ${bytes.length} bytes were written`);
	}
	if (permissions(made.mode) !== permissions(mode)) {
		throw errors.failed(`the mode ${octal(mode)} cannot be set`);
	}
}

/** Gives the copy of the old text its name, which no half copy ever has. */
async function nameBackup({ sftp, errors, real, names, made, options }: Write): Promise<string> {
	for (const time of backupTimes(options.now, MAX_BACKUP_TRIES)) {
		const backup = backupPath(real, time);
		try {
			await sftp.rename(names.oldDraft, backup);
		} catch (error) {
			if (error instanceof SessionLost || !(await exists(sftp, backup))) throw error;
			continue;
		}
		made.delete(names.oldDraft);
		made.add(backup);
		return backup;
	}
	throw errors.failed("too many backups have the same time");
}

/** After the replacement nothing counts as a failure any more. */
async function tidy({ sftp, real, folder, names }: Write): Promise<readonly string[]> {
	const notes: string[] = [];
	const noting = async (what: string, work: Promise<unknown>): Promise<void> => {
		await work.catch((error: unknown) => {
			if (statusOf(error) === SFTP_STATUS.noSuchFile) return;
			notes.push(`${what}: ${messageOf(error)}`);
		});
	};
	const prune = async (): Promise<void> => {
		const old = leftovers(await sftp.names(folder), posix.basename(real), MAX_BACKUPS);
		await Promise.all(
			old.map((name) => {
				const path = posix.join(folder, name);
				return noting(`${path} could not be removed`, sftp.remove(path));
			}),
		);
	};
	await Promise.all([
		noting(`Old backups of ${real} could not be listed`, prune()),
		noting(`The lock ${names.lock} could not be removed`, sftp.remove(names.lock)),
	]);
	return notes;
}

async function toReplaceError(write: Write, error: unknown): Promise<unknown> {
	const { sftp, errors, folder, made } = write;
	if (error instanceof SessionLost) {
		if (!write.committing) return errors.broken(error.cause);
		// The old text must have its backup if the new one is there.
		for (const file of made) if (file.startsWith(backupPath(write.real, ""))) made.delete(file);
		return errors.interrupted(error.cause);
	}
	switch (statusOf(error)) {
		case undefined:
			return error;
		case SFTP_STATUS.permissionDenied:
			return errors.readOnlyFolder(error);
		case SFTP_STATUS.unsupported:
			return errors.unsupported("posix-rename@openssh.com or fsync@openssh.com", error);
		default: {
			// Our own drafts still take their room now, so a full disk looks full.
			const space = await sftp.space(folder).catch(() => undefined);
			const full = space !== undefined && space.free < 2 * space.blockSize;
			return full ? errors.diskFull() : errors.failed(messageOf(error), error);
		}
	}
}

function unlessRefused(error: unknown): undefined {
	if (statusOf(error) === undefined) throw error;
}

function messageOf(error: unknown): string {
	return error instanceof Error ? error.message : String(error);
}

function isRegularFile({ mode }: Attributes): boolean {
	return (mode & 0o170_000) === 0o100_000;
}

function permissions(mode: number): number {
	return mode & 0o7777;
}

function octal(mode: number): string {
	return permissions(mode).toString(8).padStart(4, "0");
}
