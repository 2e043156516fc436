import { join, relative, resolve, sep } from "node:path";

/** The home of the server's user, as the client sees it. */
export const ROOT = "/home/demo";

/** Where a file of the client's lies in the folder. Throws like a system call. */
export function localPath(home: string, path: string): string {
	const absolute = resolve(ROOT, path);
	if (absolute !== ROOT && !absolute.startsWith(ROOT + sep)) throw refused("EACCES");
	return join(home, relative(ROOT, absolute));
}

/** An error with the code of a system call. */
export function refused(code: string): Error {
	return Object.assign(new Error(code), { code });
}
