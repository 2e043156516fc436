import { createHash, randomBytes } from "node:crypto";
import { NoSftpError } from "../errors.ts";
import type { Ssh } from "../types.ts";
import { type Replaced, type ReplaceOptions, replaceFile } from "./replace.ts";
import { type Exec, readFileByExec, replaceFileByExec } from "./replace-by-exec.ts";

/** A write is a dozen round trips and two fsyncs, which a slow disk may take its time for. */
const WRITE_DEADLINE_MS = 60_000;
const MAX_BYTES = 1024 * 1024;

/** A text file of the server, over SFTP or, where there is none, by a command. */
export async function readRemoteText(
	ssh: Ssh,
	path: string,
	signal?: AbortSignal,
): Promise<string> {
	try {
		return await ssh.readFile(path, { signal, maxBytes: MAX_BYTES });
	} catch (error) {
		if (!(error instanceof NoSftpError)) throw error;
		const bytes = await readFileByExec(execOf(ssh, signal), path, { maxBytes: MAX_BYTES });
		return new TextDecoder("utf-8", { ignoreBOM: true }).decode(bytes);
	}
}

/**
 * Puts a text in place of the one that was read, as replaceFile() or replaceFileByExec() do it.
 * Rejects with their faults; a text that is not `expected` any more is left alone.
 */
export async function replaceRemoteText(
	ssh: Ssh,
	path: string,
	{ expected, text, signal }: { expected: string; text: string; signal?: AbortSignal | undefined },
): Promise<Replaced> {
	const options: ReplaceOptions = {
		expectedSha256: createHash("sha256").update(expected).digest("hex"),
		content: Buffer.from(text),
		now: new Date(),
		suffix: randomBytes(8).toString("hex"),
	};
	const { promise: lost, reject } = Promise.withResolvers<never>();
	lost.catch(() => undefined);
	let write: Promise<Replaced> | undefined;
	try {
		return await ssh.withSftp(
			(sftp) => {
				sftp.once("close", () => reject(new Error("The SFTP session ended")));
				write = replaceFile(sftp, path, { ...options, lost });
				return write;
			},
			{ signal, deadlineMs: WRITE_DEADLINE_MS },
		);
	} catch (error) {
		reject(error);
		// How far the write came is in its own words; the session only knows that it ended.
		if (write !== undefined) return write;
		if (!(error instanceof NoSftpError)) throw error;
		return replaceFileByExec(execOf(ssh, signal), path, options);
	}
}

function execOf(ssh: Ssh, signal: AbortSignal | undefined): Exec {
	return async (command, stdin = new Uint8Array()) => {
		const { code, stdout, stderr } = await ssh.exec(command, {
			...{ stdin, signal, deadlineMs: WRITE_DEADLINE_MS },
			maxOutputBytes: MAX_BYTES + 64 * 1024,
		});
		return { code, stdout: Buffer.from(stdout), stderr };
	};
}
