import { X509Certificate } from "node:crypto";
import { copyFile, mkdir, readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { ask, CADDYS, inFolder, type RunningCaddy, scratch, startCaddy } from "../support/caddy.ts";
import { block } from "../support/document.ts";
import { ROOT } from "../support/pi.ts";
import { findProgram, type Ran, run } from "../support/programs.ts";

const HOST = "ai.shahondin1624.de";
const openssl = findProgram("openssl");

let place: Awaited<ReturnType<typeof scratch>>;
let made: string;
beforeEach(async () => {
	place = await scratch();
	made = join(place.folder, "made");
	await mkdir(made);
});
afterEach(() => place.remove());

function npmCerts(
	folder: string,
	name: string,
	env: NodeJS.ProcessEnv = process.env,
): Promise<Ran> {
	return run(process.execPath, [join(ROOT, "scripts/certs.ts"), folder, name], { env });
}

async function shell(text: string): Promise<void> {
	const { code, stderr } = await run("sh", ["-eu", "-c", text], { cwd: made });
	if (code !== 0) throw new Error(stderr);
}

/** CA, server, "client" and "phone", with the blocks of the page unchanged. */
async function withOpenssl(): Promise<void> {
	for (const name of ["certs-ca", "certs-server", "certs-client"]) await shell(await block(name));
	await shell((await block("certs-client")).replace("CLIENT=client", "CLIENT=phone"));
}

async function withNpm(): Promise<void> {
	for (const name of [HOST, "phone"]) {
		const { code, stderr } = await npmCerts(made, name);
		if (code !== 0) throw new Error(stderr);
	}
}

/** The CA by openssl, the rest by npm: two tools must agree on names and identifiers. */
async function withBoth(): Promise<void> {
	await shell(await block("certs-ca"));
	await withNpm();
}

const WAYS = [
	["openssl", withOpenssl],
	["npm run certs", withNpm],
	["a CA of openssl, the rest by npm run certs", withBoth],
] as const;

async function certificate(name: string): Promise<X509Certificate> {
	return new X509Certificate(await readFile(join(made, `${name}.pem`)));
}

const days = ({ validFromDate, validToDate }: X509Certificate): number =>
	Math.round((validToDate.getTime() - validFromDate.getTime()) / 86_400_000);

test.skipIf(openssl === undefined).each(WAYS)(
	"%s: usages, names, lifetimes and modes",
	async (_, make) => {
		await make();
		const [root, server, client] = await Promise.all(
			["root-ca", "server", "client"].map(certificate),
		);
		expect([root?.ca, server?.ca, client?.ca]).toEqual([true, false, false]);
		expect(server?.keyUsage).toEqual(["1.3.6.1.5.5.7.3.1"]);
		expect(client?.keyUsage).toEqual(["1.3.6.1.5.5.7.3.2"]);
		expect(server?.subjectAltName).toBe(`DNS:${HOST}`);
		expect([root, server, client].map((each) => each && days(each))).toEqual([3650, 397, 180]);
		expect(root?.publicKey.asymmetricKeyDetails).toEqual({ namedCurve: "prime256v1" });
		expect(client?.publicKey.asymmetricKeyDetails).toEqual({ namedCurve: "prime256v1" });

		const verify = (purpose: string, name: string): Promise<Ran> => {
			const args = ["verify", "-x509_strict", "-CAfile", "root-ca.pem", "-purpose", purpose];
			return run("openssl", [...args, `${name}.pem`], { cwd: made });
		};
		expect(await verify("sslserver", "server")).toMatchObject({ stdout: "server.pem: OK\n" });
		expect(await verify("sslclient", "phone")).toMatchObject({ stdout: "phone.pem: OK\n" });
		expect((await verify("sslserver", "phone")).code).not.toBe(0);

		const secret = (await readdir(made)).filter((name) => /key|p12/.test(name));
		expect(secret.toSorted()).toEqual([
			"client-key.pem",
			"client.p12",
			"phone-key.pem",
			"phone.p12",
			"root-ca.key",
			"server-key.pem",
		]);
		for (const name of secret) expect((await stat(join(made, name))).mode & 0o077, name).toBe(0);
	},
);

test("npm run certs never overwrites a file and leaves no half of a pair", async () => {
	await withNpm();
	const before = await readFile(join(made, "phone-key.pem"), "utf8");
	const again = await npmCerts(made, "phone");
	expect(again).toMatchObject({ code: 1, stderr: `${made}/phone.pem already exists\n` });
	expect(await readFile(join(made, "phone-key.pem"), "utf8")).toBe(before);

	await rm(join(made, "phone.pem"));
	expect(await npmCerts(made, "phone")).toMatchObject({ code: 1 });
	expect(await readdir(made)).not.toContain("phone.pem");

	await rm(join(made, "root-ca.key"));
	const keyless = await npmCerts(made, "tablet");
	expect(keyless.stderr).toBe(
		`${made} has root-ca.pem but not root-ca.key; run this where both are\n`,
	);
});

test("npm run certs renews the server's certificate once the old pair is moved away", async () => {
	await withNpm();
	const old = await certificate("server");
	await Promise.all(["server.pem", "server-key.pem"].map((name) => rm(join(made, name))));
	expect(await npmCerts(made, HOST)).toMatchObject({
		code: 0,
		stdout: `${made}/server.pem\n${made}/server-key.pem (keep it secret)\n`,
	});
	const renewed = await certificate("server");
	expect(renewed.checkIssued(await certificate("root-ca"))).toBe(true);
	expect(renewed.serialNumber).not.toBe(old.serialNumber);
});

test("npm run certs without openssl makes everything except the bundle, and prints the command for it", async () => {
	const { code, stdout } = await npmCerts(made, HOST, { PATH: "/nonexistent" });
	expect(code).toBe(0);
	expect(stdout).toContain("openssl pkcs12 -export -name client -in client.pem");
	expect((await readdir(made)).toSorted()).toEqual([
		"client-key.pem",
		"client.pem",
		"root-ca.key",
		"root-ca.pem",
		"server-key.pem",
		"server.pem",
	]);
});

test.each([
	[
		"192.168.2.2",
		"Give the server's name, not its address: Caddy does not serve an address with mTLS",
	],
	["https://ai.example.net", '"https://ai.example.net" is not a host name such as ai.example.net'],
	["-x", '"-x" is not a host name such as ai.example.net'],
])("npm run certs refuses the host %s", async (name, words) => {
	expect(await npmCerts(made, name)).toMatchObject({ code: 1, stderr: `${words}\n` });
	expect(await readdir(made)).toEqual([]);
});

test.each(["../phone", "server", "client-key", "-x", ""])(
	"npm run certs refuses the client name %j",
	async (name) => {
		await withNpm();
		const before = await readdir(made);
		expect((await npmCerts(made, name)).code).toBe(1);
		expect(await readdir(made)).toEqual(before);
	},
);

test.skipIf(openssl === undefined).each([
	["RSA 4096", "-newkey rsa:4096", ""],
	["EC P-384", "-newkey ec -pkeyopt ec_paramgen_curve:P-384", ""],
])("npm run certs signs with an old CA: %s", async (_, key) => {
	const subject = "/CN=ShahODin Root CA/O=ShahODin/C=DE";
	await shell(
		`openssl req -x509 ${key} -nodes -days 90 -keyout root-ca.key -out root-ca.pem -subj "${subject}" 2>&1`,
	);
	await withNpm();
	const [root, phone] = await Promise.all([certificate("root-ca"), certificate("phone")]);
	expect(phone.checkIssued(root) && phone.verify(root.publicKey)).toBe(true);
	expect(phone.validToDate).toEqual(root.validToDate);
});

test.skipIf(openssl === undefined)(
	"npm run certs refuses a foreign or encrypted CA key",
	async () => {
		await withNpm();
		const encrypt =
			"openssl pkey -aes256 -passout pass:x -in root-ca.key -out e && mv e root-ca.key";
		await shell(encrypt);
		expect((await npmCerts(made, "tablet")).stderr).toContain("The key of the CA is encrypted");
		await copyFile(join(made, "phone-key.pem"), join(made, "root-ca.key"));
		expect((await npmCerts(made, "tablet")).stderr).toBe(
			"The key does not belong to the CA's certificate\n",
		);
	},
);

const nss = findProgram("pk12util") !== undefined && findProgram("certutil") !== undefined;
test.skipIf(!nss || openssl === undefined).each(WAYS)(
	"NSS imports the bundle and the CA: %s",
	async (_, make) => {
		await make();
		const database = join(made, ".var/app/com.brave.Browser/.pki/nssdb");
		await mkdir(database, { recursive: true });
		await run("certutil", ["-N", "-d", `sql:${database}`, "--empty-password"]);
		await shell(`HOME=${made}\n${await block("flatpak-nss")}`);
		const { stdout } = await run("certutil", ["-L", "-d", `sql:${database}`]);
		expect(stdout).toMatch(/^client +u,u,u *$/m);
		expect(stdout).toMatch(/^(?:ShahODin Root CA - ShahODin|ai-server root CA) +CT,, *$/m);
		await shell(`certutil -A -d sql:${database} -n server -t ,, -i server.pem`);
		for (const [usage, name] of [
			["V", "server"],
			["C", "client"],
		] as const) {
			const args = ["-V", "-u", usage, "-n", name, "-d", `sql:${database}`];
			expect((await run("certutil", args)).stdout).toContain("certificate is valid");
		}
	},
);

test("the policy has the form that Chromium reads: JSON with JSON in it", async () => {
	const policy = JSON.parse(await block("policy")) as { AutoSelectCertificateForUrls: string[] };
	const [entry = ""] = policy.AutoSelectCertificateForUrls;
	const { pattern, filter } = JSON.parse(entry) as { pattern: string; filter: object };
	expect(pattern).toBe(`https://${HOST}`);
	const [, subject] = /-subj "\/CN=([^/]+)/.exec(await block("certs-ca")) ?? [];
	expect(filter).toEqual({ ISSUER: { CN: subject } });
});

/** A caddy with one of the document's Caddyfiles, in front of a server that answers every request. */
async function caddyWith(
	caddy: string,
	text: string,
	use: (running: RunningCaddy, configured: string) => Promise<void>,
): Promise<void> {
	const upstream: Server = createServer((_, response) => response.end("ok"));
	await new Promise<void>((resolve) => upstream.listen(0, "127.0.0.1", resolve));
	const configured = inFolder(text, place.folder, (upstream.address() as AddressInfo).port);
	const running = await startCaddy(caddy, configured, place.folder);
	try {
		await use(running, configured);
	} finally {
		await running.stop();
		upstream.close();
	}
}

/** What the table "Where each file goes" puts on the Caddy host; neither a client's key nor the CA's. */
async function toCaddyHost(clients: readonly string[]): Promise<void> {
	const certs = join(place.folder, "certs");
	await mkdir(join(certs, "clients"), { recursive: true });
	for (const name of ["root-ca.pem", "server.pem", "server-key.pem"]) {
		await copyFile(join(made, name), join(certs, name));
	}
	for (const name of clients) {
		await copyFile(join(made, `${name}.pem`), join(certs, "clients", `${name}.pem`));
	}
}

const askAs = (client: string | undefined): Promise<number | "refused"> =>
	ask(place.folder, HOST, {
		ca: join(made, "root-ca.pem"),
		client: client === undefined ? undefined : join(made, client),
	});

async function knowsTrustPool(caddy: string): Promise<boolean> {
	return (await run(caddy, ["list-modules"])).stdout.includes("tls.ca_pool.source.file");
}

const CASES = CADDYS.flatMap((caddy) => WAYS.map(([way, make]) => [caddy, way, make] as const));

test.skipIf(CASES.length === 0 || openssl === undefined).each(CASES)(
	"%s, Caddyfile of 2.6, %s: the listed client is accepted until its line is removed",
	async (caddy, _, make) => {
		await make();
		await toCaddyHost(["client", "phone"]);
		const line = /^.*trusted_leaf_cert_file.*$/m;
		const one = await block("caddy-2.6");
		const two = one.replace(line, (text) => `${text}\n${text.replace("client.pem", "phone.pem")}`);
		await caddyWith(caddy, two, async ({ reload }, configured) => {
			expect([await askAs("client"), await askAs("phone")]).toEqual([200, 200]);
			expect([await askAs(undefined), await askAs("server")]).toEqual(["refused", "refused"]);
			const revoked = configured.replace(/^.*phone\.pem.*\n/m, "");
			expect((await reload(revoked, "--force")).code).toBe(0);
			expect([await askAs("client"), await askAs("phone")]).toEqual([200, "refused"]);

			// The two traps that the page warns of.
			await rm(join(place.folder, "certs/clients/client.pem"));
			expect((await reload(undefined, "--force")).code).toBe(1);
			expect(await askAs("client")).toBe(200);
			expect((await reload(revoked.replace(line, ""), "--force")).code).toBe(0);
			expect(await askAs("phone")).toBe(200);
		});
	},
);

test.skipIf(CASES.length === 0 || openssl === undefined).each(CASES)(
	"%s, Caddyfile of 2.8, %s: the client is accepted while its file is in the folder",
	async (caddy, _, make) => {
		await make();
		await toCaddyHost(["client", "phone"]);
		const text = await block("caddy-2.8");
		if (!(await knowsTrustPool(caddy))) {
			await expect(caddyWith(caddy, text, async () => undefined)).rejects.toThrow(
				"unknown subdirective for client_auth: trust_pool",
			);
			return;
		}
		await caddyWith(caddy, text, async ({ reload }) => {
			expect([await askAs("client"), await askAs("phone")]).toEqual([200, 200]);
			expect([await askAs(undefined), await askAs("server")]).toEqual(["refused", "refused"]);
			await rm(join(place.folder, "certs/clients/phone.pem"));
			expect((await reload()).code).toBe(0);
			expect(await askAs("phone")).toBe(200);
			expect((await reload(undefined, "--force")).code).toBe(0);
			expect([await askAs("client"), await askAs("phone")]).toEqual([200, "refused"]);
			await rm(join(place.folder, "certs/clients/client.pem"));
			expect((await reload(undefined, "--force")).code).toBe(0);
			expect([await askAs("client"), await askAs("phone")]).toEqual(["refused", "refused"]);
		});
	},
);

test.skipIf(CADDYS.length === 0).each(CADDYS)(
	"%s: without a list, deleting a client's file revokes nothing",
	async (caddy) => {
		await withNpm();
		await toCaddyHost(["phone"]);
		const text = (await block("caddy-2.6")).replace(/^.*trusted_leaf_cert_file.*\n/m, "");
		await caddyWith(caddy, text, async ({ reload }) => {
			await rm(join(place.folder, "certs/clients/phone.pem"));
			expect((await reload(undefined, "--force")).code).toBe(0);
			expect(await askAs("phone")).toBe(200);
		});
	},
);

test.skipIf(CADDYS.length === 0).each(CADDYS)(
	"%s: a reload takes a renewed server certificate only with --force",
	async (caddy) => {
		await withNpm();
		await toCaddyHost(["client"]);
		await caddyWith(caddy, await block("caddy-2.6"), async ({ reload }) => {
			const other = join(place.folder, "other");
			expect((await npmCerts(other, HOST)).code).toBe(0);
			for (const name of ["server.pem", "server-key.pem"]) {
				await writeFile(join(place.folder, "certs", name), await readFile(join(other, name)));
			}
			const files = { ca: join(other, "root-ca.pem"), client: join(made, "client") };
			const unknown = expect.objectContaining({ code: "UNABLE_TO_VERIFY_LEAF_SIGNATURE" });
			expect((await reload()).code).toBe(0);
			await expect(ask(place.folder, HOST, files)).rejects.toEqual(unknown);
			expect((await reload(undefined, "--force")).code).toBe(0);
			expect(await ask(place.folder, HOST, files)).toBe(200);
		});
	},
);
