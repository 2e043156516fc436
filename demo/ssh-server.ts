import { mkdir, readFile, writeFile } from "node:fs/promises";
import { type AddressInfo, createServer, type Socket } from "node:net";
import { join } from "node:path";
import ssh2, { type Connection, type ParsedKey, type ServerChannel } from "ssh2";
import { localPath } from "./remote-path.ts";
import { serveSftp } from "./sftp.ts";

const { Server, utils } = ssh2;

export interface SshServerOptions {
	/** The home of the server's user. */
	readonly remoteHome: string;
	readonly service: DemoService;
}

/** What `systemctl --user` finds under the name llama-swap.service. */
export interface DemoService {
	readonly restart: () => void;
	/** SIGHUP. */
	readonly hangUp: () => void;
	readonly journal: () => string;
}

/** The machine's SSH door: one user, one key, SFTP on a folder, and a systemctl for one unit. */
export interface SshServer {
	readonly port: number;
	/** Logins so far. */
	logins(): number;
	/** Writes a private key that is let in, and a known_hosts with this server, into a home's .ssh. */
	writeClientFiles(home: string, known?: "right" | "wrong" | "none"): Promise<void>;
	/** Ends every connection at once. */
	cut(): void;
	close(): Promise<void>;
}

export async function startSshServer({
	remoteHome,
	service,
}: SshServerOptions): Promise<SshServer> {
	const hostKey = generateKey();
	const otherKey = generateKey();
	const clientKey = generateKey();
	const allowed = parseKey(clientKey.public);
	const sockets = new Set<Socket>();
	let logins = 0;
	const server = new Server({ hostKeys: [hostKey.private] }, (client) => {
		client.on("authentication", (context) => {
			const known =
				context.method === "publickey" && context.key.data.equals(allowed.getPublicSSH());
			if (!known) context.reject(["publickey"]);
			else if (context.signature === undefined || context.blob === undefined) context.accept();
			else if (allowed.verify(context.blob, context.signature, context.hashAlgo) === true) {
				context.accept();
			} else context.reject(["publickey"]);
		});
		client.on("ready", () => {
			logins += 1;
			serveSession(client, remoteHome, service);
		});
		client.on("error", () => client.end());
	});
	// Nagle's algorithm would cost 40 ms an answer.
	const door = createServer({ noDelay: true }, (socket) => {
		sockets.add(socket);
		socket.once("close", () => sockets.delete(socket));
		socket.on("error", () => socket.destroy());
		server.injectSocket(socket);
	});
	await new Promise<void>((resolve) => door.listen(0, "127.0.0.1", resolve));
	const { port } = door.address() as AddressInfo;
	const cut = (): void => {
		for (const socket of sockets) socket.destroy();
	};
	return {
		port,
		logins: () => logins,
		async writeClientFiles(home, known = "right") {
			const folder = join(home, ".ssh");
			await mkdir(folder, { recursive: true, mode: 0o700 });
			await writeFile(join(folder, "id_ed25519"), clientKey.private, { mode: 0o600 });
			const key = known === "right" ? hostKey.public : otherKey.public;
			const [type = "", blob = ""] = key.split(" ");
			const line = known === "none" ? "" : `[127.0.0.1]:${port} ${type} ${blob}\n`;
			await writeFile(join(folder, "known_hosts"), line);
		},
		cut,
		close() {
			cut();
			return new Promise((resolve) => door.close(() => resolve()));
		},
	};
}

function serveSession(client: Connection, home: string, service: DemoService): void {
	client.on("session", (accept) => {
		const session = accept();
		session.on("sftp", (open) => void serveSftp(open(), home));
		session.on("exec", (open, _reject, { command }) => {
			const asked = READ_FILE.exec(command)?.groups;
			if (asked === undefined) runCommand(open(), command, service);
			else void printFile(open(), home, asked);
		});
	});
}

/** How a file is read where its name has no quotes in it. */
const READ_FILE =
	/^exec sh -c '[^']*head -c[^']*' sh (?<mark>\w+) (?<length>\d+) (?<tilde>~\/)?'(?<path>[^']*)'$/;

async function printFile(
	channel: ServerChannel,
	home: string,
	{ mark = "", length, path = "" }: Readonly<Record<string, string | undefined>>,
): Promise<void> {
	channel.write(mark);
	try {
		const bytes = await readFile(localPath(home, path));
		channel.write(bytes.subarray(0, Number(length)));
		channel.exit(0);
	} catch (error) {
		channel.stderr.write(`head: ${String(error)}\n`);
		channel.exit(1);
	}
	channel.end();
}

// What the commands mean to a machine with one user unit. They are matched as texts, and nothing is
// run. The product's own table is not used: a command that it gets wrong has to fail here.
const UNIT = String.raw`'?llama-swap\.service'?`;
const BUS = String.raw`XDG_RUNTIME_DIR="\$\{XDG_RUNTIME_DIR:-/run/user/\$\(id -u\)\}"; export XDG_RUNTIME_DIR; `;
const scriptOf = (program: string): RegExp =>
	new RegExp(`^sh -c '${BUS}timeout \\d+ ${program}' sh ${UNIT}$`);

const COMMANDS: readonly (readonly [RegExp, Action])[] = [
	[scriptOf(String.raw`systemctl --user restart -- "\$1"`), "restart"],
	[scriptOf(String.raw`systemctl --user is-active -- "\$1"`), "is-active"],
	[scriptOf(String.raw`systemctl --user kill --signal=HUP --kill-who=main -- "\$1"`), "hang-up"],
	[scriptOf(String.raw`journalctl (?:--[\w=-]+ )*--user-unit="\$1"`), "journal"],
	// As people type them.
	[new RegExp(`^systemctl --user restart ${UNIT}$`), "restart"],
	[new RegExp(`^systemctl --user is-active ${UNIT}$`), "is-active"],
];

type Action = "restart" | "is-active" | "hang-up" | "journal";

function runCommand(channel: ServerChannel, command: string, service: DemoService): void {
	const action = COMMANDS.find(([pattern]) => pattern.test(command))?.[1];
	if (action === undefined) channel.stderr.write(`${command.split(" ")[0]}: command not found\n`);
	else perform(channel, action, service);
	channel.exit(action === undefined ? 127 : 0);
	channel.end();
}

function perform(channel: ServerChannel, action: Action, service: DemoService): void {
	switch (action) {
		case "restart":
			service.restart();
			return;
		case "is-active":
			channel.write("active\n");
			return;
		case "hang-up":
			service.hangUp();
			return;
		case "journal":
			channel.write(service.journal());
			return;
	}
}

/** Now and then a key comes out of ssh2 in a form that it cannot read itself. */
function generateKey(): { readonly private: string; readonly public: string } {
	for (;;) {
		const key = utils.generateKeyPairSync("ed25519");
		const parsed = [utils.parseKey(key.private), utils.parseKey(key.public)];
		if (parsed.every((half) => !(half instanceof Error))) return key;
	}
}

function parseKey(text: string): ParsedKey {
	const key = utils.parseKey(text);
	if (key instanceof Error) throw key;
	return [key].flat()[0] as ParsedKey;
}
