import { createHash } from "node:crypto";
import { posix } from "node:path";
import type { Attributes, SFTPWrapper } from "ssh2";
import { AiServerError } from "../../errors.ts";
import { backupPath, backupTimes, leftovers, type WriteNames, writeNames } from "./file-names.ts";
import { type FileLock, fileLock } from "./lock.ts";
import { type ReplaceFaults, replaceFaults } from "./replace-errors.ts";
import { exists, SFTP_STATUS, type SftpSteps, sftpSteps, statusOf, Unanswered } from "./sftp.ts";

export interface ReplaceOptions {
	/** Hex SHA-256 of the bytes that the edit began with. */
	readonly expectedSha256: string;
	readonly content: Uint8Array;
	/** Names the backup. */
	readonly now: Date;
	/** Letters and digits that no other write uses at the same time. */
	readonly suffix: string;
	/** The new backup counts; default 10. */
	readonly keepBackups?: number;
}

export interface SftpReplaceOptions extends ReplaceOptions {
	/**
	 * Rejects when the connection ends, and when the caller stops waiting: the write then gives up
	 * and takes back what it can without waiting for answers.
	 */
	readonly lost: Promise<never>;
}

export interface Replaced {
	/** The file that was replaced: absolute, no symlink. */
	readonly realPath: string;
	/** The old text, beside it. */
	readonly backupPath: string;
	/** What could not be tidied up afterwards; the write itself is done. */
	readonly notes: readonly string[];
}

export const DEFAULT_KEPT_BACKUPS = 10;
/** How many milliseconds a backup's name may give way to others of the same time. */
export const BACKUP_TRIES = 20;
/** Larger than any config that an edit is tried on. */
const MAX_BYTES = 4 * 1024 * 1024;

/** One write, with all that its steps need. */
interface Write {
	readonly steps: SftpSteps;
	readonly faults: ReplaceFaults;
	readonly options: SftpReplaceOptions;
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
 * whole. Symlink, mode and owner are kept, the old text goes to a backup beside the file, and a
 * text other than the expected one is left alone. Rejects with AiServerError: "config" when
 * somebody else changed the file or is changing it, else "ssh".
 */
export async function replaceFile(
	sftp: SFTPWrapper,
	path: string,
	options: SftpReplaceOptions,
): Promise<Replaced> {
	const steps = sftpSteps(sftp, options.lost);
	const faults = replaceFaults(path);
	const { real, old } = await find(steps, path, faults);
	const folder = posix.dirname(real);
	const names = writeNames(real, options.suffix);
	const made = new Set<string>();
	const lock = fileLock({ steps, faults, names, made, suffix: options.suffix });
	const write: Write = {
		...{ steps, faults, options, real, folder, names, made },
		committing: false,
	};
	try {
		await checkSpace(write, old);
		await lock.take();
		const backup = await replaceLocked(write, old, lock);
		const notes = await tidy(write);
		return { realPath: real, backupPath: backup, notes };
	} catch (error) {
		const fault = await wordFault(write, error);
		// All at once, as nobody may be left to answer; the lock, made first, goes last.
		await Promise.allSettled([...made].reverse().map((file) => steps.remove(file)));
		throw fault;
	}
}

async function find(
	steps: SftpSteps,
	path: string,
	faults: ReplaceFaults,
): Promise<{ readonly real: string; readonly old: Attributes }> {
	try {
		const real = await steps.resolve(path);
		const old = await steps.attributes(real);
		if (!isRegularFile(old)) throw faults.notAFile();
		return { real, old };
	} catch (error) {
		throw readFault(error, faults);
	}
}

function readFault(error: unknown, faults: ReplaceFaults): unknown {
	if (error instanceof Unanswered) return faults.broken(error.cause);
	switch (statusOf(error)) {
		case SFTP_STATUS.noSuchFile:
			return faults.missing(error);
		case SFTP_STATUS.permissionDenied:
			return faults.unreadable(error);
		default:
			return error instanceof AiServerError ? error : faults.failed(messageOf(error), error);
	}
}

/** SFTP's "failure" does not tell a full disk from anything else, so it is looked at beforehand. */
async function checkSpace(
	{ steps, faults, folder, options }: Write,
	old: Attributes,
): Promise<void> {
	const space = await steps.space(folder);
	if (space === undefined) return;
	if (space.readOnly) throw faults.readOnlyDisk();
	const blocks = (bytes: number): number => Math.ceil(bytes / space.blockSize);
	// The new text, the backup, the lock and what the folder grows by.
	const needed = (blocks(options.content.length) + blocks(old.size) + 2) * space.blockSize;
	if (space.free < needed) throw faults.diskFull({ free: space.free, needed });
}

/** The path of the backup. */
async function replaceLocked(write: Write, old: Attributes, lock: FileLock): Promise<string> {
	const { steps, real, names, made, options } = write;
	const text = await readExpected(write);
	// Made first: an owner that cannot be kept is known before anything is written.
	made.add(names.draft);
	const draft = await createFor(write, names.draft, old);
	made.add(names.oldDraft);
	await fill(write, await createFor(write, names.oldDraft, old), text, old);
	const backup = await nameBackup(write);
	await fill(write, draft, options.content, old);
	await readExpected(write);
	await lock.check();
	write.committing = true;
	await steps.replace(names.draft, real);
	made.delete(names.draft);
	made.delete(backup);
	return backup;
}

async function readExpected({ steps, faults, real, options }: Write): Promise<Buffer> {
	const text = await steps.read(real, MAX_BYTES).catch((error: unknown) => {
		throw readFault(error, faults);
	});
	if (text === undefined) throw faults.tooLarge(MAX_BYTES);
	const hash = createHash("sha256").update(text).digest("hex");
	if (hash !== options.expectedSha256.toLowerCase()) throw faults.changed();
	return text;
}

/** An empty file with another one's owner, which nobody else can read yet. */
async function createFor(
	{ steps, faults }: Write,
	path: string,
	{ uid, gid }: Attributes,
): Promise<Buffer> {
	const handle = await steps.create(path);
	const isSame = (made: Attributes): boolean => made.uid === uid && made.gid === gid;
	const own = await steps.attributesOf(handle);
	if (isSame(own)) return handle;
	await steps.setAttributes(handle, { uid, gid }).catch(unlessRefused);
	if (isSame(await steps.attributesOf(handle))) return handle;
	throw faults.foreignOwner(`${uid}:${gid}`, `${own.uid}:${own.gid}`);
}

/** The mode comes after the text, as writing takes away the bits that lend rights. */
async function fill(
	{ steps, faults }: Write,
	handle: Buffer,
	bytes: Uint8Array,
	{ mode }: Attributes,
): Promise<void> {
	await steps.write(handle, bytes);
	await steps.setAttributes(handle, { mode: permissions(mode) });
	const made = await steps.attributesOf(handle);
	if (made.size !== bytes.length) {
		throw faults.failed(`it took ${made.size} of ${bytes.length} bytes`);
	}
	if (permissions(made.mode) !== permissions(mode)) {
		throw faults.failed(`it does not let us give a file the mode ${octal(mode)}`);
	}
	await steps.sync(handle);
	await steps.close(handle);
}

/** Gives the copy of the old text its name, which no half copy ever has. */
async function nameBackup({ steps, faults, real, names, made, options }: Write): Promise<string> {
	for (const time of backupTimes(options.now, BACKUP_TRIES)) {
		const backup = backupPath(real, time);
		try {
			await steps.rename(names.oldDraft, backup);
		} catch (error) {
			if (error instanceof Unanswered || !(await exists(steps, backup))) throw error;
			continue;
		}
		made.delete(names.oldDraft);
		made.add(backup);
		return backup;
	}
	throw faults.failed("there are too many backups of this very moment");
}

/** After the replacement nothing is a failure any more. */
async function tidy({ steps, real, folder, names, options }: Write): Promise<readonly string[]> {
	const notes: string[] = [];
	const noting = async (what: string, work: Promise<unknown>): Promise<void> => {
		await work.catch((error: unknown) => {
			if (statusOf(error) === SFTP_STATUS.noSuchFile) return;
			notes.push(`${what}: ${messageOf(error)}`);
		});
	};
	const prune = async (): Promise<void> => {
		const { keepBackups = DEFAULT_KEPT_BACKUPS } = options;
		const old = leftovers(await steps.names(folder), posix.basename(real), keepBackups);
		await Promise.all(
			old.map((name) => {
				const path = posix.join(folder, name);
				return noting(`${path} could not be removed`, steps.remove(path));
			}),
		);
	};
	await noting(`Old backups of ${real} could not be listed`, prune());
	await noting(`The lock ${names.lock} could not be removed`, steps.remove(names.lock));
	return notes;
}

async function wordFault(write: Write, error: unknown): Promise<unknown> {
	const { steps, faults, folder, made } = write;
	if (error instanceof Unanswered) {
		if (!write.committing) return faults.broken(error.cause);
		// The old text must have its backup if the new one is there.
		for (const file of made) if (file.startsWith(backupPath(write.real, ""))) made.delete(file);
		return faults.interrupted(error.cause);
	}
	switch (statusOf(error)) {
		case undefined:
			return error;
		case SFTP_STATUS.permissionDenied:
			return faults.readOnlyFolder(error);
		case SFTP_STATUS.unsupported:
			return faults.unsupported("posix-rename@openssh.com or fsync@openssh.com", error);
		default: {
			// Our own drafts still take their room now, so a full disk looks full.
			const space = await steps.space(folder).catch(() => undefined);
			const full = space !== undefined && space.free < 2 * space.blockSize;
			return full ? faults.diskFull() : faults.failed(messageOf(error), error);
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
