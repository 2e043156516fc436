import { AiServerError, type Setting } from "../../errors.ts";
import { SFTP_STATUS, type Sftp, statusOf } from "./sftp.ts";

/** Where the path comes from, for the hint. */
export interface PathSource {
	readonly setting?: Setting | undefined;
}

/** Bytes of a file on the server; fewer than `length` where it ends. Rejects with AiServerError. */
export async function readRange(
	sftp: Sftp,
	path: string,
	start: number,
	length: number,
): Promise<Uint8Array> {
	return sftp.read(path, start, length).catch((error: unknown) => {
		throw readError(error, path);
	});
}

/** A whole file on the server. Rejects with AiServerError, for a larger one too. */
export async function readWhole(
	sftp: Sftp,
	path: string,
	maxBytes: number,
	source: PathSource = {},
): Promise<Uint8Array> {
	// One byte more distinguishes a file that just fits from a larger one.
	const bytes = await sftp.read(path, 0, maxBytes + 1).catch((error: unknown) => {
		throw readError(error, path, source);
	});
	if (bytes.length > maxBytes) throw tooLarge(path, maxBytes, source);
	return bytes;
}

/** The AiServerError for the error of a request about a file. */
export function readError(error: unknown, path: string, source: PathSource = {}): AiServerError {
	if (error instanceof AiServerError) return error;
	const { message } = (error ?? {}) as { message?: string };
	const failed = (words: string): AiServerError =>
		new AiServerError("ssh", words, { hint: "Check the path", ...source, cause: error });
	switch (statusOf(error)) {
		case SFTP_STATUS.noSuchFile:
			return failed(`${path} does not exist on the server`);
		case SFTP_STATUS.permissionDenied:
			return failed(`No permission to read ${path} on the server`);
		default:
			return failed(`Reading ${path} on the server failed: ${message ?? String(error)}`);
	}
}

function tooLarge(path: string, maxBytes: number, source: PathSource = {}): AiServerError {
	return new AiServerError("ssh", `${path} on the server is larger than ${maxBytes} bytes`, {
		hint: "Check the path",
		...source,
	});
}
