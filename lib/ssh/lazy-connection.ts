import type { Ssh } from "./types.ts";

/** An Ssh that is opened at its first use; `target` names it until it is open. */
export function lazySsh(open: () => Promise<Ssh>, target = "the SSH host"): Ssh {
	let opened: Promise<Ssh> | undefined;
	const ready = (): Promise<Ssh> => {
		opened ??= open();
		return opened;
	};
	return {
		target,
		readFile: async (path, options) => (await ready()).readFile(path, options),
		readRange: async (path, start, length, options) =>
			(await ready()).readRange(path, start, length, options),
		exec: async (command, options) => (await ready()).exec(command, options),
		withSftp: async (run, options) => (await ready()).withSftp(run, options),
		close() {
			void opened?.then(
				(ssh) => ssh.close(),
				() => undefined, // it never opened, so there is nothing to close
			);
		},
	};
}
