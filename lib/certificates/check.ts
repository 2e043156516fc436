import { createPrivateKey, type KeyObject, X509Certificate } from "node:crypto";
import { statSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { AiServerError, type ErrorFacts, type Setting } from "../errors.ts";

export interface CertificatePaths {
	readonly ca: string;
	readonly cert: string;
	readonly key: string;
	/** For an encrypted key. */
	readonly passphrase?: string;
}

/** The contents of the files. */
export interface Pem {
	readonly ca: string;
	readonly cert: string;
	readonly key: string;
	readonly passphrase: string | undefined;
}

type Part = "ca" | "cert" | "key";

const PARTS: Readonly<Record<Part, { readonly label: string; readonly setting: Setting }>> = {
	ca: { label: "CA file", setting: "ca" },
	cert: { label: "client certificate", setting: "clientCert" },
	key: { label: "client key", setting: "clientKey" },
};

/** The extended key usages "TLS client" and "any" (RFC 5280, 4.2.1.12). */
const CLIENT_USAGES = ["1.3.6.1.5.5.7.3.2", "2.5.29.37.0"];

/** Reads the three files. Rejects with AiServerError "tls" that names the file. */
export async function readCertificates(paths: CertificatePaths): Promise<Pem> {
	const [ca, cert, key] = await Promise.all([
		readPart("ca", paths.ca),
		readPart("cert", paths.cert),
		readPart("key", paths.key),
	]);
	return { ca, cert, key, passphrase: paths.passphrase };
}

/**
 * Changes whenever one of the files does: size, time and inode of each. Never throws. Synchronous, as
 * every request asks, and three trips to the thread pool would take longer than the rest of its set-up.
 */
export function certificatesVersion(paths: CertificatePaths): string {
	const parts = [paths.ca, paths.cert, paths.key].map((path) => {
		try {
			const { size, mtimeMs, ino } = statSync(path);
			return `${size}:${mtimeMs}:${ino}`;
		} catch {
			return "missing"; // reading it reports why
		}
	});
	return parts.join(" ");
}

/**
 * Finds what would fail in a handshake before there is one, since the handshake itself reports only
 * "other side closed". Throws AiServerError "tls".
 */
export function checkCertificates(pem: Pem, paths: CertificatePaths, now: Date): void {
	for (const block of certificateBlocks(pem.ca, "ca", paths)) parseCertificate(block, "ca", paths);
	const [first = ""] = certificateBlocks(pem.cert, "cert", paths);
	const certificate = parseCertificate(first, "cert", paths);
	const key = parseKey(pem, paths);
	if (!certificate.checkPrivateKey(key)) {
		throw unusable("The client key does not belong to the client certificate", {
			hint: `Copy both again: ${paths.cert} and ${paths.key} are not a pair`,
		});
	}
	if (now > certificate.validToDate) {
		throw unusable(`The client certificate expired on ${day(certificate.validToDate)}`, {
			hint: `Have a new one signed and save it as ${paths.cert}`,
		});
	}
	if (now < certificate.validFromDate) {
		throw unusable(`The client certificate is not valid before ${day(certificate.validFromDate)}`, {
			hint: "Check the clock of this machine",
		});
	}
	const usages: readonly string[] | undefined = certificate.keyUsage;
	if (usages !== undefined && !CLIENT_USAGES.some((usage) => usages.includes(usage))) {
		throw unusable("The client certificate is not issued for client authentication", {
			hint: "Have a new one signed with extendedKeyUsage=clientAuth",
		});
	}
}

async function readPart(part: Part, path: string): Promise<string> {
	const { label, setting } = PARTS[part];
	try {
		return await readFile(path, "utf8");
	} catch (error) {
		const code = error instanceof Error && "code" in error ? String(error.code) : "";
		const problem = READ_PROBLEMS[code] ?? `cannot be read (${code})`;
		throw unusable(`The ${label} ${path} ${problem}`, {
			hint: "Copy the file there, or set its path",
			setting: [setting, "certsDir"],
			cause: error,
		});
	}
}

const READ_PROBLEMS: Readonly<Record<string, string>> = {
	ENOENT: "does not exist",
	EISDIR: "is a folder",
	EACCES: "cannot be read: permission denied",
};

function certificateBlocks(text: string, part: Part, paths: CertificatePaths): readonly string[] {
	const blocks = text.match(/-----BEGIN (?:TRUSTED )?CERTIFICATE-----[\s\S]+?-----END [^-]+-----/g);
	if (blocks !== null) return blocks;
	const { label, setting } = PARTS[part];
	const holds = text.includes("PRIVATE KEY-----")
		? "contains a private key"
		: text.startsWith("0")
			? "is in DER format"
			: "contains no certificate";
	throw unusable(`The ${label} ${paths[part]} ${holds}`, {
		hint: 'Set the path of a PEM file with "BEGIN CERTIFICATE"',
		setting,
	});
}

function parseCertificate(block: string, part: Part, paths: CertificatePaths): X509Certificate {
	try {
		return new X509Certificate(block);
	} catch (error) {
		throw unusable(`The ${PARTS[part].label} ${paths[part]} is damaged`, {
			hint: "Copy it again from where it was made",
			cause: error,
		});
	}
}

function parseKey({ key, passphrase }: Pem, paths: CertificatePaths): KeyObject {
	if (!key.includes("PRIVATE KEY-----")) {
		throw unusable(`The client key ${paths.key} contains no private key`, {
			hint: 'Set the path of a PEM file with "BEGIN PRIVATE KEY"',
			setting: "clientKey",
		});
	}
	const encrypted = /BEGIN ENCRYPTED PRIVATE KEY|Proc-Type: 4,ENCRYPTED/.test(key);
	try {
		return createPrivateKey(passphrase === undefined ? key : { key, passphrase });
	} catch (error) {
		if (encrypted && passphrase === undefined) {
			throw unusable(`The client key ${paths.key} is encrypted`, {
				hint: "Set its passphrase",
				setting: "keyPassphrase",
			});
		}
		if (encrypted) {
			throw unusable(`The passphrase does not decrypt the client key ${paths.key}`, {
				hint: "Check the passphrase",
				setting: "keyPassphrase",
			});
		}
		throw unusable(`The client key ${paths.key} is damaged`, {
			hint: "Copy it again from where it was made",
			cause: error,
		});
	}
}

function day(date: Date): string {
	return date.toISOString().slice(0, 10);
}

function unusable(message: string, facts: ErrorFacts): AiServerError {
	return new AiServerError("tls", message, facts);
}
