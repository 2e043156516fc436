import { randomBytes } from "node:crypto";
import type { Client } from "ssh2";
import { collectCommand } from "../exec.ts";
import { shellQuote } from "../quote.ts";

/**
 * A file by way of a command: two round trips, where SFTP needs five or six. A login script may print
 * lines of its own, so the file begins behind a mark. Rejects when the command does not run as it
 * should, whatever the reason is: SFTP then names it. Fewer than `length` bytes are the whole file.
 */
export async function readByCommand(
	client: Client,
	path: string,
	length: number,
	stop: AbortSignal,
): Promise<Buffer> {
	const mark = randomBytes(16).toString("hex");
	const { code, stdout } = await collectCommand(client, headCommand(path, length, mark), {
		stop,
		maxBytes: length + MAX_NOISE_BYTES,
	});
	const begin = stdout.indexOf(mark);
	if (code !== 0 || begin === -1) throw new Error(`the command ended with ${code}`);
	return stdout.subarray(begin + mark.length);
}

/** What login scripts may print. */
const MAX_NOISE_BYTES = 256 * 1024;

/** Prints the mark, then so much of the file. The login shell may be any: a POSIX one is started by it. */
export function headCommand(path: string, length: number, mark: string): string {
	const script = 'printf %s "$1"; exec head -c "$2" -- "$3"';
	return `exec sh -c ${shellQuote(script)} sh ${mark} ${length} ${quotePath(path)}`;
}

/** The tilde is left to the login shell. */
function quotePath(path: string): string {
	if (path === "~") return path;
	return path.startsWith("~/") ? `~/${shellQuote(path.slice(2))}` : shellQuote(path);
}
