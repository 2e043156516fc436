import { createHash, createHmac, randomBytes, timingSafeEqual } from "node:crypto";

/** What identifies a host in known_hosts. */
export interface HostName {
	readonly host: string;
	readonly port: number;
	/** HostKeyAlias: replaces host and port. */
	readonly alias?: string | undefined;
}

export interface KnownHostsFile {
	readonly path: string;
	readonly text: string;
}

/** A key in a known_hosts file. */
export interface RecordedKey {
	/** "ssh-ed25519" and the like. */
	readonly type: string;
	readonly fingerprint: string;
	readonly path: string;
	/** Counted from 1. */
	readonly line: number;
}

export type HostKeyVerdict =
	| { readonly kind: "ok"; readonly fingerprint: string }
	| { readonly kind: "revoked"; readonly fingerprint: string; readonly recorded: RecordedKey }
	/** Not recorded; `onlyAuthority` when a @cert-authority line covers the host, which ssh2 cannot use. */
	| {
			readonly kind: "unknown";
			readonly fingerprint: string;
			readonly keyType: string;
			readonly onlyAuthority: boolean;
	  }
	/** The host is recorded with other keys only, possibly of another type. */
	| {
			readonly kind: "changed";
			readonly fingerprint: string;
			readonly recorded: readonly RecordedKey[];
	  };

interface Line {
	readonly marker: string | undefined;
	readonly hosts: readonly string[];
	readonly type: string;
	readonly key: Buffer;
	readonly path: string;
	readonly line: number;
}

/** In OpenSSH's order of preference; "ssh-rsa" in a file means the SHA-2 signatures of the same key. */
const ALGORITHMS: readonly (readonly [type: string, algorithm: string])[] = [
	["ssh-ed25519", "ssh-ed25519"],
	["ecdsa-sha2-nistp256", "ecdsa-sha2-nistp256"],
	["ecdsa-sha2-nistp384", "ecdsa-sha2-nistp384"],
	["ecdsa-sha2-nistp521", "ecdsa-sha2-nistp521"],
	["ssh-rsa", "rsa-sha2-512"],
	["ssh-rsa", "rsa-sha2-256"],
];

/**
 * Checks a host's key against known_hosts files as OpenSSH does (sshd(8), SSH_KNOWN_HOSTS FILE FORMAT;
 * check_host_key in its sshconnect.c): a revoked key is refused, any matching key accepts, another key
 * is a change, also one of another type. On a port other than 22 the key of a plain line for the host
 * accepts where `[host]:port` is unknown.
 */
export function judgeHostKey(
	files: readonly KnownHostsFile[],
	host: HostName,
	key: Buffer,
): HostKeyVerdict {
	const lines = files.flatMap(parseLines);
	const fingerprint = keyFingerprint(key);
	const exact = lines.filter((line) => matches(line, nameOf(host)));
	const bare = lines.filter((line) => bareName(host).some((name) => matches(line, name)));
	const revokes = ({ marker, key: revoked }: Line): boolean =>
		marker === "@revoked" && revoked.equals(key);
	const accepts = ({ marker, key: known }: Line): boolean =>
		marker === undefined && known.equals(key);

	const others = exact.filter(({ marker }) => marker === undefined);
	const revoked = exact.find(revokes) ?? (exact.some(accepts) ? undefined : bare.find(revokes));
	if (revoked !== undefined) return { kind: "revoked", fingerprint, recorded: recordOf(revoked) };
	if (exact.some(accepts)) return { kind: "ok", fingerprint };
	if (others.length > 0) return { kind: "changed", fingerprint, recorded: others.map(recordOf) };
	if (bare.some(accepts)) return { kind: "ok", fingerprint };
	return {
		kind: "unknown",
		fingerprint,
		keyType: keyType(key) ?? "",
		onlyAuthority: [...exact, ...bare].some(({ marker }) => marker === "@cert-authority"),
	};
}

/**
 * Host key algorithms to offer, the recorded types first: a host that is recorded with its RSA key must
 * not look new because it has an Ed25519 key as well. As in OpenSSH's order_hostkeyalgs, the usual order
 * stays where the best type is recorded, and plain lines do not count for another port.
 */
export function hostKeyAlgorithms(
	files: readonly KnownHostsFile[],
	host: HostName,
): readonly string[] {
	const lines = files.flatMap(parseLines);
	const types = typesOf(lines.filter((line) => matches(line, nameOf(host))));
	const best = types.has("ssh-ed25519");
	const known = ALGORITHMS.filter(([type]) => best || types.has(type));
	const others = ALGORITHMS.filter((entry) => !known.includes(entry));
	return [...known, ...others].map(([, algorithm]) => algorithm);
}

/** A line for known_hosts, without its line end; `hashed` hides the name as HashKnownHosts does. */
export function knownHostsLine(host: HostName, key: Buffer, hashed: boolean): string {
	const salt = randomBytes(20);
	const name = nameOf(host);
	const hosts = hashed ? `|1|${salt.toString("base64")}|${hashName(salt, name)}` : name;
	return `${hosts} ${keyType(key)} ${key.toString("base64")}`;
}

/** "SHA256:..." as ssh-keygen prints it. */
export function keyFingerprint(key: Buffer): string {
	return `SHA256:${createHash("sha256").update(key).digest("base64").replace(/=+$/, "")}`;
}

/** The name of a host in known_hosts: its alias, the bare host on port 22, else "[host]:port". */
export function nameOf({ host, port, alias }: HostName): string {
	if (alias !== undefined) return alias;
	const lower = host.toLowerCase();
	return port === 22 ? lower : `[${lower}]:${port}`;
}

/** The second name that counts where the port is not 22. */
function bareName({ host, port, alias }: HostName): readonly string[] {
	return alias === undefined && port !== 22 ? [host.toLowerCase()] : [];
}

function typesOf(lines: readonly Line[]): ReadonlySet<string> {
	return new Set(lines.filter(({ marker }) => marker === undefined).map(({ type }) => type));
}

function recordOf({ type, key, path, line }: Line): RecordedKey {
	return { type, fingerprint: keyFingerprint(key), path, line };
}

function parseLines({ path, text }: KnownHostsFile): readonly Line[] {
	return text.split(/\r?\n/).flatMap((source, index) => {
		if (/^\s*(?:#|$)/.test(source)) return [];
		const words = source.trim().split(/[ \t]+/);
		const marker = words[0]?.startsWith("@") ? words.shift() : undefined;
		const [hosts, type, encoded] = words;
		if (hosts === undefined || type === undefined || encoded === undefined) return [];
		const key = Buffer.from(encoded, "base64");
		if (keyType(key) !== type) return [];
		return [{ marker, hosts: hosts.split(","), type, key, path, line: index + 1 }];
	});
}

/** The type inside a key blob: a length and that many letters (RFC 4253, section 6.6). */
export function keyType(key: Buffer): string | undefined {
	if (key.length < 4) return undefined;
	const length = key.readUInt32BE(0);
	return length > 64 ? undefined : key.subarray(4, 4 + length).toString("latin1");
}

function matches({ hosts }: Line, name: string): boolean {
	const [first = ""] = hosts;
	if (first.startsWith("|1|")) return matchesHashed(first, name);
	const patterns = hosts.map((pattern) => pattern.toLowerCase());
	const denied = patterns.some(
		(pattern) => pattern.startsWith("!") && fits(pattern.slice(1), name),
	);
	return !denied && patterns.some((pattern) => !pattern.startsWith("!") && fits(pattern, name));
}

function matchesHashed(hashed: string, name: string): boolean {
	const [, , salt = "", hash = ""] = hashed.split("|");
	const expected = Buffer.from(hash, "base64");
	const made = Buffer.from(hashName(Buffer.from(salt, "base64"), name), "base64");
	return expected.length === made.length && timingSafeEqual(expected, made);
}

function hashName(salt: Buffer, name: string): string {
	return createHmac("sha1", salt).update(name).digest("base64");
}

/** "*" and "?" are wildcards; all other characters, brackets included, are literal. */
function fits(pattern: string, name: string): boolean {
	const source = pattern
		.replace(/[.+^${}()|[\]\\]/g, "\\$&")
		.replaceAll("*", ".*")
		.replaceAll("?", ".");
	return new RegExp(`^${source}$`).test(name);
}
