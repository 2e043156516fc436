import "reflect-metadata";
import {
	createPrivateKey,
	KeyObject,
	X509Certificate as NodeCertificate,
	type webcrypto,
} from "node:crypto";
import {
	AuthorityKeyIdentifierExtension,
	BasicConstraintsExtension,
	ExtendedKeyUsage,
	ExtendedKeyUsageExtension,
	type Extension,
	KeyUsageFlags,
	KeyUsagesExtension,
	SubjectAlternativeNameExtension,
	SubjectKeyIdentifierExtension,
	X509Certificate,
	X509CertificateGenerator,
} from "@peculiar/x509";

/** A certificate and its private key, both PEM. */
export interface Identity {
	readonly cert: string;
	readonly key: string;
}

export interface Issuer {
	/** For a server with one DNS name. */
	server(host: string, days: number): Promise<Identity>;
	client(name: string, days: number): Promise<Identity>;
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
export async function createRoot(name: string, days: number, now: Date): Promise<Identity> {
	const keys = await crypto.subtle.generateKey(KEY, true, ["sign", "verify"]);
	const root = await X509CertificateGenerator.createSelfSigned({
		serialNumber: serial(),
		name: [{ CN: [name] }],
		...lifetime(days, now),
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
 * A CA out of its two files, whoever made them: EC on a NIST curve or RSA. What it signs ends with
 * it at the latest. Rejects with an Error
 * whose message is for a person.
 */
export async function openIssuer({ cert, key }: Identity, now: Date): Promise<Issuer> {
	const root = new X509Certificate(cert);
	if (now > root.notAfter) throw new Error("The CA has expired");
	const { signingKey, signingAlgorithm } = await importKey(key, cert);
	const sign = async (
		subject: string,
		days: number,
		extensions: readonly Extension[],
	): Promise<Identity> => {
		const own = await crypto.subtle.generateKey(KEY, true, ["sign", "verify"]);
		const { notBefore, notAfter } = lifetime(days, now);
		const certificate = await X509CertificateGenerator.create({
			serialNumber: serial(),
			subject: [{ CN: [subject] }],
			// The name itself, not its text: Go compares the bytes of both.
			issuer: root.subjectName,
			notBefore,
			notAfter: new Date(Math.min(notAfter.getTime(), root.notAfter.getTime())),
			signingAlgorithm,
			publicKey: own.publicKey,
			signingKey,
			extensions: [
				new BasicConstraintsExtension(false, undefined, true),
				new KeyUsagesExtension(KeyUsageFlags.digitalSignature, true),
				await SubjectKeyIdentifierExtension.create(own.publicKey),
				await authorityKeyOf(root),
				...extensions,
			],
		});
		return { cert: pemOf(certificate), key: keyPem(own.privateKey) };
	};
	return {
		server: (host, days) =>
			sign(host, days, [
				new ExtendedKeyUsageExtension([ExtendedKeyUsage.serverAuth]),
				new SubjectAlternativeNameExtension([{ type: "dns", value: host }]),
			]),
		client: (name, days) =>
			sign(name, days, [new ExtendedKeyUsageExtension([ExtendedKeyUsage.clientAuth])]),
	};
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

/** By the CA's own identifier, which need not be the hash of its key. */
async function authorityKeyOf(root: X509Certificate): Promise<Extension> {
	const known = root.getExtension(SubjectKeyIdentifierExtension);
	return known === null
		? AuthorityKeyIdentifierExtension.create(root.publicKey)
		: new AuthorityKeyIdentifierExtension(known.keyId);
}

/** An hour of the past, for a machine whose clock is late. */
function lifetime(days: number, now: Date): { readonly notBefore: Date; readonly notAfter: Date } {
	return {
		notBefore: new Date(now.getTime() - HOUR),
		notAfter: new Date(now.getTime() + days * DAY),
	};
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
