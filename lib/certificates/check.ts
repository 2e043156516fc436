import { createPrivateKey, type KeyObject, X509Certificate } from "node:crypto";
import { statSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { AiServerError } from "../errors.ts";

export interface CertificatePaths {
	readonly ca: string;
	readonly cert: string;
	readonly key: string;
	/** For an encrypted key. */
	readonly passphrase?: string;
}

/** File contents, as they came. */
export interface Pem {
	readonly ca: string;
	readonly cert: string;
	readonly key: string;
	readonly passphrase: string | undefined;
}

type Part = "ca" | "cert" | "key";

const PARTS: Readonly<Record<Part, { readonly label: string; readonly variable: string }>> = {
	ca: { label: "CA file", variable: "AI_SERVER_CA" },
	cert: { label: "client certificate", variable: "AI_SERVER_CLIENT_CERT" },
	key: { label: "client key", variable: "AI_SERVER_CLIENT_KEY" },
};

/** The extended key usages "TLS client" and "any" (RFC 5280, 4.2.1.12). */
const CLIENT_USAGES = ["1.3.6.1.5.5.7.3.2", "2.5.29.37.0"];

/** Reads the three files. Rejects with AiServerError "tls" that names the file and its variable. */
export async function readCertificates(paths: CertificatePaths): Promise<Pem> {
	const [ca, cert, key] = await Promise.all([
		readPart("ca", paths.ca),
		readPart("cert", paths.cert),
		readPart("key", paths.key),
	]);
	return { ca, cert, key, passphrase: paths.passphrase };
}

/**
 * Changes whenever one of the files does: size, time and inode of each. Never throws. Every request
 * asks, and three trips to the thread pool would take longer than the rest of its way out.
 */
export function certificatesVersion(paths: CertificatePaths): string {
	const parts = [paths.ca, paths.cert, paths.key].map((path) => {
		try {
			const { size, mtimeMs, ino } = statSync(path);
			return `${size}:${mtimeMs}:${ino}`;
		} catch {
			return "missing"; // reading it says why
		}
	});
	return parts.join(" ");
}

/**
 * Finds what would fail in a handshake before there is one, since the handshake itself says only
 * "other side closed". Throws AiServerError "tls".
 */
export function checkCertificates(pem: Pem, paths: CertificatePaths, now: Date): void {
	for (const block of certificateBlocks(pem.ca, "ca", paths)) parseCertificate(block, "ca", paths);
	const [first = ""] = certificateBlocks(pem.cert, "cert", paths);
	const certificate = parseCertificate(first, "cert", paths);
	const key = parseKey(pem, paths);
	if (!certificate.checkPrivateKey(key)) {
		throw fault("The client key does not belong to the client certificate", {
			hint: `Copy both again: ${paths.cert} and ${paths.key} were not made together`,
		});
	}
	if (now > certificate.validToDate) {
		throw fault(`The client certificate expired on ${day(certificate.validToDate)}`, {
			hint: `Have a new one signed and put it at ${paths.cert}`,
		});
	}
	if (now < certificate.validFromDate) {
		throw fault(`The client certificate is valid only from ${day(certificate.validFromDate)}`, {
			hint: "Check the clock of this machine",
		});
	}
	const usages: readonly string[] | undefined = certificate.keyUsage;
	if (usages !== undefined && !CLIENT_USAGES.some((usage) => usages.includes(usage))) {
		throw fault("The client certificate is not made for clients", {
			hint: "Have it signed with extendedKeyUsage=clientAuth",
		});
	}
}

async function readPart(part: Part, path: string): Promise<string> {
	const { label, variable } = PARTS[part];
	try {
		return await readFile(path, "utf8");
	} catch (error) {
		const code = error instanceof Error && "code" in error ? error.code : undefined;
		const why =
			code === "ENOENT"
				? "is not there"
				: code === "EISDIR"
					? "is a folder"
					: code === "EACCES"
						? "may not be read"
						: `could not be read (${String(code)})`;
		throw fault(`The ${label} ${path} ${why}`, {
			hint: `Put it there, or set ${variable} or AI_SERVER_CERTS_DIR`,
			cause: error,
		});
	}
}

function certificateBlocks(text: string, part: Part, paths: CertificatePaths): readonly string[] {
	const blocks = text.match(/-----BEGIN (?:TRUSTED )?CERTIFICATE-----[\s\S]+?-----END [^-]+-----/g);
	if (blocks !== null) return blocks;
	const { label, variable } = PARTS[part];
	const holds = text.includes("PRIVATE KEY-----")
		? "holds a private key"
		: text.startsWith("0")
			? "is in DER form"
			: "holds no certificate";
	throw fault(`The ${label} ${paths[part]} ${holds}`, {
		hint: `${variable} must name a PEM file with "BEGIN CERTIFICATE"`,
	});
}

function parseCertificate(block: string, part: Part, paths: CertificatePaths): X509Certificate {
	try {
		return new X509Certificate(block);
	} catch (error) {
		throw fault(`The ${PARTS[part].label} ${paths[part]} is damaged`, {
			hint: "Copy it again from where it was made",
			cause: error,
		});
	}
}

function parseKey({ key, passphrase }: Pem, paths: CertificatePaths): KeyObject {
	if (!key.includes("PRIVATE KEY-----")) {
		throw fault(`The client key ${paths.key} holds no private key`, {
			hint: 'AI_SERVER_CLIENT_KEY must name a PEM file with "BEGIN PRIVATE KEY"',
		});
	}
	const encrypted = /BEGIN ENCRYPTED PRIVATE KEY|Proc-Type: 4,ENCRYPTED/.test(key);
	try {
		return createPrivateKey(passphrase === undefined ? key : { key, passphrase });
	} catch (error) {
		if (encrypted && passphrase === undefined) {
			throw fault(`The client key ${paths.key} is encrypted`, {
				hint: "Set AI_SERVER_KEY_PASSPHRASE",
			});
		}
		if (encrypted) {
			throw fault(`The passphrase does not open the client key ${paths.key}`, {
				hint: "Check AI_SERVER_KEY_PASSPHRASE",
			});
		}
		throw fault(`The client key ${paths.key} is damaged`, {
			hint: "Copy it again from where it was made",
			cause: error,
		});
	}
}

function day(date: Date): string {
	return date.toISOString().slice(0, 10);
}

function fault(message: string, facts: { hint: string; cause?: unknown }): AiServerError {
	return new AiServerError("tls", message, facts);
}
