import { access, readFile } from "node:fs/promises";
import { join } from "node:path";
import type { AnyAuthMethod, ParsedKey } from "ssh2";

/** OpenSSH's default key files, in its order. */
const KEY_FILES = ["id_ed25519", "id_ecdsa", "id_rsa"] as const;

export interface Login {
	readonly methods: AnyAuthMethod[];
	/** Names of what will be offered. */
	readonly offered: readonly string[];
	/** Key files that cannot be used, each with its reason. */
	readonly unusable: readonly string[];
}

/**
 * What to log in with: the agent's keys, then the default key files. A key that is missing, encrypted
 * or of an unknown format is left out. Never rejects.
 */
export async function gatherLogin(
	username: string,
	home: string,
	agent: string | undefined,
	parseKey: (data: Buffer) => ParsedKey | Error | readonly (ParsedKey | Error)[],
): Promise<Login> {
	const methods: AnyAuthMethod[] = [];
	const offered: string[] = [];
	const unusable: string[] = [];
	if (agent !== undefined && (await exists(agent))) {
		methods.push({ type: "agent", username, agent });
		offered.push("agent");
	}
	for (const name of KEY_FILES) {
		const data = await readOptional(join(home, ".ssh", name));
		if (data === undefined) continue;
		const fault = faultOf([parseKey(data)].flat());
		if (fault === undefined) {
			methods.push({ type: "publickey", username, key: data });
			offered.push(name);
		} else unusable.push(`${name} (${fault})`);
	}
	return { methods, offered, unusable };
}

/** Why a key file cannot be logged in with; undefined when it can. */
function faultOf(keys: readonly (ParsedKey | Error)[]): string | undefined {
	const fault = keys.find((key) => key instanceof Error);
	if (fault !== undefined) return /encrypted/i.test(fault.message) ? "encrypted" : "unknown format";
	const isPrivate = keys.some((key) => !(key instanceof Error) && key.isPrivateKey());
	return isPrivate ? undefined : "no private key";
}

/** The file's text, or nothing when it is not there or may not be read. */
export async function readOptional(path: string): Promise<Buffer | undefined> {
	try {
		return await readFile(path);
	} catch {
		return undefined;
	}
}

async function exists(path: string): Promise<boolean> {
	try {
		await access(path);
		return true;
	} catch {
		return false;
	}
}
