import { createHash, createHmac, timingSafeEqual } from "node:crypto";
import type { SshTarget } from "./ssh.ts";

export type HostKeyVerdict =
	| { readonly kind: "ok"; readonly fingerprint: string }
	| { readonly kind: "revoked"; readonly fingerprint: string }
	/** Never seen; `onlyAuthority` when a @cert-authority line covers the host, which ssh2 cannot use. */
	| { readonly kind: "unknown"; readonly fingerprint: string; readonly onlyAuthority: boolean }
	/** The host is known with other keys of this type. */
	| {
			readonly kind: "changed";
			readonly fingerprint: string;
			readonly recorded: readonly string[];
	  };

interface Line {
	readonly marker: string | undefined;
	readonly hosts: readonly string[];
	readonly type: string;
	readonly key: Buffer;
}

/** Preference of OpenSSH; "ssh-rsa" in a file stands for the SHA-2 signatures of the same key. */
const ALGORITHMS: readonly (readonly [type: string, algorithm: string])[] = [
	["ssh-ed25519", "ssh-ed25519"],
	["ecdsa-sha2-nistp256", "ecdsa-sha2-nistp256"],
	["ecdsa-sha2-nistp384", "ecdsa-sha2-nistp384"],
	["ecdsa-sha2-nistp521", "ecdsa-sha2-nistp521"],
	["ssh-rsa", "rsa-sha2-512"],
	["ssh-rsa", "rsa-sha2-256"],
];

/**
 * What known_hosts texts say about a host's key, as OpenSSH judges (sshd(8), SSH_KNOWN_HOSTS FILE
 * FORMAT): any matching key accepts, @revoked beats everything, and on a port other than 22 a plain
 * line of the host counts when none is there for `[host]:port`.
 */
export function judgeHostKey(
	files: readonly string[],
	target: Pick<SshTarget, "host" | "port">,
	key: Buffer,
): HostKeyVerdict {
	const lines = files.flatMap(parseLines);
	const fingerprint = fingerprintOf(key);
	const about = linesAbout(lines, target);
	const revoked = lines.filter(({ marker }) => marker === "@revoked");
	if (revoked.some((line) => line.key.equals(key) && matchesTarget(line, target))) {
		return { kind: "revoked", fingerprint };
	}
	const plain = about.filter(({ marker }) => marker === undefined);
	if (plain.some((line) => line.key.equals(key))) return { kind: "ok", fingerprint };
	const sameType = plain.filter((line) => line.type === keyType(key));
	// A line for the bare host says nothing about another port, unless its key fits.
	const exact = sameType.filter((line) => matches(line, nameOf(target)));
	if (exact.length > 0) {
		return { kind: "changed", fingerprint, recorded: exact.map((line) => fingerprintOf(line.key)) };
	}
	const onlyAuthority = about.some(({ marker }) => marker === "@cert-authority");
	return { kind: "unknown", fingerprint, onlyAuthority };
}

/**
 * Host key algorithms to offer, the recorded types first: a host that is known by its RSA key must
 * not look new because it has an Ed25519 key as well.
 */
export function hostKeyAlgorithms(
	files: readonly string[],
	target: Pick<SshTarget, "host" | "port">,
): readonly string[] {
	const about = linesAbout(files.flatMap(parseLines), target);
	const types = new Set(about.filter(({ marker }) => marker === undefined).map(({ type }) => type));
	const known = ALGORITHMS.filter(([type]) => types.has(type));
	const others = ALGORITHMS.filter(([type]) => !types.has(type));
	return [...known, ...others].map(([, algorithm]) => algorithm);
}

/** "SHA256:..." as ssh-keygen prints it. */
export function fingerprintOf(key: Buffer): string {
	return `SHA256:${createHash("sha256").update(key).digest("base64").replace(/=+$/, "")}`;
}

/** How known_hosts names a target: the bare host on port 22, else "[host]:port". */
export function nameOf({ host, port }: Pick<SshTarget, "host" | "port">): string {
	const lower = host.toLowerCase();
	return port === 22 ? lower : `[${lower}]:${port}`;
}

function linesAbout(
	lines: readonly Line[],
	target: Pick<SshTarget, "host" | "port">,
): readonly Line[] {
	const exact = lines.filter((line) => matches(line, nameOf(target)));
	const bare = lines.filter((line) => matches(line, target.host.toLowerCase()));
	// A line with a marker holds no key of the host, so it does not keep the bare lines out.
	return exact.some(({ marker }) => marker === undefined) ? exact : [...exact, ...bare];
}

function matchesTarget(line: Line, target: Pick<SshTarget, "host" | "port">): boolean {
	return matches(line, nameOf(target)) || matches(line, target.host.toLowerCase());
}

function parseLines(file: string): readonly Line[] {
	return file.split(/\r?\n/).flatMap((text) => {
		if (/^\s*(?:#|$)/.test(text)) return [];
		const words = text.trim().split(/[ \t]+/);
		const marker = words[0]?.startsWith("@") ? words.shift() : undefined;
		const [hosts, type, encoded] = words;
		if (hosts === undefined || type === undefined || encoded === undefined) return [];
		const key = Buffer.from(encoded, "base64");
		return keyType(key) === type ? [{ marker, hosts: hosts.split(","), type, key }] : [];
	});
}

/** The type inside a key blob: a length and that many letters (RFC 4253, section 6.6). */
function keyType(key: Buffer): string | undefined {
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
	const wanted = Buffer.from(hash, "base64");
	const made = createHmac("sha1", Buffer.from(salt, "base64")).update(name).digest();
	return wanted.length === made.length && timingSafeEqual(wanted, made);
}

/** "*" and "?" as wildcards; everything else, brackets among it, stands for itself. */
function fits(pattern: string, name: string): boolean {
	const source = pattern
		.replace(/[.+^${}()|[\]\\]/g, "\\$&")
		.replaceAll("*", ".*")
		.replaceAll("?", ".");
	return new RegExp(`^${source}$`).test(name);
}
