/** Times to name a backup by: the first that is still free counts. They sort as they follow. */
export function backupTimes(now: Date, count: number): readonly string[] {
	return Array.from({ length: count }, (_, later) =>
		new Date(now.getTime() + later).toISOString().replace(/[-:]/g, ""),
	);
}

export function backupPath(path: string, time: string): string {
	return `${path}.bak-${time}`;
}

/** A shell pattern for what backupTimes() makes. */
export const BACKUP_TIME_GLOB: string = `${digits(8)}T${digits(6)}.${digits(3)}Z`;

const BACKUP_TIME = /^\d{8}T\d{6}\.\d{3}Z$/;
const DRAFT = /^\.ai-server-[\w-]+(?:\.old)?\.tmp$/;

/**
 * What of a folder's names may go once a file is replaced: its backups but the newest `keep`, and
 * the drafts of writes that never ended. Only names that a write of ours gives.
 */
export function leftovers(names: readonly string[], file: string, keep: number): readonly string[] {
	const rest = (name: string): string => (name.startsWith(file) ? name.slice(file.length) : "");
	const isBackup = (name: string): boolean =>
		rest(name).startsWith(".bak-") && BACKUP_TIME.test(rest(name).slice(".bak-".length));
	const backups = names.filter(isBackup).sort();
	const drafts = names.filter((name) => DRAFT.test(rest(name)));
	return [...backups.slice(0, Math.max(0, backups.length - keep)), ...drafts];
}

/** The names beside a file that one write uses. */
export interface WriteNames {
	/** The new text, until it takes the file's place. */
	readonly draft: string;
	/** The copy of the old text, until it is whole and becomes a backup. */
	readonly oldDraft: string;
	/** There while somebody writes. */
	readonly lock: string;
}

export function writeNames(path: string, suffix: string): WriteNames {
	return {
		draft: `${path}.ai-server-${suffix}.tmp`,
		oldDraft: `${path}.ai-server-${suffix}.old.tmp`,
		lock: `${path}.ai-server.lock`,
	};
}

/** A lock this old is of a client that died or lost its connection: no write takes so long. */
export const STALE_LOCK_SECONDS = 60;

/** What the lock of one write holds, so that its owner knows it again. */
export function lockText(suffix: string): string {
	return `ai-server ${suffix}\n`;
}

function digits(count: number): string {
	return "[0-9]".repeat(count);
}
