import { AiServerError } from "../../errors.ts";
import { STALE_LOCK_SECONDS } from "./file-names.ts";
import { type PathSource, readError } from "./read.ts";
import { SessionLost } from "./sftp.ts";

/** Why a file on the server was not replaced; all but `interrupted` leave it byte for byte. */
export interface ReplaceErrors {
	/** Code "config": the edit has to read the file again and begin anew. */
	changed(): AiServerError;
	/** Another client is writing it. Code "config", as above. */
	locked(ageSeconds: number): AiServerError;
	notAFile(): AiServerError;
	/** What a request that only looks at the file rejected with. */
	unread(cause: unknown): AiServerError;
	/** The user may not make files in the folder. */
	readOnlyFolder(cause: unknown): AiServerError;
	readOnlyDisk(): AiServerError;
	foreignOwner(owner: string, login: string): AiServerError;
	diskFull(space?: { readonly free: number; readonly needed: number }): AiServerError;
	/** The server lacks what a safe write needs. */
	unsupported(what: string, cause: unknown): AiServerError;
	/** The connection ended before the new text was put in place. */
	broken(cause: unknown): AiServerError;
	/** The connection ended at the one moment after which either text may be in place. */
	interrupted(cause: unknown): AiServerError;
	failed(reason: string, cause?: unknown): AiServerError;
}

// biome-ignore lint/complexity/noExcessiveLinesPerFunction: a table, one entry for each message
export function replaceErrors(path: string, source: PathSource): ReplaceErrors {
	const ssh = (message: string, hint: string, cause?: unknown): AiServerError =>
		new AiServerError("ssh", message, { hint, cause });
	const conflict = (message: string, hint: string): AiServerError =>
		new AiServerError("config", message, { hint });
	const broken = (cause: unknown): AiServerError =>
		ssh(
			`The connection was lost before ${path} was replaced; the file is unchanged`,
			`Try again; a lock that was left behind expires after ${STALE_LOCK_SECONDS} s`,
			cause,
		);
	return {
		changed: () =>
			conflict(
				`${path} on the server has changed in the meantime; nothing was written`,
				"Run the command again; it starts from the current text",
			),
		locked: (age) =>
			conflict(
				`Another client has been changing ${path} on the server for ${age} s; nothing was written`,
				`Try again; a lock that was left behind expires after ${STALE_LOCK_SECONDS} s`,
			),
		notAFile: () =>
			new AiServerError("ssh", `${path} on the server is not a regular file`, {
				hint: "Check the path",
				setting: source.setting,
			}),
		unread: (cause) =>
			cause instanceof SessionLost ? broken(cause.cause) : readError(cause, path, source),
		readOnlyFolder: (cause) =>
			ssh(
				`No permission to write in the folder of ${path} on the server; the file is unchanged`,
				"Give the SSH user write permission for that folder",
				cause,
			),
		readOnlyDisk: () =>
			ssh(
				`The file system of ${path} on the server is read-only; the file is unchanged`,
				"Remount it read-write, or find out why it is read-only",
			),
		foreignOwner: (owner, login) =>
			ssh(
				`${path} belongs to ${owner}, but the SSH login is ${login}: a new file would change its owner, so nothing was written`,
				"Log in as the owner, or give the file to the SSH user (chown)",
			),
		diskFull: (space) =>
			ssh(
				`The disk of ${path} on the server is full${
					space === undefined ? "" : ` (${space.free} bytes free, ${space.needed} needed)`
				}; the file is unchanged`,
				"Free some space there, then try again",
			),
		unsupported: (what, cause) =>
			ssh(
				`The SFTP server cannot replace ${path} safely: it lacks ${what}; the file is unchanged`,
				"Use `Subsystem sftp internal-sftp` in sshd_config, or edit the file on the server",
				cause,
			),
		broken,
		interrupted: (cause) =>
			ssh(
				`The connection was lost while ${path} was being replaced: the server has the old or the new text, complete`,
				"Check which one it is before you continue",
				cause,
			),
		failed: (reason, cause) =>
			ssh(
				`Replacing ${path} on the server failed: ${reason}; the file is unchanged`,
				"Check the folder's permissions, the disk and its quota",
				cause,
			),
	};
}
