import { subscribe, unsubscribe } from "node:diagnostics_channel";
import { appendFile, readFile, writeFile } from "node:fs/promises";
import { connect, type Socket } from "node:net";
import { join } from "node:path";
import type { Connection } from "ssh2";
import { expect, onTestFinished, test } from "vitest";
import type { SshOptions } from "../../../../lib/ssh/connection.ts";
import type { RunSsh } from "../../../../lib/ssh/openssh/proxy-jump.ts";
import type { Ssh } from "../../../../lib/ssh/types.ts";
import { client, oneFile, readText, scripted, temporary } from "../../../support/ssh-rig.ts";

/** Forwards connections to where the client asks for. */
function carry(connection: Connection): void {
	connection.on("tcpip", (accept, reject, { destIP, destPort }) => {
		const socket = connect({ host: destIP, port: destPort, noDelay: true });
		socket.once("error", () => reject());
		socket.once("connect", () => {
			const channel = accept();
			socket.on("error", () => channel.close());
			channel.on("error", () => undefined);
			socket.pipe(channel).pipe(socket);
		});
	});
}

interface Way {
	readonly ssh: Ssh;
	readonly home: string;
	readonly jump: Awaited<ReturnType<typeof scripted>>;
	readonly box: Awaited<ReturnType<typeof scripted>>;
}

/** A box with a file "x" behind a jump host, both known, as an OpenSSH config would have it. */
async function behindJump(
	options: Partial<SshOptions> = {},
	ready: (connection: Connection, cut: () => void) => void = carry,
): Promise<Way> {
	const box = await scripted({ sftp: oneFile((answer) => answer()) });
	const jump = await scripted({ ready });
	const { home } = jump;
	await appendFile(
		join(home, ".ssh", "known_hosts"),
		await readFile(join(box.home, ".ssh", "known_hosts")),
	);
	const common = [
		`identityfile ${join(home, ".ssh", "id_ed25519")}`,
		`userknownhostsfile ${join(home, ".ssh", "known_hosts")}`,
	];
	const runSsh: RunSsh = async (args) => {
		const lines =
			args.at(-1) === "box"
				? ["hostname 127.0.0.1", `port ${box.port}`, "user boxer", "proxyjump jumper@gate"]
				: ["hostname 127.0.0.1", `port ${jump.port}`, `user ${args[args.indexOf("-l") + 1]}`];
		return [...lines, ...common, ""].join("\n");
	};
	const target = { user: undefined, host: "box", port: undefined };
	const ssh = client(home, 0, { target, runSsh, deadlineMs: 20_000, ...options });
	return { ssh, home, jump, box };
}

test("goes through the jump host, and keeps the whole way for the next operation", async () => {
	const { ssh, jump, box } = await behindJump();
	expect(ssh.target).toBe("box");
	expect(await readText(ssh, "x")).toBe("hello");
	expect(await readText(ssh, "x")).toBe("hello");
	expect([jump.logins, box.logins]).toEqual([["jumper"], ["boxer"]]);
});

test.each(["jump", "box"] as const)("the host key of the %s is checked", async (which) => {
	const { ssh, home, jump, box } = await behindJump();
	const name = `[127.0.0.1]:${which === "jump" ? jump.port : box.port}`;
	const file = join(home, ".ssh", "known_hosts");
	const lines = (await readFile(file, "utf8")).split("\n");
	await writeFile(file, lines.filter((line) => !line.startsWith(name)).join("\n"));
	await expect(readText(ssh, "x")).rejects.toThrow(`The host key of ${name} is unknown`);
	expect(box.logins).toEqual([]);
	expect(jump.logins).toEqual(which === "jump" ? [] : ["jumper"]);
});

test("each hop asks about its own host key", async () => {
	const asked: string[] = [];
	const { ssh, home, jump, box } = await behindJump({
		confirmHostKey: async ({ host }) => {
			asked.push(host);
			return true;
		},
	});
	await writeFile(join(home, ".ssh", "known_hosts"), "");
	expect(await readText(ssh, "x")).toBe("hello");
	expect(asked).toEqual([`[127.0.0.1]:${jump.port}`, `[127.0.0.1]:${box.port}`]);
});

test("a jump host without a route to the box is named", async () => {
	const { ssh, box } = await behindJump({}, (connection) => {
		connection.on("tcpip", (_accept, reject) => reject());
	});
	await expect(readText(ssh, "x")).rejects.toMatchObject({
		code: "ssh",
		message: expect.stringMatching(
			new RegExp(`^No route from the jump host 127\\.0\\.0\\.1 to 127\\.0\\.0\\.1:${box.port}: `),
		),
		hint: expect.stringContaining("ProxyJump"),
	});
});

test.each(["jump", "box"] as const)("a way that is cut at the %s rejects", async (which) => {
	const { promise: reading, resolve } = Promise.withResolvers<void>();
	const { ssh, jump, box } = await behindJump();
	const rejected = expect(
		ssh.withSftp(() => {
			resolve();
			return new Promise(() => undefined);
		}),
	).rejects.toMatchObject({ name: "AiServerError", code: "ssh" });
	await reading;
	(which === "jump" ? jump : box).cut();
	await rejected;
	expect(await readText(ssh, "x")).toBe("hello");
});

test("a jump host that is lost while it connects rejects", async () => {
	const { ssh } = await behindJump({}, (connection, cut) => void connection.on("tcpip", cut));
	await expect(readText(ssh, "x")).rejects.toMatchObject({ name: "AiServerError", code: "ssh" });
});

test("a jump host that never connects is given up", async () => {
	const { ssh } = await behindJump({ deadlineMs: 1500 }, (connection) => {
		connection.on("tcpip", () => undefined);
	});
	await expect(readText(ssh, "x")).rejects.toMatchObject({
		code: "timeout",
		message: "The jump host 127.0.0.1 did not answer within 1.5 s",
	});
});

test("what the ssh config refuses makes no connection", async () => {
	const { port, home, sockets } = await scripted({});
	const runSsh: RunSsh = async () => `hostname 127.0.0.1\nport ${port}\nproxycommand nc %h %p\n`;
	await expect(readText(client(home, port, { runSsh }), "x")).rejects.toThrow(/ProxyCommand/);
	expect(sockets()).toBe(0);
});

test("a machine without an ssh client is noted once", async () => {
	const { port, home } = await scripted({ sftp: oneFile((answer) => answer()) });
	const notes: string[] = [];
	const ssh = client(home, port, { onNote: (note) => notes.push(note) });
	await readText(ssh, "x");
	ssh.close();
	await readText(ssh, "x");
	expect(notes).toEqual([
		`No ssh client is installed here, so ~/.ssh/config is not read for demo@127.0.0.1:${port}`,
	]);
});

test("pitfall 0.8: Nagle's algorithm is off", async () => {
	const sockets: Socket[] = [];
	const watch = (message: unknown): void => {
		sockets.push((message as { readonly socket: Socket }).socket);
	};
	subscribe("net.client.socket", watch);
	onTestFinished(() => void unsubscribe("net.client.socket", watch));
	const { port, home } = await scripted({ sftp: oneFile((answer) => answer()) });
	const ssh = client(home, port);
	await readText(ssh, "x");
	const own = sockets.filter((socket) => socket.remotePort === port);
	// Node keeps what it asked of the kernel, which cannot be read back.
	const noDelay = own.map((socket) => {
		const key = Object.getOwnPropertySymbols(socket).find(
			({ description }) => description === "kSetNoDelay",
		);
		return (socket as unknown as Record<symbol, unknown>)[key as symbol];
	});
	expect(noDelay).toEqual([true]);
});

test("a key file and known_hosts of another home are not seen", async () => {
	const { port } = await scripted({ sftp: oneFile((answer) => answer()) });
	const home = await temporary();
	await expect(readText(client(home, port), "x")).rejects.toThrow("is unknown");
});
