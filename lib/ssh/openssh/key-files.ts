import { basename, dirname, join } from "node:path";
import type { ParsedKey } from "ssh2";
import { readOptional } from "./user-files.ts";

/** ssh2's parseKey. */
export type ParseKey = (
	data: Buffer | string,
	passphrase?: string,
) => ParsedKey | Error | readonly (ParsedKey | Error)[];

/** A key file that exists. */
export interface KeyFile {
	readonly path: string;
	/** For messages: the bare name for a file in ~/.ssh. */
	readonly label: string;
	/** Undefined when it can be read only with the passphrase. */
	readonly publicKey: ParsedKey | undefined;
	readonly secret: KeySecret;
}

export type KeySecret =
	| { readonly kind: "open"; readonly key: ParsedKey }
	| { readonly kind: "encrypted"; readonly data: Buffer }
	/** Only an agent may have the private half. */
	| { readonly kind: "absent"; readonly reason: string };

/** Reads key files with their public `.pub` files, in order; leaves out what does not exist. */
export async function readKeyFiles(
	paths: readonly string[],
	home: string,
	parseKey: ParseKey,
): Promise<readonly KeyFile[]> {
	const files = await Promise.all(
		[...new Set(paths)].map(async (path): Promise<KeyFile | undefined> => {
			const [data, publicFile] = await Promise.all([
				readOptional(path),
				readOptional(`${path}.pub`),
			]);
			const publicKey = publicFile === undefined ? undefined : firstKey(parseKey(publicFile));
			const label = dirname(path) === join(home, ".ssh") ? basename(path) : path;
			if (data !== undefined) return { path, label, ...judge(data, publicKey, parseKey) };
			if (publicKey === undefined) return undefined;
			return { path, label, publicKey, secret: { kind: "absent", reason: "no private key" } };
		}),
	);
	return files.filter((file) => file !== undefined);
}

/** The key behind a passphrase; undefined when the passphrase is wrong. Blocks for most of a second. */
export function decryptKey(
	data: Buffer,
	passphrase: string,
	parseKey: ParseKey,
): ParsedKey | undefined {
	const key = firstKey(parseKey(data, passphrase));
	return key?.isPrivateKey() === true ? key : undefined;
}

function judge(
	data: Buffer,
	published: ParsedKey | undefined,
	parseKey: ParseKey,
): Pick<KeyFile, "publicKey" | "secret"> {
	const [parsed] = [parseKey(data)].flat();
	if (parsed instanceof Error || parsed === undefined) {
		if (!/encrypted/i.test(parsed?.message ?? "")) {
			return { publicKey: published, secret: { kind: "absent", reason: "unknown format" } };
		}
		const blob = embeddedPublicKey(data);
		const publicKey = blob === undefined ? published : publicKeyOf(blob, parseKey);
		return { publicKey, secret: { kind: "encrypted", data } };
	}
	if (parsed.isPrivateKey()) return { publicKey: parsed, secret: { kind: "open", key: parsed } };
	return { publicKey: parsed, secret: { kind: "absent", reason: "no private key" } };
}

/**
 * The public half, which OpenSSH's key format stores unencrypted (PROTOCOL.key): a magic word, three
 * strings about the encryption, the number of keys, the public key.
 */
export function embeddedPublicKey(file: Buffer): Buffer | undefined {
	const armoured =
		/-----BEGIN OPENSSH PRIVATE KEY-----([\s\S]*)-----END OPENSSH PRIVATE KEY-----/.exec(
			file.toString("latin1"),
		);
	const data = Buffer.from(armoured?.[1] ?? "", "base64");
	const magic = "openssh-key-v1\0";
	if (data.subarray(0, magic.length).toString("latin1") !== magic) return undefined;
	let at = magic.length;
	for (let skipped = 0; skipped < 3; skipped += 1) {
		if (at + 4 > data.length) return undefined;
		at += 4 + data.readUInt32BE(at);
	}
	if (at + 8 > data.length) return undefined;
	const end = at + 8 + data.readUInt32BE(at + 4);
	return end > data.length ? undefined : data.subarray(at + 8, end);
}

function publicKeyOf(blob: Buffer, parseKey: ParseKey): ParsedKey | undefined {
	const type = blob.length < 4 ? "" : blob.subarray(4, 4 + blob.readUInt32BE(0)).toString("latin1");
	return firstKey(parseKey(`${type} ${blob.toString("base64")}`));
}

function firstKey(parsed: ReturnType<ParseKey>): ParsedKey | undefined {
	const [key] = [parsed].flat();
	return key === undefined || key instanceof Error ? undefined : key;
}
