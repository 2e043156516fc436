import type { ParsedKey } from "ssh2";
import { decryptKey, type KeyFile, type ParseKey } from "../openssh/key-files.ts";
import { knownHostsLine, nameOf } from "../openssh/known-hosts.ts";
import { appendKnownHost } from "../openssh/user-files.ts";
import type { SshPrompts } from "../types.ts";
import type { Question } from "./connect.ts";

/** As OpenSSH's NumberOfPasswordPrompts. */
const MAX_PASSPHRASE_ATTEMPTS = 3;

/** The answers so far, kept in memory so that no question is asked twice. */
export interface Answers {
	readonly unlocked: (file: KeyFile) => ParsedKey | undefined;
	readonly isConfirmed: (name: string, key: Buffer) => boolean;
	/** For opening one connection: a question without an answer is not asked again during it. */
	forOpening(): Opening;
}

export interface Opening {
	/** Why an encrypted key is left out; undefined when the user can be asked for its passphrase. */
	readonly leftOut: (file: KeyFile) => string | undefined;
	/** Asks and keeps the answer. False when there was none and the login cannot go on without it. */
	settle(question: Question): Promise<boolean>;
}

export function createAnswers(prompts: SshPrompts, parseKey: ParseKey): Answers {
	const { askPassphrase, confirmHostKey, onNote } = prompts;
	const keys = new Map<string, { readonly data: Buffer; readonly key: ParsedKey }>();
	const confirmed = new Set<string>();
	const idOf = (name: string, key: Buffer): string => `${name} ${key.toString("base64")}`;

	/** Undefined when the key is unlocked, else why not. */
	const unlock = async ({ path, secret }: KeyFile): Promise<string | undefined> => {
		if (askPassphrase === undefined || secret.kind !== "encrypted") return "encrypted";
		for (let attempt = 1; attempt <= MAX_PASSPHRASE_ATTEMPTS; attempt += 1) {
			const passphrase = await askPassphrase(path, attempt);
			if (passphrase === undefined) return "encrypted, no passphrase given";
			const key = decryptKey(secret.data, passphrase, parseKey);
			if (key !== undefined) {
				keys.set(path, { data: secret.data, key });
				return undefined;
			}
		}
		return "encrypted, wrong passphrase";
	};
	const confirm = async (question: Extract<Question, { kind: "host-key" }>): Promise<boolean> => {
		const { settings, verdict, key } = question;
		const { host, port, hostKeyAlias: alias, userKnownHosts, hashKnownHosts } = settings;
		const name = { host, port, alias };
		const { fingerprint, keyType, onlyAuthority } = verdict;
		const asked = { host: nameOf(name), fingerprint, keyType, onlyAuthority };
		if ((await confirmHostKey?.(asked)) !== true) return false;
		confirmed.add(idOf(asked.host, key));
		const [path] = userKnownHosts;
		try {
			if (path === undefined) throw new Error("UserKnownHostsFile is none");
			await appendKnownHost(path, knownHostsLine(name, key, hashKnownHosts));
		} catch (error) {
			const reason = error instanceof Error ? error.message : String(error);
			onNote?.(`The host key of ${asked.host} is accepted but could not be recorded: ${reason}`);
		}
		return true;
	};
	return {
		unlocked(file) {
			const kept = keys.get(file.path);
			const isSame = file.secret.kind === "encrypted" && kept?.data.equals(file.secret.data);
			return isSame === true ? kept?.key : undefined;
		},
		isConfirmed: (name, key) => confirmed.has(idOf(name, key)),
		forOpening() {
			const reasons = new Map<string, string>();
			return {
				leftOut: ({ path }) => (askPassphrase === undefined ? "encrypted" : reasons.get(path)),
				async settle(question) {
					if (question.kind === "host-key") return confirm(question);
					const reason = await unlock(question.file);
					// Another key may be accepted.
					if (reason !== undefined) reasons.set(question.file.path, reason);
					return true;
				},
			};
		},
	};
}
