import { mkdirSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { dirname } from "node:path";

/** A small private file of JSON that is either there whole or not at all. */
export interface JsonFile {
	/** Undefined when the file is missing or holds no JSON. */
	read(): Promise<unknown>;
	/**
	 * Mode 0600, in a folder of mode 0700; rejects with the system's error when it cannot be written.
	 * It is written before the call returns, since the process may end at any time after.
	 */
	write(value: unknown): Promise<void>;
}

/** `writer` keeps two processes' half-written files apart: a process id will do. */
export function createJsonFile(path: string, writer: number): JsonFile {
	return {
		async read() {
			try {
				return JSON.parse(await readFile(path, "utf8"));
			} catch {
				return undefined; // no cache yet, or an unusable one
			}
		},
		async write(value) {
			const draft = `${path}.${writer}.tmp`;
			mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
			try {
				writeFileSync(draft, JSON.stringify(value), { mode: 0o600 });
				renameSync(draft, path);
			} catch (error) {
				rmSync(draft, { force: true });
				throw error;
			}
		},
	};
}
