import type {
	BaseAgent,
	IdentityCallback,
	ParsedKey,
	SignCallback,
	SigningRequestOptions,
} from "ssh2";
import type { KeyFile } from "../openssh/key-files.ts";

/** A key that can be offered. */
export interface Identity {
	readonly label: string;
	readonly publicKey: ParsedKey;
	/** Rejects with PassphraseNeeded when the key is encrypted. */
	sign(data: Buffer, hash: string | undefined): Promise<Buffer>;
}

/** What there is to log in with at one host. */
export interface Login {
	/** In OpenSSH's order: the agent's keys, first those that the config names; then key files. */
	readonly identities: readonly Identity[];
	/** Encrypted keys that cannot be offered before they are decrypted; the last ones to ask for. */
	readonly hidden: readonly KeyFile[];
	/** Names of what will be offered. */
	readonly offered: readonly string[];
	/** Keys that cannot be used, each with its reason. */
	readonly unusable: readonly string[];
}

/** The server accepts an encrypted key and asks for its signature. */
export class PassphraseNeeded extends Error {
	readonly file: KeyFile;

	constructor(file: KeyFile) {
		super(`${file.label} is encrypted`);
		this.file = file;
	}
}

export interface AgentKeys {
	readonly keys: readonly ParsedKey[];
	sign(key: ParsedKey, data: Buffer, hash: string | undefined): Promise<Buffer>;
}

export interface LoginSources {
	/** Undefined without an agent, a reason when it cannot be used. */
	readonly agent: AgentKeys | string | undefined;
	readonly files: readonly KeyFile[];
	readonly identitiesOnly: boolean;
	/** Decrypted keys. */
	readonly unlocked: (file: KeyFile) => ParsedKey | undefined;
	/** Why an encrypted key is left out; undefined when the user can be asked for its passphrase. */
	readonly leftOut: (file: KeyFile) => string | undefined;
}

/** Decides what is offered, and in which order. */
export function arrangeLogin(sources: LoginSources): Login {
	const { agent, files, identitiesOnly, unlocked, leftOut } = sources;
	const held = typeof agent === "object" ? agent : { keys: [], sign: neverSigns };
	const isNamed = (key: ParsedKey): boolean =>
		files.some(({ publicKey }) => publicKey !== undefined && isSame(publicKey, key));
	const named = held.keys.filter(isNamed);
	const others = identitiesOnly ? [] : held.keys.filter((key) => !isNamed(key));
	const identities: Identity[] = [...named, ...others].map((publicKey) => ({
		label: "agent",
		publicKey,
		sign: (data, hash) => held.sign(publicKey, data, hash),
	}));
	const hidden: KeyFile[] = [];
	const unusable = typeof agent === "string" ? [`agent (${agent})`] : [];

	for (const file of files) {
		const { label, publicKey, secret } = file;
		if (publicKey !== undefined && held.keys.some((key) => isSame(key, publicKey))) continue;
		const key = secret.kind === "open" ? secret.key : unlocked(file);
		const reason = secret.kind === "absent" ? secret.reason : leftOut(file);
		if (key !== undefined) {
			identities.push({ label, publicKey: key, sign: (data, hash) => signWith(key, data, hash) });
		} else if (reason !== undefined) {
			unusable.push(`${label} (${reason})`);
		} else if (publicKey === undefined) {
			hidden.push(file);
		} else {
			identities.push({ label, publicKey, sign: () => Promise.reject(new PassphraseNeeded(file)) });
		}
	}
	const offered = [...new Set(identities.map(({ label }) => label))];
	return { identities, hidden, offered, unusable };
}

/** The identities as an ssh2 agent: only this form of a login allows a signature to be asynchronous. */
export function agentFor(
	identities: readonly Identity[],
	Base: abstract new () => BaseAgent<ParsedKey>,
	onPassphraseNeeded: (file: KeyFile) => void,
): BaseAgent {
	class Offer extends Base {
		override getIdentities(done: IdentityCallback<ParsedKey>): void {
			done(
				undefined,
				identities.map(({ publicKey }) => publicKey),
			);
		}
		override sign(
			publicKey: ParsedKey,
			data: Buffer,
			options: SigningRequestOptions | SignCallback,
			callback?: SignCallback,
		): void {
			const [hash, done] =
				typeof options === "function" ? [undefined, options] : [options.hash, callback];
			const identity = identities.find((candidate) => isSame(candidate.publicKey, publicKey));
			(identity?.sign(data, hash) ?? neverSigns()).then(
				(signature) => done?.(undefined, signature),
				(error: Error) => {
					// Nothing more is offered: the login is repeated with the passphrase.
					if (error instanceof PassphraseNeeded) onPassphraseNeeded(error.file);
					else done?.(error);
				},
			);
		}
	}
	return new Offer();
}

async function signWith(key: ParsedKey, data: Buffer, hash: string | undefined): Promise<Buffer> {
	const signature = key.sign(data, hash) as Buffer | Error;
	if (signature instanceof Error) throw signature;
	return signature;
}

function neverSigns(): Promise<Buffer> {
	return Promise.reject(new Error("No such key"));
}

function isSame(key: ParsedKey, other: ParsedKey): boolean {
	return key.getPublicSSH().equals(other.getPublicSSH());
}
