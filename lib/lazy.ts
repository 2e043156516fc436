import type { Ssh } from "./ssh/ssh.ts";
import type { Http } from "./tls/http.ts";

/** An Http that is opened at its first request; what `open` rejects with, every request rejects with. */
export function lazyHttp(open: () => Promise<Http>): Http {
	let opened: Promise<Http> | undefined;
	let closed = false;
	return {
		async request(request) {
			opened ??= open();
			return (await opened).request(request);
		},
		async close() {
			if (closed || opened === undefined) return;
			closed = true;
			await (await opened.catch(() => undefined))?.close();
		},
	};
}

/** The same for Ssh. */
export function lazySsh(open: () => Promise<Ssh>): Ssh {
	let opened: Promise<Ssh> | undefined;
	return {
		async readFile(path, options) {
			opened ??= open();
			return (await opened).readFile(path, options);
		},
		close() {
			void opened?.then(
				(ssh) => ssh.close(),
				() => undefined, // it never opened, so there is nothing to close
			);
		},
	};
}
