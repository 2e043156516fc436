import { lockText, STALE_LOCK_SECONDS, type WriteNames } from "./file-names.ts";
import type { ReplaceErrors } from "./replace-errors.ts";
import { exists, SFTP_STATUS, type Sftp, statusOf, together, unlessMissing } from "./sftp.ts";

/**
 * Keeps writes of a file apart, by a second file that only one of them can make. A lock that was left
 * behind is taken over; should its old owner still live, it notices by the lock's content.
 */
export interface FileLock {
	/** Rejects with the error `locked` when another client has it. */
	take(): Promise<void>;
	/** Rejects with the error `locked` when another client has taken it over. */
	check(): Promise<void>;
}

export interface FileLockParts {
	readonly sftp: Sftp;
	readonly errors: ReplaceErrors;
	readonly names: WriteNames;
	/** Gets the names of the files that are made here. */
	readonly made: Set<string>;
	readonly suffix: string;
}

/** More than any lock of ours holds. */
const MAX_LOCK_BYTES = 1024;

export function fileLock({ sftp, errors, names, made, suffix }: FileLockParts): FileLock {
	const { lock, draft } = names;
	/** False when another client has it. */
	const create = async (): Promise<boolean> => {
		let handle: Buffer;
		try {
			handle = await sftp.create(lock);
		} catch (error) {
			// "Failure" means that it exists, or existed until just now.
			if (statusOf(error) === SFTP_STATUS.failure && (await exists(sftp, lock))) return false;
			throw error;
		}
		made.add(lock);
		await together([sftp.write(handle, Buffer.from(lockText(suffix))), sftp.close(handle)]);
		return true;
	};
	/** Tries again when the lock was given back between the two requests that find out. */
	const tryCreate = async (tries = 10): Promise<boolean> => {
		try {
			return await create();
		} catch (error) {
			const isFree = statusOf(error) === SFTP_STATUS.failure && !made.has(lock);
			if (!isFree || tries === 1) throw error;
			return tryCreate(tries - 1);
		}
	};
	/** Seconds by the server's own clock, which the time of a new file shows. */
	const age = async (): Promise<number> => {
		made.add(draft);
		const handle = await sftp.create(draft);
		const { mtime: now } = await sftp.attributesOf(handle);
		await sftp.close(handle);
		// The owner of the lock may have removed it while tidying up.
		await sftp.remove(draft).catch(unlessMissing);
		made.delete(draft);
		const taken = await sftp.attributes(lock).catch(unlessMissing);
		return taken === undefined ? 0 : Math.max(0, now - taken.mtime);
	};
	return {
		async take() {
			if (await tryCreate()) return;
			const seconds = await age();
			if (seconds < STALE_LOCK_SECONDS) throw errors.locked(seconds);
			await sftp.remove(lock).catch(unlessMissing);
			if (!(await tryCreate())) throw errors.locked(0);
		},
		async check() {
			const text = await sftp.read(lock, 0, MAX_LOCK_BYTES).catch(unlessMissing);
			if (text?.toString() === lockText(suffix)) return;
			made.delete(lock);
			throw errors.locked(0);
		},
	};
}
