import type { Duplex } from "node:stream";
import type { Algorithms, AnyAuthMethod, Client } from "ssh2";
import type { AiServerError } from "../../errors.ts";
import { sshFault } from "../errors.ts";
import type { KeyFile } from "../openssh/key-files.ts";
import {
	type HostKeyVerdict,
	hostKeyAlgorithms,
	judgeHostKey,
	type KnownHostsFile,
} from "../openssh/known-hosts.ts";
import type { HostSettings } from "../openssh/settings.ts";
import { agentFor, type Login } from "./identities.ts";

export type Ssh2 = typeof import("ssh2");

/** What a person has to say before a login can go on. */
export type Question =
	| {
			readonly kind: "host-key";
			readonly settings: HostSettings;
			readonly verdict: Extract<HostKeyVerdict, { readonly kind: "unknown" }>;
			readonly key: Buffer;
	  }
	| { readonly kind: "passphrase"; readonly file: KeyFile };

/**
 * The login ended with a question. No connection waits for a person: servers give a login two minutes,
 * and our own deadline is shorter still. It is made anew with the answer.
 */
export class Unanswered extends Error {
	readonly question: Question;
	/** What to tell without an answer. */
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
	/** For a key that a person accepted and that could not be recorded. */
	readonly isConfirmed: (key: Buffer) => boolean;
	readonly stream: Duplex;
	readonly deadlineMs: number;
}

export interface Hop {
	readonly client: Client;
	/** Rejects when the connection ends: SFTP callbacks never come after that. */
	readonly lost: Promise<never>;
}

/** Logs in over a stream. Rejects with AiServerError or Unanswered. */
export async function connectHop(options: HopOptions): Promise<Hop> {
	const { ssh2, settings, login, known, isConfirmed, stream, deadlineMs } = options;
	const { host, port, user: username, hostKeyAlias: alias } = settings;
	const name = { host, port, alias };
	const client = new ssh2.Client();
	let question: Question | undefined;
	let verdict: HostKeyVerdict | undefined;
	const fail = (error: unknown): AiServerError | Unanswered => {
		const fault = sshFault(error, { ...login, endpoint: settings, name, verdict });
		const [hidden] = login.hidden;
		const isRefused = (error as { level?: unknown } | undefined)?.level === "client-authentication";
		if (question === undefined && isRefused && hidden !== undefined) {
			question = { kind: "passphrase", file: hidden };
		}
		return question === undefined ? fault : new Unanswered(question, fault);
	};

	const { promise: ready, resolve, reject } = Promise.withResolvers<void>();
	const { promise: lost, reject: lose } = Promise.withResolvers<never>();
	lost.catch(() => undefined); // whoever is at work at that time races against it
	client.once("ready", resolve);
	// May come twice, for an agent's signature and then for the whole login; the last word counts.
	let last: unknown;
	client.on("error", (error) => {
		last = error;
		if (error.level !== "agent") reject(fail(error));
	});
	client.once("close", () => {
		const error = last ?? new Error("the connection was closed");
		reject(fail(error));
		lose(fail(error));
	});
	stream.once("error", (error) => reject(fail(error)));
	// Through a jump host a dead connection only ends: its channel waits for our half to be closed.
	client.once("end", () => stream.destroy());
	const agent = agentFor(login.identities, ssh2.BaseAgent, (file) => {
		question = { kind: "passphrase", file };
		client.destroy();
	});
	const methods: AnyAuthMethod[] =
		login.identities.length === 0 ? [] : [{ type: "agent", username, agent }];
	client.connect({
		sock: stream,
		username,
		authHandler: methods,
		algorithms: { serverHostKey: [...hostKeyAlgorithms(known, name)] } as Algorithms,
		readyTimeout: deadlineMs,
		keepaliveInterval: 10_000,
		keepaliveCountMax: 3,
		// ssh2 refuses on a strict false only, so the answer goes through the callback.
		hostVerifier: (key: Buffer, answer: (accept: boolean) => void): undefined => {
			verdict = judgeHostKey(known, name, key);
			const accepted = verdict.kind === "ok" || (verdict.kind === "unknown" && isConfirmed(key));
			if (verdict.kind === "unknown" && !accepted) {
				question = { kind: "host-key", settings, verdict, key: Buffer.from(key) };
			}
			if (accepted) verdict = { kind: "ok", fingerprint: verdict.fingerprint };
			answer(accepted);
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
