/** Times to name a backup by, of which the first free one is taken; they sort by time. */
export function backupTimes(now: Date, count: number): readonly string[] {
	return Array.from({ length: count }, (_, later) =>
		new Date(now.getTime() + later).toISOString().replace(/[-:]/g, ""),
	);
}

export function backupPath(path: string, time: string): string {
	return `${path}.bak-${time}`;
}

const BACKUP_TIME = /^\d{8}T\d{6}\.\d{3}Z$/;
const DRAFT = /^\.ai-server-[\w-]+(?:\.old)?\.tmp$/;

/**
 * The names in a folder that can be removed once a file is replaced: all but the newest `keep` of its
 * backups, and the drafts of writes that never ended. Only names that our own writes give.
 */
export function leftovers(names: readonly string[], file: string, keep: number): readonly string[] {
	const rest = (name: string): string => (name.startsWith(file) ? name.slice(file.length) : "");
	const isBackup = (name: string): boolean =>
		rest(name).startsWith(".bak-") && BACKUP_TIME.test(rest(name).slice(".bak-".length));
	const backups = names.filter(isBackup).sort();
	const drafts = names.filter((name) => DRAFT.test(rest(name)));
	return [...backups.slice(0, Math.max(0, backups.length - keep)), ...drafts];
}

/** The files that one write makes in the folder of the file. */
export interface WriteNames {
	/** The new text, until it takes the file's place. */
	readonly draft: string;
	/** The copy of the old text, until it is whole and becomes a backup. */
	readonly oldDraft: string;
	/** Exists while a client writes. */
	readonly lock: string;
}

export function writeNames(path: string, suffix: string): WriteNames {
	return {
		draft: `${path}.ai-server-${suffix}.tmp`,
		oldDraft: `${path}.ai-server-${suffix}.old.tmp`,
		lock: `${path}.ai-server.lock`,
	};
}

/** A lock this old was left by a client that died or lost its connection: no write takes so long. */
export const STALE_LOCK_SECONDS = 60;

/** What the lock of one write holds, so that its owner recognizes it. */
export function lockText(suffix: string): string {
	return `ai-server ${suffix}\n`;
}
