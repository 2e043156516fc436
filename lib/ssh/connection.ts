import { userInfo } from "node:os";
import type { Client } from "ssh2";
import { untilAborted, withDeadline } from "../deadline.ts";
import { NoSftpError } from "./errors.ts";
import { runCommand } from "./exec.ts";
import { readBytes, readTextFile, useSftp } from "./files/sftp-session.ts";
import { type Link, openLink } from "./login/jump-chain.ts";
import { createAnswers } from "./login/prompts.ts";
import { askOpenSsh, findRoute, type RunSsh, runSshClient } from "./openssh/proxy-jump.ts";
import type { HostQuery, HostSettings, LocalUser } from "./openssh/settings.ts";
import { describeTarget } from "./openssh/target.ts";
import type { OperationOptions, Ssh, SshPrompts, SshTarget } from "./types.ts";

export interface SshOptions extends SshPrompts {
	readonly target: SshTarget;
	/** The local home: config, keys and known_hosts are in its .ssh. */
	readonly home: string;
	/** SSH_AUTH_SOCK is read, and what OpenSSH's config names. */
	readonly env: Readonly<Record<string, string | undefined>>;
	/** Logs in under this name where neither the target nor OpenSSH has one. */
	readonly localUser: string;
	/** Counts instead of OpenSSH's GlobalKnownHostsFile. */
	readonly systemKnownHosts?: string;
	/** For each step of the login, and again for each operation; 15 s by default. */
	readonly deadlineMs?: number;
	/** The ssh client of the PATH by default. */
	readonly runSsh?: RunSsh;
}

const DEFAULT_DEADLINE_MS = 15_000;
const DEFAULT_MAX_BYTES = 1024 * 1024;
/** An idle connection is kept this long for the next operation. */
const IDLE_MS = 60_000;

/**
 * A connection that is made at the first operation and kept for a minute after the last. Without
 * prompts nobody is asked: unknown host keys are refused and encrypted keys left out.
 */
export function createSsh(options: SshOptions): Ssh {
	const { target, deadlineMs: usualDeadlineMs = DEFAULT_DEADLINE_MS } = options;
	const openAnother = createOpener(options, usualDeadlineMs);
	let current: Promise<Link> | undefined;
	let login = new AbortController();
	let idle: NodeJS.Timeout | undefined;
	let users = 0;

	const drop = (): void => {
		login.abort();
		void current?.then(
			(link) => link.destroy(),
			() => undefined,
		);
		current = undefined;
	};
	const acquire = (): Promise<Link> => {
		clearTimeout(idle);
		if (current !== undefined) return current;
		login = new AbortController();
		const opening = openAnother(login.signal);
		const forget = (): void => {
			if (current === opening) current = undefined;
		};
		opening.then(({ lost }) => lost.catch(forget), forget);
		current = opening;
		return opening;
	};
	/** An idle connection must not keep pi from exiting. */
	const rest = (): void => {
		idle = setTimeout(drop, IDLE_MS).unref();
		void current?.then(
			(link) => users === 0 && link.unref(),
			() => undefined,
		);
	};
	const use = async <T>(
		{ signal, deadlineMs = usualDeadlineMs }: OperationOptions,
		operate: (client: Client, stop: AbortSignal) => Promise<T>,
		late = "The SSH server did not answer",
	): Promise<T> => {
		signal?.throwIfAborted();
		users += 1;
		try {
			const link = await untilAborted(acquire(), signal);
			link.ref();
			return await withDeadline(
				deadlineMs,
				// First in the race: at the end of a connection its reason beats those that follow from it.
				(stop) => Promise.race([link.lost, operate(link.client, stop)]),
				{ signal, late },
			);
		} finally {
			users -= 1;
			if (users === 0) rest();
		}
	};
	/** ssh2 leaves the channel of a refused session open, of which a login may have few: ask once. */
	const refusals = new WeakMap<Client, NoSftpError>();
	const sftpOn: typeof useSftp = async (client, stop, run) => {
		const refusal = refusals.get(client);
		if (refusal !== undefined) throw refusal;
		try {
			return await useSftp(client, stop, run);
		} catch (error) {
			if (error instanceof NoSftpError) refusals.set(client, error);
			throw error;
		}
	};
	return {
		target: describeTarget(target),
		readFile: (path, read = {}) =>
			use(read, (client, stop) =>
				sftpOn(client, stop, (sftp) =>
					readTextFile(sftp, path, read.maxBytes ?? DEFAULT_MAX_BYTES),
				),
			),
		readRange: (path, start, length, read = {}) =>
			use(read, (client, stop) =>
				sftpOn(client, stop, (sftp) => readBytes(sftp, path, start, length)),
			),
		exec: (command, run = {}) =>
			use(
				run,
				(client, stop) => runCommand(client, command, run, stop),
				"The command on the server did not end",
			),
		withSftp: (run, operation = {}) => use(operation, (client, stop) => sftpOn(client, stop, run)),
		close() {
			clearTimeout(idle);
			drop();
		},
	};
}

/** Opens connections one after the other; what people answered counts for all of them. */
function createOpener(
	options: SshOptions,
	deadlineMs: number,
): (signal: AbortSignal) => Promise<Link> {
	const { target, home, env, localUser, systemKnownHosts, runSsh = runSshClient } = options;
	const local: LocalUser = { home, env, name: localUser, accountHome: userInfo().homedir };
	let isNoted = false;
	const onMissing = (): void => {
		if (isNoted) return;
		isNoted = true;
		options.onNote?.(
			`No ssh client is installed here, so ~/.ssh/config does not count for ${describeTarget(target)}`,
		);
	};
	const lookUp = async (query: HostQuery): Promise<HostSettings> => {
		const settings = await askOpenSsh(query, local, { runSsh, deadlineMs, onMissing });
		if (systemKnownHosts === undefined) return settings;
		return { ...settings, globalKnownHosts: [systemKnownHosts] };
	};
	let answers: ReturnType<typeof createAnswers> | undefined;
	return async (signal) => {
		const [{ default: ssh2 }, route] = await Promise.all([
			import("ssh2"),
			findRoute(target, lookUp),
		]);
		answers ??= createAnswers(options, ssh2.utils.parseKey);
		return openLink(route, { ssh2, home, answers, deadlineMs, signal });
	};
}
