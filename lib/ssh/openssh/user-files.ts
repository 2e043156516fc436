import { appendFile, mkdir, open, readFile } from "node:fs/promises";
import { dirname } from "node:path";
import type { KnownHostsFile } from "./known-hosts.ts";

/** The file's bytes; undefined when it does not exist or cannot be read. */
export async function readOptional(path: string): Promise<Buffer | undefined> {
	try {
		return await readFile(path);
	} catch {
		return undefined;
	}
}

/** Files that do not exist or cannot be read count as empty. */
export function readKnownHosts(paths: readonly string[]): Promise<readonly KnownHostsFile[]> {
	return Promise.all(
		paths.map(async (path) => ({ path, text: (await readOptional(path))?.toString("utf8") ?? "" })),
	);
}

/** Appends a line to a known_hosts file, creating it (0600) and its folder (0700) where needed. */
export async function appendKnownHost(path: string, line: string): Promise<void> {
	await mkdir(dirname(path), { recursive: true, mode: 0o700 });
	const gap = (await endsMidLine(path)) ? "\n" : "";
	await appendFile(path, `${gap}${line}\n`, { mode: 0o600 });
}

async function endsMidLine(path: string): Promise<boolean> {
	const file = await open(path, "r").catch(() => undefined);
	if (file === undefined) return false;
	try {
		const { size } = await file.stat();
		if (size === 0) return false;
		const { buffer } = await file.read(Buffer.alloc(1), 0, 1, size - 1);
		return buffer[0] !== 0x0a;
	} finally {
		await file.close();
	}
}
