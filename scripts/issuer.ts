import "reflect-metadata";
import {
	createPrivateKey,
	KeyObject,
	X509Certificate as NodeCertificate,
	type webcrypto,
} from "node:crypto";
import { isIP } from "node:net";
import {
	AuthorityKeyIdentifierExtension,
	BasicConstraintsExtension,
	ExtendedKeyUsage,
	ExtendedKeyUsageExtension,
	type Extension,
	type JsonGeneralName,
	KeyUsageFlags,
	KeyUsagesExtension,
	SubjectAlternativeNameExtension,
	SubjectKeyIdentifierExtension,
	X509Certificate,
	X509CertificateGenerator,
} from "@peculiar/x509";

export { ExtendedKeyUsage };

/** A certificate and its private key, both PEM. */
export interface Identity {
	readonly cert: string;
	readonly key: string;
}

export interface Validity {
	readonly notBefore: Date;
	readonly notAfter: Date;
}

export interface Request {
	/** The common name. */
	readonly subject: string;
	readonly usage: ExtendedKeyUsage;
	readonly validity: Validity;
	/** DNS names and IP addresses, for a server. */
	readonly hosts?: readonly string[];
}

/** Makes a new key on P-256 for each certificate; none is valid for longer than the CA. */
export interface Issuer {
	issue(request: Request): Promise<Identity>;
}

const KEY = { name: "ECDSA", namedCurve: "P-256" } as const;
const HASH = "SHA-256";
const CURVES: Readonly<Record<string, string>> = {
	prime256v1: "P-256",
	secp384r1: "P-384",
	secp521r1: "P-521",
};
const HOUR = 3_600_000;
const DAY = 24 * HOUR;

/** A new CA that signs itself, with an EC key on P-256. */
export async function createRoot(name: string, validity: Validity): Promise<Identity> {
	const keys = await crypto.subtle.generateKey(KEY, true, ["sign", "verify"]);
	const root = await X509CertificateGenerator.createSelfSigned({
		serialNumber: serial(),
		name: [{ CN: [name] }],
		notBefore: validity.notBefore,
		notAfter: validity.notAfter,
		signingAlgorithm: { name: "ECDSA", hash: HASH },
		keys,
		extensions: [
			new BasicConstraintsExtension(true, undefined, true),
			new KeyUsagesExtension(KeyUsageFlags.keyCertSign | KeyUsageFlags.cRLSign, true),
			await SubjectKeyIdentifierExtension.create(keys.publicKey),
		],
	});
	return { cert: pemOf(root), key: keyPem(keys.privateKey) };
}

/**
 * Opens a CA from its two files, made by any program: EC on a NIST curve or RSA. Rejects with an Error
 * whose message is for the user.
 */
export async function openIssuer({ cert, key }: Identity, now: Date): Promise<Issuer> {
	const root = new X509Certificate(cert);
	if (now > root.notAfter) throw new Error("The CA has expired");
	const { signingKey, signingAlgorithm } = await importKey(key, cert);
	return {
		async issue({ subject, usage, validity, hosts = [] }) {
			const own = await crypto.subtle.generateKey(KEY, true, ["sign", "verify"]);
			const end = Math.min(validity.notAfter.getTime(), root.notAfter.getTime());
			const certificate = await X509CertificateGenerator.create({
				serialNumber: serial(),
				subject: [{ CN: [subject] }],
				// The name itself, not its text: Go compares the bytes of both.
				issuer: root.subjectName,
				notBefore: validity.notBefore,
				notAfter: new Date(end),
				signingAlgorithm,
				publicKey: own.publicKey,
				signingKey,
				extensions: [
					new BasicConstraintsExtension(false, undefined, true),
					new KeyUsagesExtension(KeyUsageFlags.digitalSignature, true),
					await SubjectKeyIdentifierExtension.create(own.publicKey),
					await authorityKeyOf(root),
					new ExtendedKeyUsageExtension([usage]),
					...alternativeNames(hosts),
				],
			});
			return { cert: pemOf(certificate), key: keyPem(own.privateKey) };
		},
	};
}

/** From an hour ago, for a machine whose clock is slow. */
export function validFor(days: number, now: Date): Validity {
	return {
		notBefore: new Date(now.getTime() - HOUR),
		notAfter: new Date(now.getTime() + days * DAY),
	};
}

function alternativeNames(hosts: readonly string[]): readonly Extension[] {
	if (hosts.length === 0) return [];
	const names = hosts.map((value): JsonGeneralName => {
		return { type: isIP(value) === 0 ? "dns" : "ip", value };
	});
	return [new SubjectAlternativeNameExtension(names)];
}

interface SigningKey {
	readonly signingKey: webcrypto.CryptoKey;
	readonly signingAlgorithm: { readonly name: string; readonly hash: string };
}

async function importKey(pem: string, cert: string): Promise<SigningKey> {
	if (/BEGIN ENCRYPTED PRIVATE KEY|Proc-Type: 4,ENCRYPTED/.test(pem)) {
		throw new Error("The key of the CA is encrypted; decrypt a copy with openssl pkey");
	}
	const key = createPrivateKey(pem);
	if (!new NodeCertificate(cert).checkPrivateKey(key)) {
		throw new Error("The key does not belong to the CA's certificate");
	}
	const curve = CURVES[key.asymmetricKeyDetails?.namedCurve ?? ""];
	const algorithm =
		curve !== undefined
			? { name: "ECDSA", namedCurve: curve }
			: key.asymmetricKeyType === "rsa"
				? { name: "RSASSA-PKCS1-v1_5", hash: HASH }
				: undefined;
	if (algorithm === undefined) throw new Error("The key of the CA is neither EC nor RSA");
	const bytes = key.export({ type: "pkcs8", format: "der" });
	const signingKey = await crypto.subtle.importKey("pkcs8", bytes, algorithm, false, ["sign"]);
	return { signingKey, signingAlgorithm: { name: algorithm.name, hash: HASH } };
}

/** By the CA's own identifier, which is not always the hash of its key. */
async function authorityKeyOf(root: X509Certificate): Promise<Extension> {
	const known = root.getExtension(SubjectKeyIdentifierExtension);
	return known === null
		? AuthorityKeyIdentifierExtension.create(root.publicKey)
		: new AuthorityKeyIdentifierExtension(known.keyId);
}

/** Sixteen random bytes, positive and without a leading zero (RFC 5280, 4.1.2.2). */
function serial(): string {
	const bytes = crypto.getRandomValues(new Uint8Array(16));
	bytes[0] = ((bytes[0] ?? 0) & 0x3f) | 0x40;
	return Buffer.from(bytes).toString("hex");
}

function pemOf(certificate: X509Certificate): string {
	return `${certificate.toString("pem")}\n`;
}

function keyPem(key: webcrypto.CryptoKey): string {
	return KeyObject.from(key).export({ type: "pkcs8", format: "pem" }).toString();
}
