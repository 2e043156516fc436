import { createHash } from "node:crypto";
import { AiServerError } from "../../errors.ts";
import { MARK, READ_SCRIPT, REPLACE_SCRIPT, shellScript } from "./exec-script.ts";
import { backupTimes } from "./file-names.ts";
import {
	BACKUP_TRIES,
	DEFAULT_KEPT_BACKUPS,
	type Replaced,
	type ReplaceOptions,
} from "./replace.ts";
import { type ReplaceFaults, replaceFaults } from "./replace-errors.ts";

export interface ExecResult {
	/** Undefined when the command ended without one: killed, or the connection broke. */
	readonly code: number | undefined;
	readonly stdout: Uint8Array;
	readonly stderr: string;
}

/**
 * Runs a command in the login shell on the server. A server that stops reading `stdin` early is no
 * fault: its exit code says why.
 */
export type Exec = (command: string, stdin?: Uint8Array) => Promise<ExecResult>;

const DEFAULT_MAX_BYTES = 1024 * 1024;

/**
 * As replaceFile(), for a server without SFTP: one shell script does it all there, and uses nothing
 * but a text of the right hash. Needs sha256sum, `stat -c` and `readlink -f` (GNU or BusyBox).
 * Somebody else's edit is noticed until the last milliseconds only by its hash, as over SFTP.
 */
export async function replaceFileByExec(
	exec: Exec,
	path: string,
	options: ReplaceOptions,
): Promise<Replaced> {
	const { expectedSha256, content, now, suffix, keepBackups = DEFAULT_KEPT_BACKUPS } = options;
	const faults = replaceFaults(path);
	const command = shellScript(REPLACE_SCRIPT, [
		checkPath(path),
		expectedSha256.toLowerCase(),
		sha256(content),
		suffix,
		String(keepBackups),
		...backupTimes(now, BACKUP_TRIES),
	]);
	const result = await exec(command, content).catch((error: unknown) => {
		throw faults.interrupted(error);
	});
	const lines = Buffer.from(result.stdout).toString().split("\n");
	const marked = (word: string): readonly string[] =>
		lines.flatMap((line) => {
			const start = `${MARK} ${word} `;
			return line.startsWith(start) ? [line.slice(start.length)] : [];
		});
	const [realPath] = marked("real");
	const [backupPath] = marked("backup");
	if (realPath !== undefined && backupPath !== undefined) {
		return { realPath, backupPath, notes: marked("note") };
	}
	throw execFault(result, faults);
}

/**
 * The bytes of a file, for a server without SFTP; a leading "~/" is the remote home.
 * Rejects with AiServerError "ssh".
 */
export async function readFileByExec(
	exec: Exec,
	path: string,
	{ maxBytes = DEFAULT_MAX_BYTES }: { readonly maxBytes?: number } = {},
): Promise<Buffer> {
	const faults = replaceFaults(path);
	const command = shellScript(READ_SCRIPT, [checkPath(path), String(maxBytes)]);
	const result = await exec(command);
	if (result.code !== 0) {
		const fault = faultOf(result, faults);
		if (fault === "large") throw faults.tooLarge(maxBytes);
		throw fault ?? faults.unread(reasonOf(result));
	}
	// Shell startup files may write to standard output first.
	const output = Buffer.from(result.stdout);
	const start = output.indexOf(`${MARK} file `);
	const end = output.indexOf("\n", start);
	const hash = output.toString("latin1", start, end).split(" ").at(-1);
	const bytes = output.subarray(end + 1);
	if (start < 0 || end < 0 || sha256(bytes) !== hash) {
		throw faults.unread("its text came damaged, or changed just now");
	}
	return bytes;
}

function execFault(result: ExecResult, faults: ReplaceFaults): AiServerError {
	const fault = faultOf(result, faults);
	if (fault !== undefined && fault !== "large") return fault;
	const cause = new Error(result.stderr.trim());
	// An exit code of success without a last line, or none at all: nobody knows how far it came.
	if (result.code === undefined || result.code === 0) return faults.interrupted(cause);
	const { stderr } = result;
	if (/No space left|quota exceeded/i.test(stderr)) return faults.diskFull();
	if (/Read-only file system/i.test(stderr)) return faults.readOnlyDisk();
	if (/Permission denied|not permitted/i.test(stderr)) return faults.readOnlyFolder(cause);
	return faults.failed(reasonOf(result), cause);
}

/** What the script itself said is wrong. */
function faultOf(
	{ stderr }: ExecResult,
	faults: ReplaceFaults,
): AiServerError | "large" | undefined {
	const said = stderr.split("\n").find((line) => line.startsWith(`${MARK} `));
	const [word, first = "", second = ""] = said?.slice(MARK.length + 1).split(" ") ?? [];
	switch (word) {
		case "changed":
			return faults.changed();
		case "locked":
			return faults.locked(Math.max(0, Number(first)));
		case "missing":
			return faults.missing();
		case "special":
			return faults.notAFile();
		case "unreadable":
			return faults.unreadable();
		case "owner":
			return faults.foreignOwner(first, second);
		case "needs":
			return faults.unsupported(`${first} (GNU or BusyBox)`);
		case "short":
			return faults.broken(new Error("the new text came incomplete"));
		case "backup":
			return faults.failed("there are too many backups of this very moment");
		case "large":
			return word;
		default:
			return undefined; // "folder" among them: the system's words before it say more
	}
}

function reasonOf({ stderr, code }: ExecResult): string {
	const lines = stderr.split("\n").filter((line) => line.trim() !== "");
	const words = lines.filter((line) => !line.startsWith(MARK)).at(-1);
	return words ?? (code === undefined ? "the command was cut off" : `exit code ${code}`);
}

/** Throws for a path that a line of text cannot hold. */
function checkPath(path: string): string {
	if (!/[\0\n\r]/.test(path)) return path;
	throw new AiServerError("settings", `A control character in ${JSON.stringify(path)}`, {
		hint: "Check AI_SERVER_PRESET_PATH",
	});
}

function sha256(bytes: Uint8Array): string {
	return createHash("sha256").update(bytes).digest("hex");
}
