import type { Client, SFTPWrapper } from "ssh2";
import { AiServerError } from "../../errors.ts";
import { callback } from "../callback.ts";
import { fileFault, NoSftpError, openFault } from "../errors.ts";

/** What an SFTP server answers in one packet at least (draft-ietf-secsh-filexfer-02, section 3). */
const CHUNK_BYTES = 32_768;

/**
 * Lends an SFTP session to `run` and ends it afterwards, at once when `stop` comes: nothing that
 * `run` does then reaches the server. Rejects when the server ends the session.
 */
export async function useSftp<T>(
	client: Client,
	stop: AbortSignal,
	run: (sftp: SFTPWrapper) => Promise<T>,
): Promise<T> {
	const sftp = await callback<SFTPWrapper>((done) => client.sftp(done)).catch((error: unknown) => {
		throw openFault(error) ?? new NoSftpError(error);
	});
	// The calls that wait when a session ends are answered by nobody, or with an error of ssh2.
	let over: AiServerError | undefined;
	const { promise: ended, reject } = Promise.withResolvers<never>();
	ended.catch(() => undefined);
	const end = (cause?: unknown): void => {
		const hint = "Try again, or look at the machine";
		over ??= new AiServerError("ssh", "The SSH server ended the SFTP session", { hint, cause });
		reject(over);
	};
	sftp.on("error", end);
	sftp.once("end", () => end());
	sftp.once("close", () => end());
	const close = (): void => sftp.end();
	stop.addEventListener("abort", close, { once: true });
	try {
		stop.throwIfAborted();
		return await Promise.race([run(sftp), ended]);
	} catch (error) {
		throw over ?? error;
	} finally {
		stop.removeEventListener("abort", close);
		sftp.end();
	}
}

/** A text file as it is, a byte order mark included. */
export async function readTextFile(
	sftp: SFTPWrapper,
	path: string,
	maxBytes: number,
): Promise<string> {
	// One byte more tells a file that just fits from a larger one.
	const bytes = await readBytes(sftp, path, 0, maxBytes + 1);
	if (bytes.length > maxBytes) {
		throw new AiServerError("ssh", `${path} on the server is larger than ${maxBytes} bytes`, {
			hint: "Check AI_SERVER_PRESET_PATH",
		});
	}
	return new TextDecoder("utf-8", { ignoreBOM: true }).decode(bytes);
}

/** Bytes of a file; fewer than `length` where it ends. */
export async function readBytes(
	sftp: SFTPWrapper,
	path: string,
	start: number,
	length: number,
): Promise<Uint8Array> {
	try {
		const absolute = await resolveHome(sftp, path);
		const handle = await callback<Buffer>((done) => sftp.open(absolute, "r", done));
		const chunks: Buffer[] = [];
		for (let size = 0; size < length; ) {
			const chunk = Buffer.alloc(Math.min(CHUNK_BYTES, length - size));
			const read = await readChunk(sftp, handle, chunk, start + size);
			if (read === 0) break;
			chunks.push(chunk.subarray(0, read));
			size += read;
		}
		return Buffer.concat(chunks);
	} catch (error) {
		throw fileFault(error, path);
	}
}

/** SFTP has no tilde; relative paths begin in the remote home, which realpath(".") names. */
async function resolveHome(sftp: SFTPWrapper, path: string): Promise<string> {
	if (path !== "~" && !path.startsWith("~/")) return path;
	// Not ext_openssh_expandPath: that of ssh2 1.17 writes a wrong packet, which ends the session.
	const home = await callback<string>((done) => sftp.realpath(".", done));
	return `${home}${path.slice(1)}`;
}

/** Number of bytes read; 0 at the end of the file, which SFTP reports as an error with code 1. */
function readChunk(sftp: SFTPWrapper, handle: Buffer, chunk: Buffer, at: number): Promise<number> {
	return new Promise((resolve, reject) => {
		sftp.read(handle, chunk, 0, chunk.length, at, (error, read) => {
			const code = (error as { code?: unknown } | undefined)?.code;
			if (error === undefined || error === null) resolve(read);
			else if (code === 1) resolve(0);
			else reject(error);
		});
	});
}
