import type { Client, SFTPWrapper } from "ssh2";
import { AiServerError } from "../../errors.ts";
import { callback } from "../callback.ts";
import { NoSftpError, openError } from "../errors.ts";
import { createSftp, type Sftp } from "./sftp.ts";

/**
 * The SFTP sessions of one connection. To open one takes three or four round trips, so it is kept for
 * the next use. Both methods reject when the server ends the session, and at once when `stop` aborts:
 * nothing that `run` does after that reaches the server.
 */
export interface SftpSessions {
	/** Runs with the session that all readers share. */
	share<T>(stop: AbortSignal, run: (sftp: Sftp) => Promise<T>): Promise<T>;
	/** Runs with a session that is not shared meanwhile. */
	lend<T>(stop: AbortSignal, run: (sftp: Sftp) => Promise<T>): Promise<T>;
}

interface Session {
	readonly opened: Promise<OpenSession>;
	users: number;
}

export function sftpSessions(client: Client): SftpSessions {
	let kept: Session | undefined;
	let refusal: NoSftpError | undefined;
	const forget = (session: Session): void => {
		if (kept === session) kept = undefined;
	};
	const open = (): Session => {
		const session: Session = { opened: openSession(client), users: 0 };
		session.opened.then(
			({ lost }) => lost.catch(() => forget(session)),
			(error: unknown) => {
				// ssh2 leaves the channel of a refused session open, of which a login may have few: ask once.
				if (error instanceof NoSftpError) refusal = error;
				forget(session);
			},
		);
		return session;
	};
	/** Closes it as soon as it is not in use, unless it is kept. */
	const release = (session: Session): void => {
		session.users -= 1;
		if (session.users > 0 || session === kept) return;
		session.opened.then(
			({ raw }) => raw.end(),
			() => undefined,
		);
	};
	return {
		async share(stop, run) {
			if (refusal !== undefined) throw refusal;
			kept ??= open();
			const session = kept;
			session.users += 1;
			try {
				const opened = await session.opened;
				stop.throwIfAborted();
				return await runIn(opened, stop, run).catch((error: unknown) => {
					// One that has stopped answering is nothing for the next.
					if (stop.aborted) forget(session);
					throw error;
				});
			} finally {
				release(session);
			}
		},
		async lend(stop, run) {
			if (refusal !== undefined) throw refusal;
			const session = kept?.users === 0 ? kept : open();
			forget(session);
			session.users += 1;
			try {
				const opened = await session.opened;
				const result = await runIn(opened, stop, run, () => opened.raw.end());
				kept ??= session;
				return result;
			} finally {
				release(session);
			}
		},
	};
}

interface OpenSession {
	readonly raw: SFTPWrapper;
	/** Rejects with AiServerError when the session ends. */
	readonly lost: Promise<never>;
	/** Set from then on. */
	over(): AiServerError | undefined;
}

async function openSession(client: Client): Promise<OpenSession> {
	const raw = await callback<SFTPWrapper>((done) => client.sftp(done)).catch((error: unknown) => {
		throw openError(error) ?? new NoSftpError(error);
	});
	// ssh2 leaves the requests that wait when a session ends without an answer, or with its own error.
	let over: AiServerError | undefined;
	const { promise: lost, reject } = Promise.withResolvers<never>();
	lost.catch(() => undefined);
	const end = (cause?: unknown): void => {
		const hint = "Try again, or check the server";
		over ??= new AiServerError("ssh", "The SSH server ended the SFTP session", { hint, cause });
		reject(over);
	};
	raw.on("error", end);
	raw.once("end", () => end());
	raw.once("close", () => end());
	return { raw, lost, over: () => over };
}

async function runIn<T>(
	{ raw, lost, over }: OpenSession,
	stop: AbortSignal,
	run: (sftp: Sftp) => Promise<T>,
	onStop?: () => void,
): Promise<T> {
	const { promise: ended, reject } = Promise.withResolvers<never>();
	let isOver = false;
	const leave = (reason: unknown): void => {
		isOver = true;
		reject(reason);
	};
	const end = (): void => {
		onStop?.();
		leave(stop.reason);
	};
	const gone = Promise.race([lost, ended]);
	gone.catch(() => undefined);
	stop.addEventListener("abort", end, { once: true });
	try {
		stop.throwIfAborted();
		return await Promise.race([run(createSftp(raw, gone, () => isOver)), gone]);
	} catch (error) {
		throw over() ?? error;
	} finally {
		stop.removeEventListener("abort", end);
		leave(new Error("the session is over")); // for requests that come too late
	}
}
