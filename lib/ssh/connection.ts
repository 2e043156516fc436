import { userInfo } from "node:os";
import type { Client } from "ssh2";
import { untilAborted, withDeadline } from "../deadline.ts";
import { NoSftpError } from "./errors.ts";
import { runCommand } from "./exec.ts";
import { readRange, readWhole } from "./files/read.ts";
import { useSftp } from "./files/sftp.ts";
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
	/** SSH_AUTH_SOCK is read, and the variables that OpenSSH's config names. */
	readonly env: Readonly<Record<string, string | undefined>>;
	/** The login name where neither the target nor OpenSSH has one. */
	readonly localUser: string;
	/** Replaces OpenSSH's GlobalKnownHostsFile. */
	readonly systemKnownHosts?: string;
	/** For each step of the login, and again for each operation; 15 s by default. */
	readonly deadlineMs?: number;
	/** The ssh client of the PATH by default. */
	readonly runSsh?: RunSsh;
}

const DEFAULT_DEADLINE_MS = 15_000;
/** An idle connection is kept this long for the next operation. */
const IDLE_MS = 60_000;

/**
 * A connection that is made at the first operation and kept for a minute after the last. Without
 * prompts unknown host keys are refused and encrypted keys skipped.
 */
export function createSsh(options: SshOptions): Ssh {
	const { deadlineMs: usualDeadlineMs = DEFAULT_DEADLINE_MS } = options;
	const connection = keepLink(createOpener(options, usualDeadlineMs));
	const lendSftp = sftpLender();
	const operate = <T>(
		{ signal, deadlineMs = usualDeadlineMs }: OperationOptions,
		run: (client: Client, stop: AbortSignal) => Promise<T>,
		late = "The SSH server did not answer",
	): Promise<T> =>
		connection.use(signal, ({ client, lost }, stop) =>
			// `lost` first: at the end of a connection its reason beats the errors that follow from it.
			withDeadline(deadlineMs, () => Promise.race([lost, run(client, stop)]), { signal, late }),
		);
	const withSftp: Ssh["withSftp"] = (run, operation = {}) =>
		operate(operation, (client, stop) => lendSftp(client, stop, run));
	return {
		target: describeTarget(options.target),
		withSftp,
		readFile: (path, read) =>
			withSftp((sftp) => readWhole(sftp, path, read.maxBytes, { setting: read.setting }), read),
		readRange: (path, start, length, read) =>
			withSftp((sftp) => readRange(sftp, path, start, length), read),
		exec: (command, run = {}) =>
			operate(
				run,
				(client, stop) => runCommand(client, command, stop),
				"The command on the server did not end",
			),
		close: () => connection.close(),
	};
}

interface KeptLink {
	/** Runs with the link, made at need; `stop` aborts as soon as the run is over, however it ends. */
	use<T>(
		signal: AbortSignal | undefined,
		run: (link: Link, stop: AbortSignal) => Promise<T>,
	): Promise<T>;
	close(): void;
}

/** One link at a time, for all who use it. */
function keepLink(open: (signal: AbortSignal) => Promise<Link>): KeptLink {
	let current: Promise<Link> | undefined;
	let login = new AbortController();
	let idle: NodeJS.Timeout | undefined;
	let users = 0;

	const close = (): void => {
		clearTimeout(idle);
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
		const opening = open(login.signal);
		const forget = (): void => {
			if (current === opening) current = undefined;
		};
		opening.then(({ lost }) => lost.catch(forget), forget);
		current = opening;
		return opening;
	};
	/** An idle connection must not keep pi from exiting. */
	const rest = (): void => {
		idle = setTimeout(close, IDLE_MS).unref();
		void current?.then(
			(link) => users === 0 && link.unref(),
			() => undefined,
		);
	};
	return {
		async use(signal, run) {
			signal?.throwIfAborted();
			users += 1;
			const stop = new AbortController();
			try {
				const link = await untilAborted(acquire(), signal);
				link.ref();
				return await run(link, stop.signal);
			} catch (error) {
				stop.abort(error);
				throw error;
			} finally {
				stop.abort();
				users -= 1;
				if (users === 0) rest();
			}
		},
		close,
	};
}

/** ssh2 leaves the channel of a refused session open, of which a login may have few: ask once. */
function sftpLender(): typeof useSftp {
	const refusals = new WeakMap<Client, NoSftpError>();
	return async (client, stop, run) => {
		const refusal = refusals.get(client);
		if (refusal !== undefined) throw refusal;
		try {
			return await useSftp(client, stop, run);
		} catch (error) {
			if (error instanceof NoSftpError) refusals.set(client, error);
			throw error;
		}
	};
}

/** Opens links one after the other; the user's answers count for all of them. */
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
			`No ssh client is installed here, so ~/.ssh/config is not read for ${describeTarget(target)}`,
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
