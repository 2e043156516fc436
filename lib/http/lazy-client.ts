import type { WarmHttp } from "./types.ts";

/** An Http that is opened at its first request; every request rejects with what `open` rejects with. */
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
