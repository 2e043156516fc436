// npm run certs -- <folder> <name>: certificates for a server and its clients, without openssl.
// The first run makes a CA, a server certificate for the host <name> and a first client; every
// further run one more client called <name>. Nothing that is there is ever overwritten.
import { execFile } from "node:child_process";
import { access, mkdir, readFile, writeFile } from "node:fs/promises";
import { isIP } from "node:net";
import { join } from "node:path";
import { promisify } from "node:util";
import { createRoot, ExtendedKeyUsage, type Identity, openIssuer, validFor } from "./issuer.ts";

const ROOT_NAME = "ai-server root CA";
const DAYS = { root: 3650, server: 397, client: 180 } as const;
const ROOT = { cert: "root-ca.pem", key: "root-ca.key" } as const;
const FIRST_CLIENT = "client";

/** A file that is to be made. */
interface Made {
	readonly name: string;
	readonly content: string | Buffer;
	/** For its owner only. */
	readonly secret: boolean;
}

const [folder, name, ...more] = process.argv.slice(2);
if (folder === undefined || name === undefined || more.length > 0) {
	fail("Usage: npm run certs -- <folder> <name of the server, or of a further client>");
} else {
	await run(folder, name, new Date()).catch((error: unknown) => {
		fail(error instanceof Error ? error.message : String(error));
	});
}

async function run(folder: string, name: string, now: Date): Promise<void> {
	const has = (file: string): Promise<boolean> => exists(join(folder, file));
	const [hasRoot, hasKey] = await Promise.all([has(ROOT.cert), has(ROOT.key)]);
	if (hasRoot !== hasKey) {
		const [there, missing] = hasRoot ? [ROOT.cert, ROOT.key] : [ROOT.key, ROOT.cert];
		throw new Error(`${folder} has ${there} but not ${missing}; run this where both are`);
	}
	const needsServer = !(await has("server.pem"));
	const client = needsServer ? FIRST_CLIENT : name;
	const needsClient = !needsServer || !(await has(`${client}.pem`));
	if (needsServer) checkHost(name);
	else checkClient(name);

	const root = hasRoot
		? await readIdentity(folder)
		: await createRoot(ROOT_NAME, validFor(DAYS.root, now));
	const issuer = await openIssuer(root, now);
	const made: Made[] = [];
	if (!hasRoot) made.push(...pair(ROOT, root));
	if (needsServer) {
		const identity = await issuer.issue({
			subject: name,
			usage: ExtendedKeyUsage.serverAuth,
			validity: validFor(DAYS.server, now),
			hosts: [name],
		});
		made.push(...pair(filesOf("server"), identity));
	}
	if (needsClient) {
		const identity = await issuer.issue({
			subject: client,
			usage: ExtendedKeyUsage.clientAuth,
			validity: validFor(DAYS.client, now),
		});
		made.push(...pair(filesOf(client), identity));
	}

	for (const file of made) {
		if (await has(file.name)) throw new Error(`${join(folder, file.name)} already exists`);
	}
	await mkdir(folder, { recursive: true, mode: 0o700 });
	for (const file of made) await put(folder, file);
	if (needsClient) await putBundle(folder, client);
}

/** The form for browsers: one file with certificate, key and CA. Its password is empty. */
async function putBundle(folder: string, client: string): Promise<void> {
	const { cert, key } = filesOf(client);
	const args = ["pkcs12", "-export", "-name", client, "-in", cert, "-inkey", key];
	const all = [...args, "-certfile", ROOT.cert, "-passout", "pass:"];
	try {
		const options = { cwd: folder, encoding: "buffer" } as const;
		const { stdout } = await promisify(execFile)("openssl", all, options);
		await put(folder, { name: `${client}.p12`, content: stdout, secret: true });
	} catch (error) {
		if (error instanceof Error && "code" in error && error.code === "EEXIST") throw error;
		console.log(
			`\n${client}.p12, which only browsers need, was not made: openssl is not available.`,
		);
		console.log(`To make it: openssl ${all.join(" ")} -out ${client}.p12`);
	}
}

async function put(folder: string, { name, content, secret }: Made): Promise<void> {
	const path = join(folder, name);
	await writeFile(path, content, { flag: "wx", mode: secret ? 0o600 : 0o644 });
	console.log(secret ? `${path} (keep it secret)` : path);
}

function pair(files: { readonly cert: string; readonly key: string }, identity: Identity): Made[] {
	return [
		{ name: files.cert, content: identity.cert, secret: false },
		{ name: files.key, content: identity.key, secret: true },
	];
}

function filesOf(stem: string): { readonly cert: string; readonly key: string } {
	return { cert: `${stem}.pem`, key: `${stem}-key.pem` };
}

async function readIdentity(folder: string): Promise<Identity> {
	const [cert, key] = await Promise.all([
		readFile(join(folder, ROOT.cert), "utf8"),
		readFile(join(folder, ROOT.key), "utf8"),
	]);
	return { cert, key };
}

function checkHost(host: string): void {
	if (isIP(host) !== 0) {
		throw new Error(
			"Give the server's name, not its address: Caddy does not serve an address with mTLS",
		);
	}
	const label = "[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?";
	if (new RegExp(`^${label}(?:\\.${label})*$`, "i").test(host)) return;
	throw new Error(`${JSON.stringify(host)} is not a host name such as ai.example.net`);
}

function checkClient(client: string): void {
	if (
		/^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$/.test(client) &&
		!/^(?:server|root-ca)$|-key$/.test(client)
	)
		return;
	throw new Error(`${JSON.stringify(client)} cannot name a client; use letters and digits`);
}

async function exists(path: string): Promise<boolean> {
	return access(path).then(
		() => true,
		() => false,
	);
}

function fail(message: string): void {
	console.error(message);
	process.exitCode = 1;
}
