import { generateKeyPairSync, type KeyPairKeyObjectResult } from "node:crypto";
import { mkdir, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { join } from "node:path";
import ssh2, { type ParsedKey } from "ssh2";
import { expect, onTestFinished, test } from "vitest";
import {
	arrangeLogin,
	type LoginSources,
	PassphraseNeeded,
} from "../../../../lib/ssh/login/identities.ts";
import { askAgent } from "../../../../lib/ssh/openssh/agent.ts";
import {
	embeddedPublicKey,
	type KeyFile,
	readKeyFiles,
} from "../../../../lib/ssh/openssh/key-files.ts";
import { keyPair, temporary } from "../../../support/ssh-rig.ts";

const { generateKeyPairSync: generateSshKeys, parseKey } = ssh2.utils;
const good = keyPair();
const encrypted = generateSshKeys("ecdsa", {
	bits: 256,
	passphrase: "open sesame",
	cipher: "aes256-cbc",
	rounds: 1,
});
const DEFAULTS = ["id_ed25519", "id_ecdsa", "id_rsa"];

async function files(
	texts: Readonly<Record<string, string>>,
	names: readonly string[] = DEFAULTS,
): Promise<readonly KeyFile[]> {
	const home = await temporary();
	await mkdir(join(home, ".ssh"));
	for (const [name, text] of Object.entries(texts)) await writeFile(join(home, ".ssh", name), text);
	const paths = names.map((name) => join(home, ".ssh", name));
	return readKeyFiles(paths, home, parseKey);
}

function keyOf(text: string): ParsedKey {
	const key = parseKey(text);
	if (key instanceof Error) throw key;
	return [key].flat()[0] as ParsedKey;
}

function arrange(sources: Partial<LoginSources>): ReturnType<typeof arrangeLogin> {
	return arrangeLogin({
		agent: undefined,
		files: [],
		identitiesOnly: false,
		unlocked: () => undefined,
		leftOut: () => undefined,
		...sources,
	});
}

function agentWith(...keys: readonly string[]): LoginSources["agent"] {
	return { keys: keys.map(keyOf), sign: async () => Buffer.from("of the agent") };
}

test("reads the key files that are there, in the given order and each once", async () => {
	const read = await files(
		{ id_rsa: good.private, id_ed25519: encrypted.private, other: good.private },
		[...DEFAULTS, "id_rsa"],
	);
	expect(read.map(({ label, secret }) => [label, secret.kind])).toEqual([
		["id_ed25519", "encrypted"],
		["id_rsa", "open"],
	]);
});

test("a key file elsewhere is named by its path", async () => {
	const home = await temporary();
	const path = join(home, "key");
	await writeFile(path, good.private);
	expect((await readKeyFiles([path], home, parseKey)).map(({ label }) => label)).toEqual([path]);
});

test.each([
	["an encrypted key", encrypted.private, "encrypted"],
	["garbage", "no key at all\n", "absent"],
	["an empty file", "", "absent"],
	["a public key", good.public, "absent"],
	["a private key", good.private, "open"],
])("recognizes %s", async (_what, text, kind) => {
	const [file] = await files({ id_rsa: text });
	expect(file?.secret.kind).toBe(kind);
});

test("a folder in a key file's place is passed over", async () => {
	const home = await temporary();
	await mkdir(join(home, ".ssh", "id_ed25519"), { recursive: true });
	expect(await readKeyFiles([join(home, ".ssh", "id_ed25519")], home, parseKey)).toEqual([]);
});

test("knows the public half of an encrypted key without its passphrase", async () => {
	const [alone] = await files({ id_rsa: encrypted.private });
	expect(alone?.publicKey?.getPublicSSH()).toEqual(keyOf(encrypted.public).getPublicSSH());
	const { privateKey }: KeyPairKeyObjectResult = generateKeyPairSync("rsa", {
		modulusLength: 2048,
	});
	const pem = privateKey.export({
		type: "pkcs1",
		format: "pem",
		cipher: "aes-256-cbc",
		passphrase: "x",
	}) as string;
	const [hidden] = await files({ id_rsa: pem });
	expect(hidden).toMatchObject({ publicKey: undefined, secret: { kind: "encrypted" } });
	const [published] = await files({ id_rsa: pem, "id_rsa.pub": good.public });
	expect(published?.publicKey?.getPublicSSH()).toEqual(keyOf(good.public).getPublicSSH());
});

test("a cut key file has no public half, wherever it is cut", () => {
	const body = encrypted.private.split("\n").slice(1, -2).join("");
	const bytes = Buffer.from(body, "base64");
	const armour = (data: Buffer): Buffer =>
		Buffer.from(
			`-----BEGIN OPENSSH PRIVATE KEY-----\n${data.toString("base64")}\n-----END OPENSSH PRIVATE KEY-----\n`,
		);
	const whole = embeddedPublicKey(armour(bytes));
	expect(whole).toEqual(keyOf(encrypted.public).getPublicSSH());
	const found = Array.from(bytes, (_byte, length) =>
		embeddedPublicKey(armour(bytes.subarray(0, length))),
	);
	for (const key of found) expect([undefined, whole]).toContainEqual(key);
	expect(found.slice(0, 100)).not.toContainEqual(whole);
});

test("offers the agent's keys first, the named ones among them before the others", async () => {
	const [named, other] = [keyPair(), keyPair()];
	const read = await files({ id_ecdsa: named.public, id_rsa: good.private });
	const agent = agentWith(other.private, named.private);
	const login = arrange({ agent, files: read });
	const order = login.identities.map(({ publicKey }) => publicKey.getPublicSSH());
	expect(order).toEqual([named, other, good].map((pair) => keyOf(pair.public).getPublicSSH()));
	expect(login.offered).toEqual(["agent", "id_rsa"]);
	expect(login.unusable).toEqual([]);
	expect(await login.identities[0]?.sign(Buffer.alloc(1), undefined)).toEqual(
		Buffer.from("of the agent"),
	);
});

test("IdentitiesOnly keeps the agent's other keys back", async () => {
	const named = keyPair();
	const read = await files({ id_ecdsa: named.public });
	const agent = agentWith(good.private, named.private);
	const login = arrange({ agent, files: read, identitiesOnly: true });
	expect(login.identities.map(({ publicKey }) => publicKey.getPublicSSH())).toEqual([
		keyOf(named.public).getPublicSSH(),
	]);
});

test("a key that the agent holds is not offered twice", async () => {
	const read = await files({ id_rsa: good.private });
	expect(arrange({ agent: agentWith(good.private), files: read }).offered).toEqual(["agent"]);
});

test.each([
	["garbage", "no key at all\n", "id_rsa (unknown format)"],
	["a public key that no agent has", good.public, "id_rsa (no private key)"],
])("leaves out %s with a reason", async (_what, text, why) => {
	const login = arrange({ files: await files({ id_rsa: text, id_ecdsa: good.private }) });
	expect(login).toMatchObject({ offered: ["id_ecdsa"], unusable: [why], hidden: [] });
});

test("an encrypted key is offered by its public half, and signs with a passphrase only", async () => {
	const read = await files({ id_rsa: encrypted.private });
	const login = arrange({ files: read });
	expect(login.offered).toEqual(["id_rsa"]);
	await expect(login.identities[0]?.sign(Buffer.alloc(1), undefined)).rejects.toBeInstanceOf(
		PassphraseNeeded,
	);
	const open = arrange({ files: read, unlocked: () => keyOf(good.private) });
	expect(await open.identities[0]?.sign(Buffer.alloc(1), undefined)).toBeInstanceOf(Buffer);
	const out = arrange({ files: read, leftOut: () => "encrypted" });
	expect(out).toMatchObject({ identities: [], offered: [], unusable: ["id_rsa (encrypted)"] });
});

test("an agent that cannot be used is named with the reason", () => {
	expect(arrange({ agent: "does not answer" })).toMatchObject({
		offered: [],
		unusable: ["agent (does not answer)"],
	});
});

test("an agent's socket that is not there is no agent", async () => {
	const folder = await temporary();
	const { createAgent } = ssh2;
	expect(await askAgent(undefined, createAgent, 1000)).toBeUndefined();
	expect(await askAgent(join(folder, "gone"), createAgent, 1000)).toBeUndefined();
	await writeFile(join(folder, "file"), "");
	expect(await askAgent(join(folder, "file"), createAgent, 1000)).toBe("does not answer");
});

test("an agent that hangs is given up", async () => {
	const path = join(await temporary(), "agent");
	const server = createServer((socket) => socket.on("error", () => undefined)).listen(path);
	onTestFinished(() => void server.close());
	expect(await askAgent(path, ssh2.createAgent, 50)).toBe("does not answer");
});
