import { posix } from "node:path";
import { AiServerError } from "../../errors.ts";
import type { Ssh } from "../types.ts";
import { readError } from "./read.ts";
import type { Sftp } from "./sftp.ts";

export interface FolderFile {
	readonly name: string;
	readonly bytes: Uint8Array;
}

/** More than any config is split into. */
const MAX_FILES = 200;

/**
 * The YAML files of a folder, sorted by name as `llama-swap -config-dir` takes them, without those of
 * its subfolders. Rejects with AiServerError, also for a folder that holds more than `maxBytes`.
 */
export async function readYamlFolder(
	ssh: Pick<Ssh, "withSftp">,
	folder: string,
	maxBytes: number,
	signal?: AbortSignal,
): Promise<readonly FolderFile[]> {
	return ssh.withSftp((sftp) => readFiles(sftp, folder, maxBytes), { signal });
}

async function readFiles(
	sftp: Sftp,
	folder: string,
	maxBytes: number,
): Promise<readonly FolderFile[]> {
	const failed = (path: string) => (error: unknown) => {
		throw readError(error, path, { setting: "configPath" });
	};
	const names = (await sftp.files(folder).catch(failed(folder)))
		.filter((name) => /\.ya?ml$/.test(name))
		.toSorted((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)));
	if (names.length > MAX_FILES) throw tooMuch(folder, `more than ${MAX_FILES} YAML files`);
	const files = await Promise.all(
		names.map(async (name) => {
			const path = posix.join(folder, name);
			return { name, bytes: await sftp.read(path, 0, maxBytes + 1).catch(failed(path)) };
		}),
	);
	const size = files.reduce((sum, { bytes }) => sum + bytes.length, 0);
	if (size > maxBytes) throw tooMuch(folder, `more than ${maxBytes} bytes`);
	if (files.length === 0) {
		throw new AiServerError("config", `The folder ${folder} on the server has no YAML file`, {
			hint: "Name llama-swap's config file, or the folder of its -config-dir",
			setting: "configPath",
		});
	}
	return files;
}

function tooMuch(folder: string, what: string): AiServerError {
	return new AiServerError("ssh", `The folder ${folder} on the server has ${what}`, {
		hint: "Check the path",
		setting: "configPath",
	});
}
