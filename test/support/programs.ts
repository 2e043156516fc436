import { execFile } from "node:child_process";
import { accessSync, constants } from "node:fs";
import { delimiter, join } from "node:path";
import { promisify } from "node:util";

/** The first program of this name in PATH, or nothing. */
export function findProgram(name: string): string | undefined {
	return (process.env["PATH"] ?? "")
		.split(delimiter)
		.map((folder) => join(folder, name))
		.find((path) => {
			try {
				accessSync(path, constants.X_OK);
				return true;
			} catch {
				return false;
			}
		});
}

export interface Ran {
	readonly code: number;
	readonly stdout: string;
	readonly stderr: string;
}

/** Runs a program to its end, whatever its exit code. */
export async function run(
	program: string,
	args: readonly string[],
	options: { readonly cwd?: string; readonly env?: NodeJS.ProcessEnv } = {},
): Promise<Ran> {
	try {
		return { code: 0, ...(await promisify(execFile)(program, args, options)) };
	} catch (error) {
		const { code, stdout = "", stderr = "" } = error as Partial<Ran>;
		if (typeof code !== "number") throw error;
		return { code, stdout, stderr };
	}
}
