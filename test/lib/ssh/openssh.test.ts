import { execFile } from "node:child_process";
import { appendFile, mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { expect, onTestFinished, test } from "vitest";
import { createSsh, type SshOptions } from "../../../lib/ssh/connection.ts";
import { NoSftpError } from "../../../lib/ssh/errors.ts";
import { parseSshTarget } from "../../../lib/ssh/openssh/target.ts";
import type { Ssh } from "../../../lib/ssh/types.ts";
import { readText, temporary } from "../../support/ssh-rig.ts";
import {
	findOpenSsh,
	makeKey,
	type SshAgent,
	type Sshd,
	type SshdOptions,
	startAgent,
	startSshd,
} from "../../support/sshd.ts";

const run = promisify(execFile);
const found = await findOpenSsh();
/** Against a real OpenSSH server, and its client's reading of the config. */
const real = test.skipIf(found === undefined);

async function server(options: SshdOptions = {}): Promise<Sshd> {
	const sshd = await startSshd(found?.sshd ?? "", options);
	onTestFinished(() => sshd.close());
	return sshd;
}

interface Place {
	readonly home: string;
	/** A file in its .ssh. */
	file(name: string): string;
	/** Appends to known_hosts: the given host keys, as "host type base64". */
	know(...lines: readonly string[]): Promise<void>;
	config(...lines: readonly string[]): Promise<void>;
	open(target: string, options?: Partial<SshOptions>): Ssh;
}

async function place(): Promise<Place> {
	const home = await temporary();
	await mkdir(join(home, ".ssh"), { mode: 0o700 });
	const file = (name: string): string => join(home, ".ssh", name);
	return {
		home,
		file,
		know: (...lines) => appendFile(file("known_hosts"), lines.map((line) => `${line}\n`).join("")),
		config: (...lines) => writeFile(file("config"), lines.map((line) => `${line}\n`).join("")),
		open(target, options = {}) {
			const ssh = createSsh({
				target: parseSshTarget(target),
				home,
				env: {},
				localUser: "nobody",
				systemKnownHosts: file("system_known_hosts"),
				...options,
			});
			onTestFinished(() => ssh.close());
			return ssh;
		},
	};
}

async function agent(folder: string): Promise<SshAgent> {
	const started = await startAgent(folder);
	onTestFinished(() => started.close());
	return started;
}

const named = ({ port }: Sshd): string => `[127.0.0.1]:${port}`;

/** A server that knows the key in ~/.ssh/id_ed25519, and is known itself. */
async function ready(options: SshdOptions = {}): Promise<Place & { readonly sshd: Sshd }> {
	const [sshd, own] = await Promise.all([server(options), place()]);
	await sshd.authorize(await makeKey(own.file("id_ed25519")));
	await own.know(`${named(sshd)} ${await sshd.hostKey("ed25519")}`);
	return { ...own, sshd };
}

const address = ({ user, port }: Sshd): string => `${user}@127.0.0.1:${port}`;

real("runs commands in the login shell and reports how they end", async () => {
	const { sshd, open } = await ready();
	const ssh = open(address(sshd));
	expect(await ssh.exec("cat; echo né; echo warned >&2; exit 5")).toEqual({
		code: 5,
		signal: undefined,
		stdout: "né\n",
		stderr: "warned\n",
	});
	expect(await ssh.exec("kill -9 $$")).toMatchObject({ code: undefined, signal: "SIGKILL" });
	expect(await ssh.exec("/nonexistent")).toMatchObject({ code: 127 });
	await expect(ssh.exec("sleep 60", { deadlineMs: 100 })).rejects.toMatchObject({
		code: "timeout",
	});
	expect(await ssh.exec("true")).toMatchObject({ code: 0 });
	await expect.poll(() => sshd.logins()).toBe(1);
});

real("a connection cut under a command rejects, and the next one logs in again", async () => {
	const { sshd, open, home } = await ready();
	const ssh = open(address(sshd));
	const fifo = join(home, "started");
	await run("mkfifo", [fifo]);
	const rejected = expect(ssh.exec(`echo > '${fifo}'; sleep 60`)).rejects.toMatchObject({
		name: "AiServerError",
		code: "ssh",
	});
	await readFile(fifo); // the command runs
	sshd.cut();
	await rejected;
	expect(await ssh.exec("echo again")).toMatchObject({ code: 0, stdout: "again\n" });
});

real("reads files, and with a tilde the session lives on", async () => {
	const { sshd, open, home } = await ready();
	const bytes = Buffer.from(Array.from({ length: 100_000 }, (_none, at) => at % 251));
	await writeFile(join(home, "file"), bytes);
	const ssh = open(address(sshd));
	const read = await ssh.readRange(join(home, "file"), 40_000, 50_000);
	expect(bytes.subarray(40_000, 90_000).equals(read)).toBe(true);
	await expect(readText(ssh, "~/ai-server-no-such-file")).rejects.toThrow(
		"~/ai-server-no-such-file does not exist on the server",
	);
	await expect(readText(ssh, home)).rejects.toThrow(/^Reading .* on the server failed: /);
	expect(await ssh.withSftp(async () => "fine")).toBe("fine");
	await expect.poll(() => sshd.logins()).toBe(1);
});

real.each<readonly [string, string | undefined]>([
	["is switched off", undefined],
	["is a program that is not there", "/nonexistent/sftp-server"],
])("reports that SFTP %s, and commands still run", async (_what, sftp) => {
	const { sshd, open } = await ready({ sftp });
	const ssh = open(address(sshd));
	await expect(ssh.withSftp(async () => "fine")).rejects.toBeInstanceOf(NoSftpError);
	await expect(readText(ssh, "x")).rejects.toMatchObject({
		message: "The SSH server offers no SFTP",
	});
	expect(await ssh.exec("echo here")).toMatchObject({ stdout: "here\n" });
});

real(
	"an alias of the ssh config is followed to the host, the port, the user and the key",
	async () => {
		const { sshd, open, config, file } = await ready();
		await config(
			`Include ${file("more")}`,
			"Host box*",
			`  HostName 127.0.0.1`,
			`Match host 127.0.0.1`,
			`  Port ${sshd.port}`,
		);
		await writeFile(
			file("more"),
			`Host box\n  User ${sshd.user}\n  IdentityFile ${file("mine")}\n`,
		);
		await sshd.authorize(await makeKey(file("mine"), { type: "ecdsa" }));
		const ssh = open("box");
		expect(await ssh.exec("echo here")).toMatchObject({ stdout: "here\n" });
	},
);

real("a HostKeyAlias stands for the host in known_hosts", async () => {
	const { sshd, open, config, know } = await ready();
	await config("Host box", "  HostName 127.0.0.1", `  Port ${sshd.port}`, "  HostKeyAlias boxy");
	await expect(open(`${sshd.user}@box`).exec("true")).rejects.toThrow(
		"host key of boxy is unknown",
	);
	await know(`boxy ${await sshd.hostKey("ed25519")}`);
	expect(await open(`${sshd.user}@box`).exec("true")).toMatchObject({ code: 0 });
});

real("what ssh reports about its config is quoted", async () => {
	const { sshd, open, config } = await ready();
	await config("Nonsense yes");
	await expect(open(address(sshd)).exec("true")).rejects.toMatchObject({
		code: "ssh",
		message: expect.stringMatching(/^The ssh client rejects its config: /),
	});
});

real("a known_hosts that ssh-keygen hashed is read", async () => {
	const { sshd, open, file, know } = await ready();
	await know(`other ${await sshd.hostKey("ed25519")}`);
	await run("ssh-keygen", ["-q", "-H", "-f", file("known_hosts")]);
	expect(await readFile(file("known_hosts"), "utf8")).toMatch(/^\|1\|.*\n\|1\|.*\n$/);
	expect(await open(address(sshd)).exec("true")).toMatchObject({ code: 0 });
});

real.each(["yes", "no"])(
	"a key recorded with HashKnownHosts %s is known to ssh",
	async (hashed) => {
		const [sshd, own] = await Promise.all([server(), place()]);
		await sshd.authorize(await makeKey(own.file("id_ed25519")));
		await own.config(`HashKnownHosts ${hashed}`);
		const confirmHostKey = async (): Promise<boolean> => true;
		expect(await own.open(address(sshd), { confirmHostKey }).exec("true")).toMatchObject({
			code: 0,
		});
		const text = await readFile(own.file("known_hosts"), "utf8");
		expect(text.startsWith("|1|")).toBe(hashed === "yes");
		const options = ["BatchMode=yes", "StrictHostKeyChecking=yes", "IdentitiesOnly=yes"];
		const { stdout } = await run("ssh", [
			...["-F", "none", "-i", own.file("id_ed25519"), "-p", String(sshd.port)],
			...options.flatMap((option) => ["-o", option]),
			...["-o", `UserKnownHostsFile=${own.file("known_hosts")}`],
			...[`${sshd.user}@127.0.0.1`, "echo", "known"],
		]);
		expect(stdout).toBe("known\n");
	},
);

real("ProxyJump goes through two hosts, each with its own key and known_hosts", async () => {
	const [first, second, box] = await Promise.all([server(), server(), server()]);
	const own = await place();
	const keys = await Promise.all(["a", "b", "c"].map((name) => makeKey(own.file(name))));
	await Promise.all([first, second, box].map((sshd, index) => sshd.authorize(keys[index] ?? "")));
	const host = (name: string, { port, user }: Sshd, key: string): readonly string[] => [
		`Host ${name}`,
		...["  HostName 127.0.0.1", `  Port ${port}`, `  User ${user}`],
		...[`  IdentityFile ${own.file(key)}`, `  UserKnownHostsFile ${own.file(`kh-${key}`)}`],
	];
	await own.config(
		...[...host("gate", first, "a"), ...host("inner", second, "b")],
		...[...host("box", box, "c"), "  ProxyJump gate,inner"],
	);
	for (const [sshd, key] of [
		[first, "a"],
		[second, "b"],
	] as const) {
		await writeFile(own.file(`kh-${key}`), `${named(sshd)} ${await sshd.hostKey("ed25519")}\n`);
	}
	const ssh = own.open("box");
	await expect(ssh.exec("true")).rejects.toThrow(`The host key of ${named(box)} is unknown`);
	await writeFile(own.file("kh-c"), `${named(box)} ${await box.hostKey("ed25519")}\n`);
	expect(await ssh.exec("echo here")).toMatchObject({ stdout: "here\n" });
	expect(await ssh.exec("echo again")).toMatchObject({ stdout: "again\n" });
	await expect.poll(() => [first, second, box].map((sshd) => sshd.logins())).toEqual([2, 2, 1]);
	second.cut();
	await expect(ssh.exec("sleep 60")).rejects.toMatchObject({ code: "ssh" });
});

real("a jump host that cannot reach the box is reported with the reason", async () => {
	const { sshd, open, config } = await ready();
	await config("Host box", "  HostName 127.0.0.1", "  Port 1", `  ProxyJump ${address(sshd)}`);
	await expect(open("box").exec("true")).rejects.toThrow(
		"No route from the jump host 127.0.0.1 to 127.0.0.1:1: Connection refused",
	);
});

real("a ProxyJump loop is reported", async () => {
	const { open, config } = await ready();
	await config("Host a", "  ProxyJump b", "Host b", "  ProxyJump a", "Host c", "  ProxyJump c");
	await expect(open("a").exec("true")).rejects.toThrow("ProxyJump loop: ");
	await expect(open("c").exec("true")).rejects.toThrow(/jumphost loop|^ProxyJump loop/);
});

real("an agent's key opens, that of SSH_AUTH_SOCK or of IdentityAgent", async () => {
	const [sshd, own] = await Promise.all([server(), place()]);
	const { socket, add } = await agent(own.home);
	const key = join(own.home, "elsewhere");
	await sshd.authorize(await makeKey(key, { type: "rsa" }));
	await add(key);
	await own.know(`${named(sshd)} ${await sshd.hostKey("ed25519")}`);
	const env = { SSH_AUTH_SOCK: socket };
	const login = (): Promise<unknown> => own.open(address(sshd), { env }).exec("true");
	expect(await login()).toMatchObject({ code: 0 });
	await own.config("IdentityAgent none");
	await expect(login()).rejects.toThrow("(no key to offer)");
	await own.config(`IdentityAgent ${socket}`);
	expect(await own.open(address(sshd)).exec("true")).toMatchObject({ code: 0 });
});

real("of an agent with many keys the one that the config names goes first", async () => {
	const [sshd, own] = await Promise.all([server({ config: ["MaxAuthTries 2"] }), place()]);
	const { socket, add } = await agent(own.home);
	await own.know(`${named(sshd)} ${await sshd.hostKey("ed25519")}`);
	for (const name of ["one", "two", "three", "mine"]) {
		const text = await makeKey(join(own.home, name));
		await add(join(own.home, name));
		if (name !== "mine") continue;
		await sshd.authorize(text);
		await writeFile(own.file("mine.pub"), text);
	}
	const env = { SSH_AUTH_SOCK: socket };
	await expect(own.open(address(sshd), { env }).exec("true")).rejects.toMatchObject({
		message: expect.stringContaining("Too many authentication failures"),
		hint: expect.stringContaining("IdentitiesOnly"),
	});
	await own.config(`IdentityFile ${own.file("mine.pub")}`);
	expect(await own.open(address(sshd), { env }).exec("true")).toMatchObject({ code: 0 });
	await own.config(`IdentityFile ${own.file("mine")}`, "IdentitiesOnly yes");
	expect(await own.open(address(sshd), { env }).exec("true")).toMatchObject({ code: 0 });
});

real.each([
	["ed25519", false],
	["ecdsa", false],
	["rsa", false],
	["ecdsa", true],
	["rsa", true],
] as const)("an encrypted key opens with its passphrase: %s, PEM: %s", async (type, pem) => {
	const [sshd, own] = await Promise.all([server(), place()]);
	const file = own.file(`id_${type}`);
	await sshd.authorize(await makeKey(file, { type, pem, passphrase: "open sesame" }));
	await own.know(`${named(sshd)} ${await sshd.hostKey("ed25519")}`);
	const asked: (readonly [string, number])[] = [];
	const askPassphrase = async (path: string, attempt: number): Promise<string> => {
		asked.push([path, attempt]);
		return attempt === 1 ? "wrong" : "open sesame";
	};
	const ssh = own.open(address(sshd), { askPassphrase });
	expect(await ssh.exec("true")).toMatchObject({ code: 0 });
	ssh.close();
	expect(await ssh.exec("true")).toMatchObject({ code: 0 });
	expect(asked).toEqual([
		[file, 1],
		[file, 2],
	]);
	await expect(own.open(address(sshd)).exec("true")).rejects.toThrow(
		`no key to offer; not usable: id_${type} (encrypted)`,
	);
});

real.each(["rsa", "ecdsa"] as const)(
	"a host known by its %s key alone is asked for that",
	async (type) => {
		const sshd = await server({ hostKeys: ["ed25519", "ecdsa", "rsa"] });
		const own = await place();
		await sshd.authorize(await makeKey(own.file("id_ed25519")));
		await own.know(`${named(sshd)} ${await sshd.hostKey(type)}`);
		expect(await own.open(address(sshd)).exec("true")).toMatchObject({ code: 0 });
	},
);
