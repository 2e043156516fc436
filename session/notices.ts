import type { Reply } from "../ui/reply.ts";

/** Warnings of code that pi calls without a context, such as the chat stream; shown in the session. */
export interface Notices {
	/** Dropped while there is no session. */
	warn(text: string): void;
	/** Shows what comes from now on; called when a session starts. */
	showIn(reply: Pick<Reply, "warn">): void;
}

export function createNotices(): Notices {
	let current: Pick<Reply, "warn"> | undefined;
	return {
		warn(text) {
			current?.warn(`ai-server: ${text}`);
		},
		showIn(reply) {
			current = reply;
		},
	};
}
