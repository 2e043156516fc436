import { generateKeyPairSync as generateNodeKeys } from "node:crypto";
import { chmod, mkdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import ssh2, { type ParsedKey } from "ssh2";
import { expect, test } from "vitest";
import type { HostKeyQuestion } from "../../../../lib/ssh/types.ts";
import {
	client,
	keyPair,
	oneFile,
	readText,
	scripted,
	temporary,
} from "../../../support/ssh-rig.ts";

const { generateKeyPairSync, parseKey } = ssh2.utils;
const SECRET = "correct horse battery staple";

const encryptedPair = (): { private: string; public: string } =>
	generateKeyPairSync("ecdsa", {
		bits: 256,
		passphrase: SECRET,
		cipher: "aes256-cbc",
		rounds: 1,
	});

function blob(publicKey: string): Buffer {
	return ([parseKey(publicKey)].flat()[0] as ParsedKey).getPublicSSH();
}

const sftp = oneFile((answer) => answer());

test("asks about an unknown host key, records it and goes on", async () => {
	const { port, home, logins } = await scripted({ sftp });
	const file = join(home, ".ssh", "known_hosts");
	const line = await readFile(file, "utf8");
	await rm(file);
	const asked: HostKeyQuestion[] = [];
	const confirmHostKey = async (question: HostKeyQuestion): Promise<boolean> => {
		asked.push(question);
		expect(logins).toEqual([]); // nothing was sent that belongs to the user
		return true;
	};
	const ssh = client(home, port, { confirmHostKey });
	expect(await readText(ssh, "x")).toBe("hello");
	expect(asked).toEqual([
		{
			host: `[127.0.0.1]:${port}`,
			fingerprint: expect.stringMatching(/^SHA256:[\w+/]{43}$/),
			keyType: "ecdsa-sha2-nistp256",
			onlyAuthority: false,
		},
	]);
	expect((await readFile(file, "utf8")).trim()).toBe(line.trim().split(" ").slice(0, 3).join(" "));
	expect((await stat(file)).mode & 0o777).toBe(0o600);
	ssh.close();
	expect(await readText(client(home, port), "x")).toBe("hello");
});

test("a new .ssh is for the user alone, and the last line of an old file is kept whole", async () => {
	const { port, home } = await scripted({ sftp });
	const own = await temporary();
	const confirmHostKey = async (): Promise<boolean> => true;
	const options = { confirmHostKey, systemKnownHosts: join(own, "none") };
	await expect(readText(client(own, port, options), "x")).rejects.toThrow(/no key to offer/);
	expect((await stat(join(own, ".ssh"))).mode & 0o777).toBe(0o700);

	const file = join(home, ".ssh", "known_hosts");
	await writeFile(file, "other ssh-ed25519 AAAA");
	expect(await readText(client(home, port, options), "x")).toBe("hello");
	expect(await readFile(file, "utf8")).toMatch(
		/^other ssh-ed25519 AAAA\n\[127\.0\.0\.1\]:\d+ ecdsa-sha2-nistp256 \S+\n$/,
	);
});

test.each<readonly [string, () => Promise<unknown>]>([
	["no", async () => false],
	["nothing", async () => undefined],
	["null", async () => null],
	["a word", async () => "yes"],
	["a one", async () => 1],
])("pitfall 0.6: the answer %s accepts no unknown host key", async (_what, answer) => {
	const { port, home, logins } = await scripted({ sftp });
	const file = join(home, ".ssh", "known_hosts");
	await writeFile(file, "");
	const confirmHostKey = answer as () => Promise<boolean>;
	await expect(readText(client(home, port, { confirmHostKey }), "x")).rejects.toMatchObject({
		code: "ssh",
		message: expect.stringMatching(/^The host key of .* is unknown: SHA256:/),
	});
	expect(logins).toEqual([]);
	expect(await readFile(file, "utf8")).toBe("");
});

test("pitfall 0.6: a question that fails accepts no unknown host key", async () => {
	const { port, home, logins } = await scripted({ sftp });
	await writeFile(join(home, ".ssh", "known_hosts"), "");
	const gone = new Error("the dialog is gone");
	const confirmHostKey = (): Promise<boolean> => Promise.reject(gone);
	await expect(readText(client(home, port, { confirmHostKey }), "x")).rejects.toBe(gone);
	expect(logins).toEqual([]);
});

test.each([
	["changed", (line: string) => line.replace(/\S+$/, blob(keyPair().public).toString("base64"))],
	["revoked", (line: string) => `@revoked ${line}`],
])("no question is asked about a key that is %s", async (what, spoil) => {
	const { port, home, logins } = await scripted({ sftp });
	const file = join(home, ".ssh", "known_hosts");
	const line = (await readFile(file, "utf8")).trim().split(" ").slice(0, 3).join(" ");
	await writeFile(file, spoil(line));
	const confirmHostKey = (): Promise<boolean> => Promise.reject(new Error("asked"));
	await expect(readText(client(home, port, { confirmHostKey }), "x")).rejects.toThrow(what);
	expect(logins).toEqual([]);
});

test("the question mentions an authority, which is not supported", async () => {
	const { port, home } = await scripted({ sftp });
	const name = `[127.0.0.1]:${port}`;
	const asked: HostKeyQuestion[] = [];
	const confirmHostKey = async (question: HostKeyQuestion): Promise<boolean> => {
		asked.push(question);
		return false;
	};
	const file = join(home, ".ssh", "known_hosts");
	await writeFile(file, `@cert-authority ${name} ${keyPair().public}\n`);
	await expect(readText(client(home, port, { confirmHostKey }), "x")).rejects.toMatchObject({
		hint: expect.stringContaining("@cert-authority for it, which is not supported"),
	});
	expect(asked).toMatchObject([{ onlyAuthority: true }]);
});

test("a host that is known by a key of another type only has changed, as ssh sees it", async () => {
	const rsa = generateKeyPairSync("rsa", { bits: 2048 });
	const { port, home } = await scripted({ sftp, known: rsa.public });
	const confirmHostKey = (): Promise<boolean> => Promise.reject(new Error("asked"));
	await expect(readText(client(home, port, { confirmHostKey }), "x")).rejects.toThrow(
		/has changed: it is SHA256:\S+, recorded is SHA256:\S+ \(ssh-rsa, /,
	);
});

test("a key that cannot be recorded counts for this process, and is noted", async () => {
	const { port, home } = await scripted({ sftp });
	const file = join(home, ".ssh", "known_hosts");
	await rm(file);
	await mkdir(file);
	const notes: string[] = [];
	let asked = 0;
	const ssh = client(home, port, {
		confirmHostKey: async () => {
			asked += 1;
			return true;
		},
		onNote: (note) => notes.push(note),
	});
	expect(await readText(ssh, "x")).toBe("hello");
	ssh.close();
	expect(await readText(ssh, "x")).toBe("hello");
	expect(asked).toBe(1);
	expect(notes).toContainEqual(
		expect.stringMatching(/^The host key of \[127.* is accepted but could not be recorded: EISDIR/),
	);
	await expect(readText(client(home, port), "x")).rejects.toThrow("is unknown");
});

interface Asked {
	readonly paths: readonly (readonly [path: string, attempt: number])[];
	readonly askPassphrase: (path: string, attempt: number) => Promise<string | undefined>;
}

/** Answers each question about a passphrase with the next of these. */
function answering(...answers: readonly (string | undefined)[]): Asked {
	const paths: (readonly [string, number])[] = [];
	const askPassphrase = async (path: string, attempt: number): Promise<string | undefined> => {
		paths.push([path.split("/").at(-1) ?? "", attempt]);
		return answers[paths.length - 1];
	};
	return { paths, askPassphrase };
}

test("asks for the passphrase of the key that the server takes, and once", async () => {
	const [wrong, right] = [encryptedPair(), encryptedPair()];
	const { port, home, logins } = await scripted({
		sftp,
		allows: (key) => key.equals(blob(right.public)),
	});
	await writeFile(join(home, ".ssh", "id_ed25519"), wrong.private);
	await writeFile(join(home, ".ssh", "id_rsa"), right.private);
	const { paths, askPassphrase } = answering(SECRET);
	const ssh = client(home, port, { askPassphrase });
	expect(await readText(ssh, "x")).toBe("hello");
	ssh.close();
	expect(await readText(ssh, "x")).toBe("hello");
	expect(paths).toEqual([["id_rsa", 1]]);
	expect(logins).toHaveLength(2);
});

test("an encrypted key that the server does not take needs no passphrase", async () => {
	const open = keyPair();
	const { port, home } = await scripted({
		sftp,
		allows: (key) => key.equals(blob(open.public)),
	});
	await writeFile(join(home, ".ssh", "id_ed25519"), encryptedPair().private);
	await writeFile(join(home, ".ssh", "id_rsa"), open.private);
	const { paths, askPassphrase } = answering();
	expect(await readText(client(home, port, { askPassphrase }), "x")).toBe("hello");
	expect(paths).toEqual([]);
});

test("a wrong passphrase is asked for again, three times at most, and never shown", async () => {
	const pair = encryptedPair();
	const { port, home, logins } = await scripted({ sftp });
	await writeFile(join(home, ".ssh", "id_ed25519"), pair.private);
	const second = answering("hunter2", SECRET);
	expect(await readText(client(home, port, second), "x")).toBe("hello");
	expect(second.paths).toEqual([
		["id_ed25519", 1],
		["id_ed25519", 2],
	]);
	expect(logins).toHaveLength(1);

	const never = answering("hunter2", "hunter3", "hunter4", SECRET);
	const failure: unknown = await client(home, port, never)
		.readFile("x", { maxBytes: 10 })
		.catch((error: unknown) => error);
	expect(failure).toMatchObject({
		code: "ssh",
		message:
			"The SSH server refused the login of demo@127.0.0.1 (no key to offer; not usable: id_ed25519 (encrypted, wrong passphrase))",
	});
	expect(never.paths).toHaveLength(3);
	const text = JSON.stringify(failure, Object.getOwnPropertyNames(failure));
	expect(text).not.toMatch(/hunter|staple/);
});

test("without an answer the key is skipped, and the others are tried", async () => {
	const open = keyPair();
	let allowed: readonly Buffer[] = [];
	const { port, home } = await scripted({
		sftp,
		allows: (key) => allowed.some((known) => known.equals(key)),
	});
	const locked = encryptedPair();
	await writeFile(join(home, ".ssh", "id_ed25519"), locked.private);
	await writeFile(join(home, ".ssh", "id_rsa"), open.private);
	allowed = [blob(locked.public), blob(open.public)];
	const { paths, askPassphrase } = answering(undefined);
	expect(await readText(client(home, port, { askPassphrase }), "x")).toBe("hello");
	expect(paths).toEqual([["id_ed25519", 1]]);
	allowed = [blob(locked.public)];
	await expect(readText(client(home, port, answering(undefined)), "x")).rejects.toThrow(
		"(offered: id_rsa; not usable: id_ed25519 (encrypted, no passphrase given))",
	);
});

test("a key whose public half is unknown is asked for when all others were refused", async () => {
	const { privateKey } = generateNodeKeys("rsa", { modulusLength: 2048 });
	const pem = privateKey.export({
		type: "pkcs1",
		format: "pem",
		cipher: "aes-256-cbc",
		passphrase: SECRET,
	}) as string;
	const wanted = blob(privateKey.export({ type: "pkcs1", format: "pem" }) as string);
	const { port, home } = await scripted({ sftp, allows: (key) => key.equals(wanted) });
	await writeFile(join(home, ".ssh", "id_ecdsa"), pem);
	await writeFile(join(home, ".ssh", "id_rsa"), keyPair().private);
	const { paths, askPassphrase } = answering("wrong", SECRET);
	expect(await readText(client(home, port, { askPassphrase }), "x")).toBe("hello");
	expect(paths).toEqual([
		["id_ecdsa", 1],
		["id_ecdsa", 2],
	]);
});

test("a key that changed on the disk is asked for anew", async () => {
	const { port, home } = await scripted({ sftp });
	const file = join(home, ".ssh", "id_ed25519");
	await writeFile(file, encryptedPair().private);
	const { paths, askPassphrase } = answering(SECRET, SECRET);
	const ssh = client(home, port, { askPassphrase });
	await readText(ssh, "x");
	await writeFile(file, encryptedPair().private);
	await chmod(file, 0o600);
	ssh.close();
	await readText(ssh, "x");
	expect(paths).toHaveLength(2);
});
