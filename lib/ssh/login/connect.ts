import type { Duplex } from "node:stream";
import type { Algorithms, AnyAuthMethod, Client } from "ssh2";
import type { AiServerError } from "../../errors.ts";
import { sshError } from "../errors.ts";
import type { KeyFile } from "../openssh/key-files.ts";
import {
	type HostKeyVerdict,
	type HostName,
	hostKeyAlgorithms,
	judgeHostKey,
	type KnownHostsFile,
} from "../openssh/known-hosts.ts";
import type { HostSettings } from "../openssh/settings.ts";
import { agentFor, type Login } from "./identities.ts";

export type Ssh2 = typeof import("ssh2");

/** What the user has to answer before a login can go on. */
export type Question =
	| {
			readonly kind: "host-key";
			readonly settings: HostSettings;
			readonly verdict: Extract<HostKeyVerdict, { readonly kind: "unknown" }>;
			readonly key: Buffer;
	  }
	| { readonly kind: "passphrase"; readonly file: KeyFile };

/**
 * The login ended with a question. No connection waits for an answer: servers give a login two minutes,
 * and our own deadline is shorter still. The login is repeated with the answer.
 */
export class AnswerNeeded extends Error {
	override readonly name = "AnswerNeeded";
	readonly question: Question;
	/** The error when there is no answer. */
	readonly otherwise: AiServerError;

	constructor(question: Question, otherwise: AiServerError) {
		super(otherwise.message);
		this.question = question;
		this.otherwise = otherwise;
	}
}

export interface HopOptions {
	readonly ssh2: Ssh2;
	readonly settings: HostSettings;
	readonly login: Login;
	readonly known: readonly KnownHostsFile[];
	/** For a key that the user accepted and that could not be recorded. */
	readonly isConfirmed: (key: Buffer) => boolean;
	readonly stream: Duplex;
	readonly deadlineMs: number;
}

export interface Hop {
	readonly client: Client;
	/** Rejects when the connection ends: SFTP callbacks never come after that. */
	readonly lost: Promise<never>;
}

/** Logs in over a stream. Rejects with AiServerError or AnswerNeeded. */
export async function connectHop(options: HopOptions): Promise<Hop> {
	const { ssh2, settings, login, known, stream, deadlineMs } = options;
	const { user: username } = settings;
	const client = new ssh2.Client();
	const attempt = startAttempt(options);
	const { promise: ready, resolve, reject } = Promise.withResolvers<void>();
	const { promise: lost, reject: lose } = Promise.withResolvers<never>();
	lost.catch(() => undefined); // the operations under way at that time race against it
	client.once("ready", resolve);
	// May come twice, for an agent's signature and then for the whole login; the last one counts.
	let last: unknown;
	client.on("error", (error) => {
		last = error;
		if (error.level !== "agent") reject(attempt.toError(error));
	});
	client.once("close", () => {
		const error = attempt.toError(last ?? new Error("the connection was closed"));
		reject(error);
		lose(error);
	});
	stream.once("error", (error) => reject(attempt.toError(error)));
	// Through a jump host a dead connection only ends: its channel waits for our half to be closed.
	client.once("end", () => stream.destroy());
	const agent = agentFor(login.identities, ssh2.BaseAgent, (file) => {
		attempt.needPassphrase(file);
		client.destroy();
	});
	const methods: AnyAuthMethod[] =
		login.identities.length === 0 ? [] : [{ type: "agent", username, agent }];
	client.connect({
		sock: stream,
		username,
		authHandler: methods,
		algorithms: { serverHostKey: [...hostKeyAlgorithms(known, hostName(settings))] } as Algorithms,
		readyTimeout: deadlineMs,
		keepaliveInterval: 10_000,
		keepaliveCountMax: 3,
		// ssh2 refuses on a strict false only, so the verdict goes through the callback.
		hostVerifier: (key: Buffer, answer: (accept: boolean) => void): undefined => {
			answer(attempt.accepts(key));
		},
	});
	try {
		await ready;
	} catch (error) {
		client.destroy();
		stream.destroy();
		throw error;
	}
	return { client, lost };
}

/** One attempt to log in: what it has met so far, and the error that follows from it. */
interface Attempt {
	/** Checks the host's key. */
	accepts(key: Buffer): boolean;
	needPassphrase(file: KeyFile): void;
	/** The error to report for one of ssh2 or of the stream. */
	toError(error: unknown): AiServerError | AnswerNeeded;
}

function startAttempt({ settings, login, known, isConfirmed }: HopOptions): Attempt {
	const name = hostName(settings);
	let question: Question | undefined;
	let verdict: HostKeyVerdict | undefined;
	return {
		accepts(key) {
			verdict = judgeHostKey(known, name, key);
			const accepted = verdict.kind === "ok" || (verdict.kind === "unknown" && isConfirmed(key));
			if (verdict.kind === "unknown" && !accepted) {
				question = { kind: "host-key", settings, verdict, key: Buffer.from(key) };
			}
			if (accepted) verdict = { kind: "ok", fingerprint: verdict.fingerprint };
			return accepted;
		},
		needPassphrase(file) {
			question = { kind: "passphrase", file };
		},
		toError(error) {
			const { offered, unusable, hidden } = login;
			const failure = sshError(error, { endpoint: settings, name, verdict, offered, unusable });
			const [file] = hidden;
			const level = (error as { level?: unknown } | undefined)?.level;
			if (level === "client-authentication" && file !== undefined) {
				question ??= { kind: "passphrase", file };
			}
			return question === undefined ? failure : new AnswerNeeded(question, failure);
		},
	};
}

function hostName({ host, port, hostKeyAlias: alias }: HostSettings): HostName {
	return { host, port, alias };
}
