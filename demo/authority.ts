import "reflect-metadata";
import type { webcrypto } from "node:crypto";
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import {
	BasicConstraintsExtension,
	ExtendedKeyUsage,
	ExtendedKeyUsageExtension,
	type Extension,
	KeyUsageFlags,
	KeyUsagesExtension,
	SubjectAlternativeNameExtension,
	type X509Certificate,
	X509CertificateGenerator,
} from "@peculiar/x509";

/** A certificate and its key, both PEM. */
export interface Identity {
	readonly cert: string;
	readonly key: string;
}

export interface Validity {
	readonly notBefore?: Date;
	readonly notAfter?: Date;
}

/** A certificate authority that lives as long as the process. */
export interface Authority {
	/** PEM of the CA itself. */
	readonly ca: string;
	/** For 127.0.0.1 and localhost. */
	server(validity?: Validity): Promise<Identity>;
	client(validity?: Validity & { readonly usage?: ExtendedKeyUsage }): Promise<Identity>;
}

const KEY = { name: "ECDSA", namedCurve: "P-256" } as const;
const SIGNING = { name: "ECDSA", hash: "SHA-256" } as const;
const DAY = 24 * 60 * 60 * 1000;

export async function createAuthority(name = "ai-server demo CA"): Promise<Authority> {
	const keys = await crypto.subtle.generateKey(KEY, true, ["sign", "verify"]);
	let serial = 1;
	const validity = ({ notBefore, notAfter }: Validity): Required<Validity> => ({
		notBefore: notBefore ?? new Date(Date.now() - DAY),
		notAfter: notAfter ?? new Date(Date.now() + 30 * DAY),
	});
	const root = await X509CertificateGenerator.createSelfSigned({
		serialNumber: "01",
		name: `CN=${name}`,
		...validity({}),
		signingAlgorithm: SIGNING,
		keys,
		extensions: [
			new BasicConstraintsExtension(true, undefined, true),
			new KeyUsagesExtension(KeyUsageFlags.keyCertSign | KeyUsageFlags.cRLSign, true),
		],
	});
	const issue = async (
		subject: string,
		usage: ExtendedKeyUsage,
		when: Validity,
		more: readonly Extension[],
	): Promise<Identity> => {
		serial += 1;
		const own = await crypto.subtle.generateKey(KEY, true, ["sign", "verify"]);
		const certificate = await X509CertificateGenerator.create({
			serialNumber: serial.toString(16).padStart(2, "0"),
			subject: `CN=${subject}`,
			issuer: root.subject,
			...validity(when),
			signingAlgorithm: SIGNING,
			publicKey: own.publicKey,
			signingKey: keys.privateKey,
			extensions: [
				new BasicConstraintsExtension(false, undefined, true),
				new KeyUsagesExtension(KeyUsageFlags.digitalSignature, true),
				new ExtendedKeyUsageExtension([usage]),
				...more,
			],
		});
		return { cert: pem(certificate), key: await keyPem(own.privateKey) };
	};
	const names = new SubjectAlternativeNameExtension([
		{ type: "dns", value: "localhost" },
		{ type: "ip", value: "127.0.0.1" },
	]);
	return {
		ca: pem(root),
		server: (when = {}) => issue("localhost", ExtendedKeyUsage.serverAuth, when, [names]),
		client: ({ usage = ExtendedKeyUsage.clientAuth, ...when } = {}) =>
			issue("demo client", usage, when, []),
	};
}

/** The three files as the extension looks for them; the key for its owner only. */
export async function writeClientFiles(
	folder: string,
	ca: string,
	identity: Identity,
): Promise<void> {
	await mkdir(folder, { recursive: true, mode: 0o700 });
	await writeFile(join(folder, "root-ca.pem"), ca);
	await writeFile(join(folder, "client.pem"), identity.cert);
	await writeFile(join(folder, "client-key.pem"), identity.key, { mode: 0o600 });
}

function pem(certificate: X509Certificate): string {
	return `${certificate.toString("pem")}\n`;
}

async function keyPem(key: webcrypto.CryptoKey): Promise<string> {
	const bytes = Buffer.from(await crypto.subtle.exportKey("pkcs8", key)).toString("base64");
	const lines = bytes.match(/.{1,64}/g)?.join("\n") ?? "";
	return `-----BEGIN PRIVATE KEY-----\n${lines}\n-----END PRIVATE KEY-----\n`;
}
