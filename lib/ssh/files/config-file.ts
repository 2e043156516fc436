import { randomBytes } from "node:crypto";
import { posix } from "node:path";
import { AiServerError } from "../../errors.ts";
import type { Ssh } from "../types.ts";
import { readYamlFolder } from "./config-folder.ts";
import { type Replaced, replaceFile } from "./replace.ts";
import { SFTP_STATUS, statusOf } from "./sftp.ts";

/** A write is a dozen round trips and two fsyncs, which can be slow on some disks. */
const WRITE_DEADLINE_MS = 60_000;
const MAX_BYTES = 1024 * 1024;

const SOURCE = "configPath";

/**
 * llama-swap's config file as text, a byte order mark included. Rejects with AiServerError, also for
 * bytes that are not UTF-8: those would be lost by an edit.
 */
export async function readRemoteText(
	ssh: Ssh,
	path: string,
	signal?: AbortSignal,
): Promise<string> {
	return decoded(path, await ssh.readFile(path, { signal, maxBytes: MAX_BYTES, setting: SOURCE }));
}

/**
 * The same, or for a folder (`llama-swap -config-dir`) its YAML files in llama-swap's order. A path that
 * `isFolder` is not read like a file first.
 */
export async function readRemoteConfig(
	ssh: Ssh,
	path: string,
	{ isFolder, signal }: { readonly isFolder: boolean; readonly signal?: AbortSignal | undefined },
): Promise<string | readonly RemoteFile[]> {
	if (isFolder) return readFolder(ssh, path, signal);
	try {
		return await readRemoteText(ssh, path, signal);
	} catch (error) {
		if (!mayBeFolder(error)) throw error;
		return readFolder(ssh, path, signal).catch((failure: unknown) => {
			throw failure instanceof AiServerError && failure.code === "config" ? failure : error;
		});
	}
}

export interface RemoteFile {
	readonly name: string;
	readonly text: string;
}

async function readFolder(
	ssh: Ssh,
	path: string,
	signal: AbortSignal | undefined,
): Promise<readonly RemoteFile[]> {
	const files = await readYamlFolder(ssh, path, MAX_BYTES, signal);
	return files.map(({ name, bytes }) => ({ name, text: decoded(posix.join(path, name), bytes) }));
}

/** OpenSSH opens a folder like a file, and fails to read it. */
function mayBeFolder(error: unknown): boolean {
	const status = error instanceof AiServerError ? statusOf(error.cause) : undefined;
	return status !== undefined && status !== SFTP_STATUS.noSuchFile;
}

function decoded(path: string, bytes: Uint8Array): string {
	try {
		return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
	} catch (error) {
		throw new AiServerError("config", `${path} on the server is not UTF-8 text`, {
			hint: "Save the file as UTF-8, or check the path",
			setting: SOURCE,
			cause: error,
		});
	}
}

/**
 * Puts a text in place of the one that was read; a file that is not `expected` any more is left
 * alone. Rejects as replaceFile() does, and with NoSftpError.
 */
export async function replaceRemoteText(
	ssh: Ssh,
	path: string,
	{ expected, text, signal }: { expected: string; text: string; signal?: AbortSignal | undefined },
): Promise<Replaced> {
	let write: Promise<Replaced> | undefined;
	try {
		return await ssh.withSftp(
			(sftp) => {
				write = replaceFile(sftp, path, {
					expected: Buffer.from(expected),
					content: Buffer.from(text),
					now: new Date(),
					suffix: randomBytes(8).toString("hex"),
					setting: SOURCE,
				});
				return write;
			},
			{ signal, deadlineMs: WRITE_DEADLINE_MS },
		);
	} catch (error) {
		// The write itself knows how far it came; the session knows only that it ended.
		if (write !== undefined) return write;
		throw error;
	}
}
