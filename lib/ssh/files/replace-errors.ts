import { AiServerError } from "../../errors.ts";
import { plainText } from "../../text.ts";
import { STALE_LOCK_SECONDS } from "./file-names.ts";

/** Why a file on the server was not replaced; all but `interrupted` leave it byte for byte. */
export interface ReplaceFaults {
	/** Code "config": whoever edits reads the file again and begins anew. */
	changed(): AiServerError;
	/** Somebody else is at it. Code "config", as above. */
	locked(ageSeconds: number): AiServerError;
	missing(cause?: unknown): AiServerError;
	notAFile(): AiServerError;
	tooLarge(maxBytes: number): AiServerError;
	unreadable(cause?: unknown): AiServerError;
	/** For reading alone; unreadable() where it is a matter of rights. */
	unread(reason: string): AiServerError;
	/** The folder lets nobody like us make files. */
	readOnlyFolder(cause?: unknown): AiServerError;
	readOnlyDisk(): AiServerError;
	foreignOwner(owner: string, login: string): AiServerError;
	diskFull(space?: { readonly free: number; readonly needed: number }): AiServerError;
	/** The server cannot do what a safe write needs. */
	unsupported(what: string, cause?: unknown): AiServerError;
	/** The connection ended before the new text was put in place. */
	broken(cause: unknown): AiServerError;
	/** The connection ended at the one moment in which nobody can tell. */
	interrupted(cause: unknown): AiServerError;
	failed(reason: string, cause?: unknown): AiServerError;
}

export function replaceFaults(path: string): ReplaceFaults {
	const ssh = (message: string, hint: string, cause?: unknown): AiServerError =>
		new AiServerError("ssh", message, { hint, cause });
	const conflict = (message: string, hint: string): AiServerError =>
		new AiServerError("config", message, { hint });
	const checkPath = "Check AI_SERVER_PRESET_PATH";
	return {
		changed: () =>
			conflict(
				`Somebody else changed ${path} on the server in the meantime; nothing was written`,
				"Run the command again: it begins with the new text",
			),
		locked: (age) =>
			conflict(
				`Somebody else is changing ${path} on the server, since ${age} s; nothing was written`,
				`Try again; a lock that a dead client left counts for ${STALE_LOCK_SECONDS} s`,
			),
		missing: (cause) => ssh(`There is no file ${path} on the server`, checkPath, cause),
		notAFile: () => ssh(`${path} on the server is not a regular file`, checkPath),
		tooLarge: (maxBytes) =>
			ssh(`${path} on the server is larger than ${maxBytes} bytes`, checkPath),
		unreadable: (cause) => ssh(`The server does not let us read ${path}`, checkPath, cause),
		unread: (reason) => ssh(`The server could not read ${path}: ${plain(reason)}`, checkPath),
		readOnlyFolder: (cause) =>
			ssh(
				`The server does not let us write in the folder of ${path}; the file is as it was`,
				"Give the SSH user the right to write in that folder",
				cause,
			),
		readOnlyDisk: () =>
			ssh(
				`The file system with ${path} on the server is read-only; the file is as it was`,
				"Mount it for writing, or look why the server did not",
			),
		foreignOwner: (owner, login) =>
			ssh(
				`${path} belongs to ${owner} and the SSH login is ${login}: a new file would lose its owner, so nothing was written`,
				"Log in as the owner, or give the file to the SSH user (chown)",
			),
		diskFull: (space) =>
			ssh(
				`The disk with ${path} on the server is full${
					space === undefined ? "" : ` (${space.free} bytes free, ${space.needed} needed)`
				}; the file is as it was`,
				"Free some space there, then try again",
			),
		unsupported: (what, cause) =>
			ssh(
				`The server cannot replace ${path} safely: it lacks ${what}; the file is as it was`,
				"Let sshd_config have `Subsystem sftp internal-sftp`, or edit the file on the server",
				cause,
			),
		broken: (cause) =>
			ssh(
				`The connection broke before ${path} was replaced; the file is as it was`,
				`Try again; if somebody seems to be changing it, wait ${STALE_LOCK_SECONDS} s`,
				cause,
			),
		interrupted: (cause) =>
			ssh(
				`The connection broke while ${path} was replaced: the server has the old or the new text, whole`,
				"Look which one it is before you go on",
				cause,
			),
		failed: (reason, cause) =>
			ssh(
				`The server could not replace ${path}: ${plain(reason)}; the file is as it was`,
				"Look at the folder's rights, the disk and its quota",
				cause,
			),
	};
}

function plain(text: string): string {
	return plainText(text).trim();
}
