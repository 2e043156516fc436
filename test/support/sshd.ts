import { type ChildProcess, execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { access, chmod, copyFile, mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { type AddressInfo, createServer } from "node:net";
import { tmpdir, userInfo } from "node:os";
import { delimiter, join } from "node:path";
import { promisify } from "node:util";

const run = promisify(execFile);

export type HostKeyType = "ed25519" | "ecdsa" | "rsa";

export interface SshdOptions {
	/** One key each; Ed25519 by default. */
	readonly hostKeys?: readonly HostKeyType[];
	/** The value of Subsystem sftp; undefined for none. "internal-sftp" by default. */
	readonly sftp?: string | undefined;
	/** Further lines of sshd_config. */
	readonly config?: readonly string[];
}

/** A real OpenSSH server, which lets in the account that runs the test, and nobody else. */
export interface Sshd {
	readonly port: number;
	/** The account to log in as. */
	readonly user: string;
	/** Starts the server on its standard streams, for ProxyCommand. */
	readonly command: string;
	/** "type base64" of a host key. */
	hostKey(type: HostKeyType): Promise<string>;
	/** What is in authorized_keys from now on: public keys, one a line. */
	authorize(publicKeys: string): Promise<void>;
	/** Logins that a server process of this sshd reported so far. */
	logins(): number;
	/** Ends every connection at once. */
	cut(): void;
	close(): Promise<void>;
}

/** Undefined, after a line that says why, when OpenSSH is not installed here. */
export async function findOpenSsh(): Promise<{ readonly sshd: string } | undefined> {
	const sshd = await find("sshd");
	const clients = ["ssh", "ssh-keygen", "ssh-agent", "ssh-add"];
	const paths = await Promise.all(clients.map(find));
	const missing = [
		...(sshd === undefined ? ["sshd"] : []),
		...clients.filter((_name, index) => paths[index] === undefined),
	];
	if (sshd !== undefined && missing.length === 0) return { sshd };
	console.warn(`skipped: ${missing.join(", ")} not installed (apt-get install openssh-server)`);
	return undefined;
}

/** One server process a connection, as inetd would start it: the port is ours, so it is free and ready. */
export async function startSshd(sshd: string, options: SshdOptions = {}): Promise<Sshd> {
	const { hostKeys = ["ed25519"], config = [] } = options;
	const subsystem = "sftp" in options ? options.sftp : "internal-sftp";
	const folder = await mkdtemp(join(tmpdir(), "ai-server-sshd-"));
	await Promise.all(hostKeys.map((type) => makeKey(join(folder, `host_${type}`), { type })));
	const configFile = join(folder, "sshd_config");
	const authorized = join(folder, "authorized_keys");
	await writeFile(authorized, "");
	await writeFile(
		configFile,
		[
			...hostKeys.map((type) => `HostKey ${join(folder, `host_${type}`)}`),
			`AuthorizedKeysFile ${authorized}`,
			...["StrictModes no", "UsePAM no", "PasswordAuthentication no", "PermitRootLogin yes"],
			...["PidFile none", "LogLevel INFO", "PrintMotd no"],
			...(subsystem === undefined ? [] : [`Subsystem sftp ${subsystem}`]),
			...config,
			"",
		].join("\n"),
	);
	// As root sshd insists on its folder for the separation of privileges.
	if (userInfo().uid === 0) await mkdir("/run/sshd", { recursive: true });
	const children = new Set<ChildProcess>();
	let log = "";
	const server = createServer({ noDelay: true, pauseOnConnect: true }, (socket) => {
		const child = spawn(sshd, ["-i", "-e", "-f", configFile], {
			stdio: [socket, socket, "pipe"],
			detached: true,
		});
		children.add(child);
		child.once("close", () => children.delete(child));
		child.stderr?.setEncoding("utf8").on("data", (text: string) => {
			log += text;
		});
		socket.on("error", () => undefined);
		socket.destroy(); // the child has it now
	});
	await once(server.listen(0, "127.0.0.1"), "listening");
	const cut = (): void => {
		// The whole group: the process that serves the session outlives the one that was started.
		for (const { pid } of children) if (pid !== undefined) endGroup(pid);
	};
	return {
		port: (server.address() as AddressInfo).port,
		user: userInfo().username,
		command: `${sshd} -i -f ${configFile}`,
		hostKey: (type) => publicHalf(join(folder, `host_${type}`)),
		authorize: (publicKeys) => writeFile(authorized, publicKeys),
		logins: () => log.split("Accepted publickey").length - 1,
		cut,
		async close() {
			server.close();
			cut();
			await rm(folder, { recursive: true, force: true });
		},
	};
}

function endGroup(leader: number): void {
	try {
		process.kill(-leader, "SIGKILL");
	} catch {
		// It has ended already.
	}
}

export interface KeyOptions {
	readonly type?: HostKeyType;
	readonly passphrase?: string;
	/** PEM instead of OpenSSH's own format. */
	readonly pem?: boolean;
}

/** Makes a key pair with ssh-keygen; returns the public half. */
export async function makeKey(path: string, options: KeyOptions = {}): Promise<string> {
	const { type = "ed25519", passphrase = "", pem = false } = options;
	const bits = type === "rsa" ? ["-b", "2048"] : [];
	// One round makes a weak key, and a quick test.
	const format = pem ? ["-m", "PEM"] : ["-a", "1"];
	await run("ssh-keygen", [
		...["-q", "-t", type, ...bits, ...format],
		...["-N", passphrase, "-C", "test", "-f", path],
	]);
	return publicHalf(path);
}

export interface SshAgent {
	readonly socket: string;
	add(key: string): Promise<void>;
	close(): void;
}

/** A real ssh-agent with no key. */
export async function startAgent(folder: string): Promise<SshAgent> {
	const socket = join(folder, "agent.sock");
	const child = spawn("ssh-agent", ["-D", "-a", socket], { stdio: ["ignore", "pipe", "ignore"] });
	await once(child.stdout, "data"); // it tells where it is once it is there
	const env = { ...process.env, SSH_AUTH_SOCK: socket };
	return {
		socket,
		async add(key) {
			const copy = join(folder, "added");
			await copyFile(key, copy);
			await chmod(copy, 0o600);
			await run("ssh-add", ["-q", copy], { env });
		},
		close: () => void child.kill(),
	};
}

async function publicHalf(path: string): Promise<string> {
	const [type = "", key = ""] = (await readFile(`${path}.pub`, "utf8")).split(" ");
	return `${type} ${key}`;
}

/** sshd is outside the PATH of ordinary accounts, and wants to be started by its full path. */
async function find(program: string): Promise<string | undefined> {
	const folders = (process.env["PATH"] ?? "").split(delimiter);
	for (const folder of [...folders, "/usr/sbin", "/usr/local/sbin"]) {
		const path = join(folder, program);
		const found = await access(path).then(
			() => true,
			() => false,
		);
		if (found) return path;
	}
	return undefined;
}
