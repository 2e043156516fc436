import { lockText, STALE_LOCK_SECONDS, type WriteNames } from "./file-names.ts";
import type { ReplaceFaults } from "./replace-errors.ts";
import { exists, SFTP_STATUS, type SftpSteps, statusOf, unlessMissing } from "./sftp.ts";

/**
 * Keeps writes of a file apart, by a file beside it that only one of them can make. One that was
 * left behind is taken over; the text in it then tells the old owner, should it still live.
 */
export interface FileLock {
	/** Rejects with the fault `locked` when somebody else has it. */
	take(): Promise<void>;
	/** Rejects with the fault `locked` when somebody else has taken it over. */
	check(): Promise<void>;
}

export interface FileLockParts {
	readonly steps: SftpSteps;
	readonly faults: ReplaceFaults;
	readonly names: WriteNames;
	/** Gets the names of the files that are made here. */
	readonly made: Set<string>;
	readonly suffix: string;
}

export function fileLock({ steps, faults, names, made, suffix }: FileLockParts): FileLock {
	const { lock, draft } = names;
	/** False when somebody else has it. */
	const create = async (): Promise<boolean> => {
		let handle: Buffer;
		try {
			handle = await steps.create(lock);
		} catch (error) {
			// "Failure" means that it exists, or existed until just now.
			if (statusOf(error) === SFTP_STATUS.failure && (await exists(steps, lock))) return false;
			throw error;
		}
		made.add(lock);
		await steps.write(handle, Buffer.from(lockText(suffix)));
		await steps.close(handle);
		return true;
	};
	/** Again when it was given back between the two requests that find out. */
	const tryCreate = async (tries = 10): Promise<boolean> => {
		try {
			return await create();
		} catch (error) {
			const isFree = statusOf(error) === SFTP_STATUS.failure && !made.has(lock);
			if (!isFree || tries === 1) throw error;
			return tryCreate(tries - 1);
		}
	};
	/** Seconds by the server's own clock, which a file made just now tells. */
	const age = async (): Promise<number> => {
		made.add(draft);
		const handle = await steps.create(draft);
		const { mtime: now } = await steps.attributesOf(handle);
		await steps.close(handle);
		// Whoever has the lock may have tidied it away.
		await steps.remove(draft).catch(unlessMissing);
		made.delete(draft);
		const taken = await steps.attributes(lock).catch(unlessMissing);
		return taken === undefined ? 0 : Math.max(0, now - taken.mtime);
	};
	return {
		async take() {
			if (await tryCreate()) return;
			const seconds = await age();
			if (seconds < STALE_LOCK_SECONDS) throw faults.locked(seconds);
			await steps.remove(lock).catch(unlessMissing);
			if (!(await tryCreate())) throw faults.locked(0);
		},
		async check() {
			const text = await steps.read(lock, 1024).catch(unlessMissing);
			if (text?.toString() === lockText(suffix)) return;
			made.delete(lock);
			throw faults.locked(0);
		},
	};
}
