import type { Ssh } from "./ssh/ssh.ts";
import type { WarmHttp } from "./tls/http.ts";

/** An Http that is opened at its first request; what `open` rejects with, every request rejects with. */
export function lazyHttp(open: () => Promise<WarmHttp>): WarmHttp {
	let opened: Promise<WarmHttp> | undefined;
	let closed = false;
	return {
		async request(request) {
			opened ??= open();
			return (await opened).request(request);
		},
		async warm() {
			if (closed) return;
			opened ??= open();
			await (await opened.catch(() => undefined))?.warm();
		},
		async close() {
			if (closed || opened === undefined) return;
			closed = true;
			await (await opened.catch(() => undefined))?.close();
		},
	};
}

/** The same for Ssh; `target` names it as long as nobody has opened it. */
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
