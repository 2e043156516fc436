import "reflect-metadata";
import { createPrivateKey, X509Certificate } from "node:crypto";
import { mkdir, mkdtemp, readFile, rename, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ExtendedKeyUsage, X509CertificateGenerator } from "@peculiar/x509";
import { expect, onTestFinished, test } from "vitest";
import { createAuthority, type Identity, writeClientFiles } from "../../../demo/authority.ts";
import {
	type CertificatePaths,
	certificatesVersion,
	checkCertificates,
	readCertificates,
} from "../../../lib/certificates/check.ts";
import { AiServerError, type Setting } from "../../../lib/errors.ts";

const HOUR = 60 * 60 * 1000;
const PASSPHRASE = "open sesame";
const authority = await createAuthority();
const stranger = await createAuthority("another CA");

async function written(identity?: Identity): Promise<CertificatePaths> {
	const folder = await mkdtemp(join(tmpdir(), "ai-server-certificates-"));
	onTestFinished(() => rm(folder, { recursive: true, force: true }));
	await writeClientFiles(folder, authority.ca, identity ?? (await authority.client()));
	return {
		ca: join(folder, "root-ca.pem"),
		cert: join(folder, "client.pem"),
		key: join(folder, "client-key.pem"),
	};
}

async function check(paths: CertificatePaths, now: Date = new Date()): Promise<void> {
	checkCertificates(await readCertificates(paths), paths, now);
}

function encrypted(key: string, type: "pkcs8" | "sec1"): string {
	const format = { format: "pem", cipher: "aes-256-cbc", passphrase: PASSPHRASE } as const;
	return createPrivateKey(key)
		.export({ type, ...format })
		.toString();
}

async function encryptKey(paths: CertificatePaths, type: "pkcs8" | "sec1"): Promise<void> {
	await writeFile(paths.key, encrypted(await readFile(paths.key, "utf8"), type));
}

function damaged(pem: string): string {
	return pem.replace(/^M.{20}/m, "MAAAAAAAAAAAAAAAAAAAA");
}

test("accepts good files and hands their text on", async () => {
	const paths = await written();
	const pem = await readCertificates(paths);
	expect(pem).toEqual({
		ca: authority.ca,
		cert: await readFile(paths.cert, "utf8"),
		key: await readFile(paths.key, "utf8"),
		passphrase: undefined,
	});
	expect(() => checkCertificates(pem, paths, new Date())).not.toThrow();
});

interface Spoilt {
	readonly problem: string;
	readonly spoil: (paths: CertificatePaths) => Promise<unknown>;
	readonly part: "ca" | "cert" | "key" | undefined;
	readonly message: RegExp;
	readonly hint: RegExp;
	readonly settings?: readonly Setting[];
}

const PARTS = [
	["ca", "CA file", "ca"],
	["cert", "client certificate", "clientCert"],
	["key", "client key", "clientKey"],
] as const;

const SPOILT: readonly Spoilt[] = [
	...PARTS.flatMap(([part, label, setting]): readonly Spoilt[] => [
		{
			problem: `${part} missing`,
			spoil: (paths) => rm(paths[part]),
			part,
			message: new RegExp(`^The ${label} .* does not exist$`),
			hint: /^Copy the file there, or set its path$/,
			settings: [setting, "certsDir"],
		},
		{
			problem: `${part} is a folder`,
			spoil: (paths) => rm(paths[part]).then(() => mkdir(paths[part])),
			part,
			message: new RegExp(`^The ${label} .* is a folder$`),
			hint: /set its path$/,
			settings: [setting, "certsDir"],
		},
		{
			problem: `${part} empty`,
			spoil: (paths) => writeFile(paths[part], ""),
			part,
			message: new RegExp(`^The ${label} .* contains no (?:certificate|private key)$`),
			hint: /^Set the path of a PEM file with "BEGIN (?:CERTIFICATE|PRIVATE KEY)"$/,
			settings: [setting],
		},
		{
			problem: `${part} damaged`,
			spoil: async (paths) => writeFile(paths[part], damaged(await readFile(paths[part], "utf8"))),
			part,
			message: new RegExp(`^The ${label} .* is damaged$`),
			hint: /Copy it again/,
		},
	]),
	{
		problem: "certificate in DER form",
		spoil: async (paths) =>
			writeFile(paths.cert, new X509Certificate(await readFile(paths.cert)).raw),
		part: "cert",
		message: /is in DER format$/,
		hint: /BEGIN CERTIFICATE/,
		settings: ["clientCert"],
	},
	{
		problem: "CA in DER form",
		spoil: (paths) => writeFile(paths.ca, new X509Certificate(authority.ca).raw),
		part: "ca",
		message: /is in DER format$/,
		hint: /BEGIN CERTIFICATE/,
		settings: ["ca"],
	},
	{
		problem: "key in DER form",
		spoil: async (paths) =>
			writeFile(
				paths.key,
				createPrivateKey(await readFile(paths.key)).export({ type: "pkcs8", format: "der" }),
			),
		part: "key",
		message: /contains no private key$/,
		hint: /BEGIN PRIVATE KEY/,
		settings: ["clientKey"],
	},
	{
		problem: "key where the certificate belongs",
		spoil: async (paths) => writeFile(paths.cert, await readFile(paths.key)),
		part: "cert",
		message: /contains a private key$/,
		hint: /BEGIN CERTIFICATE/,
		settings: ["clientCert"],
	},
	{
		problem: "certificate where the key belongs",
		spoil: async (paths) => writeFile(paths.key, await readFile(paths.cert)),
		part: "key",
		message: /contains no private key$/,
		hint: /BEGIN PRIVATE KEY/,
		settings: ["clientKey"],
	},
	{
		problem: "a path where the contents belong",
		spoil: (paths) => writeFile(paths.ca, "/etc/ssl/root-ca.pem\n"),
		part: "ca",
		message: /contains no certificate$/,
		hint: /BEGIN CERTIFICATE/,
		settings: ["ca"],
	},
	{
		problem: "CA bundle with one damaged certificate",
		spoil: (paths) => writeFile(paths.ca, authority.ca + damaged(stranger.ca)),
		part: "ca",
		message: /is damaged$/,
		hint: /Copy it again/,
	},
	{
		problem: "key of another certificate",
		spoil: async (paths) => writeFile(paths.key, (await authority.client()).key),
		part: undefined,
		message: /does not belong to the client certificate$/,
		hint: /client\.pem and .*client-key\.pem/,
	},
	{
		problem: "encrypted PKCS#8 key without a passphrase",
		spoil: (paths) => encryptKey(paths, "pkcs8"),
		part: "key",
		message: /is encrypted$/,
		hint: /^Set its passphrase$/,
		settings: ["keyPassphrase"],
	},
	{
		problem: "encrypted SEC1 key without a passphrase",
		spoil: (paths) => encryptKey(paths, "sec1"),
		part: "key",
		message: /is encrypted$/,
		hint: /^Set its passphrase$/,
		settings: ["keyPassphrase"],
	},
];

test.each(SPOILT)(
	"names what is wrong: $problem",
	async ({ spoil, part, message, hint, settings = [] }) => {
		const paths = await written();
		await spoil(paths);
		const error: unknown = await check(paths).catch((thrown: unknown) => thrown);
		expect(error).toBeInstanceOf(AiServerError);
		expect(error).toMatchObject({
			code: "tls",
			message: expect.stringMatching(message),
			hint: expect.stringMatching(hint),
			settings,
		});
		if (part !== undefined) expect((error as AiServerError).message).toContain(paths[part]);
	},
);

test.each(["pkcs8", "sec1"] as const)("an encrypted %s key needs its passphrase", async (type) => {
	const paths = await written();
	await encryptKey(paths, type);
	await expect(check({ ...paths, passphrase: "wrong" })).rejects.toMatchObject({
		code: "tls",
		message: `The passphrase does not decrypt the client key ${paths.key}`,
		hint: "Check the passphrase",
		settings: ["keyPassphrase"],
	});
	await expect(check({ ...paths, passphrase: PASSPHRASE })).resolves.toBeUndefined();
	expect((await readCertificates({ ...paths, passphrase: PASSPHRASE })).passphrase).toBe(
		PASSPHRASE,
	);
});

test("no error contains the passphrase", async () => {
	const paths = await written();
	await encryptKey(paths, "pkcs8");
	const error: unknown = await check({ ...paths, passphrase: "hush-hush" }).catch(
		(thrown: unknown) => thrown,
	);
	const { message, hint, cause } = error as AiServerError;
	expect(`${message} ${hint} ${String(cause)}`).not.toContain("hush");
});

test("the error of an expired certificate has the date", async () => {
	const notAfter = new Date("2025-01-02T12:00:00Z");
	const paths = await written(
		await authority.client({ notBefore: new Date("2024-01-02"), notAfter }),
	);
	await expect(check(paths)).rejects.toMatchObject({
		code: "tls",
		message: "The client certificate expired on 2025-01-02",
		hint: expect.stringContaining(paths.cert),
	});
	await expect(check(paths, notAfter)).resolves.toBeUndefined();
	await expect(check(paths, new Date(notAfter.getTime() + 1000))).rejects.toThrow("expired");
});

test("the error of a certificate of the future has the date", async () => {
	const notBefore = new Date("2124-05-06T12:00:00Z");
	const paths = await written(
		await authority.client({ notBefore, notAfter: new Date("2125-01-01") }),
	);
	await expect(check(paths)).rejects.toMatchObject({
		code: "tls",
		message: "The client certificate is not valid before 2124-05-06",
		hint: expect.stringContaining("clock"),
	});
	await expect(check(paths, notBefore)).resolves.toBeUndefined();
	await expect(check(paths, new Date(notBefore.getTime() - HOUR))).rejects.toThrow(
		"not valid before",
	);
});

test("a certificate for servers only is refused", async () => {
	const paths = await written(await authority.client({ usage: ExtendedKeyUsage.serverAuth }));
	await expect(check(paths)).rejects.toMatchObject({
		code: "tls",
		message: "The client certificate is not issued for client authentication",
		hint: expect.stringContaining("clientAuth"),
	});
});

test("a certificate for any use is a certificate for clients", async () => {
	// anyExtendedKeyUsage (RFC 5280, 4.2.1.12): the Go TLS stack of Caddy lets it in.
	const any = "2.5.29.37.0" as ExtendedKeyUsage;
	const paths = await written(await authority.client({ usage: any }));
	await expect(check(paths)).resolves.toBeUndefined();
});

test("a certificate without extended key usage is accepted", async () => {
	const algorithm = { name: "ECDSA", namedCurve: "P-256" };
	const keys = await crypto.subtle.generateKey(algorithm, true, ["sign", "verify"]);
	const signingAlgorithm = { name: "ECDSA", hash: "SHA-256" };
	const bare = await X509CertificateGenerator.createSelfSigned({
		serialNumber: "01",
		name: "CN=bare",
		keys,
		signingAlgorithm,
		notBefore: new Date(Date.now() - HOUR),
		notAfter: new Date(Date.now() + HOUR),
	});
	const key = Buffer.from(await crypto.subtle.exportKey("pkcs8", keys.privateKey));
	const privateKey = createPrivateKey({ key, format: "der", type: "pkcs8" });
	const paths = await written({
		cert: bare.toString("pem"),
		key: privateKey.export({ type: "pkcs8", format: "pem" }).toString(),
	});
	expect(new X509Certificate(bare.toString("pem")).keyUsage).toBeUndefined();
	await expect(check(paths)).resolves.toBeUndefined();
});

interface Form {
	readonly form: string;
	readonly write: (paths: CertificatePaths, identity: Identity) => Promise<unknown>;
}

const FORMS: readonly Form[] = [
	{
		form: "a CA bundle",
		write: ({ ca }) => writeFile(ca, `# two\n${stranger.ca}\n# one\n${authority.ca}`),
	},
	{
		form: "a chain after the client certificate",
		write: ({ cert }, identity) => writeFile(cert, identity.cert + authority.ca),
	},
	{
		form: "certificate and key in both files",
		write: async ({ cert, key }, identity) => {
			await writeFile(cert, identity.cert + identity.key);
			await writeFile(key, identity.cert + identity.key);
		},
	},
	{
		form: "text before the certificate, as openssl prints it",
		write: ({ cert }, identity) => writeFile(cert, `Certificate:\n    Data:\n${identity.cert}`),
	},
	{
		form: "CRLF line ends",
		write: async ({ ca, cert, key }, identity) => {
			await writeFile(ca, authority.ca.replaceAll("\n", "\r\n"));
			await writeFile(cert, identity.cert.replaceAll("\n", "\r\n"));
			await writeFile(key, identity.key.replaceAll("\n", "\r\n"));
		},
	},
	{
		form: "a SEC1 key after its parameters, as openssl ecparam writes it",
		write: ({ key }, identity) =>
			writeFile(
				key,
				`-----BEGIN EC PARAMETERS-----\nBggqhkjOPQMBBw==\n-----END EC PARAMETERS-----\n${createPrivateKey(
					identity.key,
				)
					.export({ type: "sec1", format: "pem" })
					.toString()}`,
			),
	},
];

test.each(FORMS)("accepts $form", async ({ write }) => {
	const identity = await authority.client();
	const paths = await written(identity);
	await write(paths, identity);
	await expect(check(paths)).resolves.toBeUndefined();
});

test("a passphrase does no harm to a key that needs none", async () => {
	await expect(check({ ...(await written()), passphrase: PASSPHRASE })).resolves.toBeUndefined();
});

test.each(["ca", "cert", "key"] as const)("the version changes with the %s file", async (part) => {
	const paths = await written();
	const first = certificatesVersion(paths);
	expect(certificatesVersion(paths)).toBe(first);
	await writeFile(`${paths[part]}.new`, await readFile(paths[part])); // the same text
	await rename(`${paths[part]}.new`, paths[part]);
	const second = certificatesVersion(paths);
	expect(second).not.toBe(first);
	await rm(paths[part]);
	const third = certificatesVersion(paths);
	expect([first, second]).not.toContain(third);
	expect(certificatesVersion(paths)).toBe(third);
});
