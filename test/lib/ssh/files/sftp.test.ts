import ssh2 from "ssh2";
import { expect, test } from "vitest";
import { NoSftpError } from "../../../../lib/ssh/errors.ts";
import { SessionLost, type Sftp } from "../../../../lib/ssh/files/sftp.ts";
import { client, demo, oneFile, readText, scripted, TEXT } from "../../../support/ssh-rig.ts";

const { STATUS_CODE } = ssh2.utils.sftp;

const homeOf = (sftp: Sftp): Promise<string> => sftp.resolve(".");

test("lends a session, passes on what comes out, and ends it", async () => {
	const { server, ssh } = await demo();
	let lent: Sftp | undefined;
	const home = await ssh.withSftp((sftp) => {
		lent = sftp;
		return homeOf(sftp);
	});
	expect(home).toBe("/home/demo");
	await expect(lent?.attributes("/home/demo")).rejects.toBeInstanceOf(SessionLost);
	const own = new Error("of the caller");
	await expect(ssh.withSftp(() => Promise.reject(own))).rejects.toBe(own);
	expect(await readText(ssh, "~/config.yaml")).toBe(TEXT);
	expect(server.logins()).toBe(1);
});

test("a server without SFTP is distinguished from every other failure", async () => {
	const { port, home } = await scripted({});
	const ssh = client(home, port);
	await expect(ssh.withSftp(homeOf)).rejects.toBeInstanceOf(NoSftpError);
	await expect(ssh.readRange("x", 0, 1)).rejects.toBeInstanceOf(NoSftpError);
	const { ssh: other } = await demo();
	await expect(readText(other, "~/none")).rejects.not.toBeInstanceOf(NoSftpError);
});

test("pitfall 0.9: a call that the lost connection never answers is rejected", async () => {
	const { port, home } = await scripted({
		sftp: (sftp, cut) => void sftp.on("REALPATH", cut),
	});
	await expect(client(home, port).withSftp(homeOf)).rejects.toMatchObject({
		name: "AiServerError",
		code: "ssh",
		message: expect.stringContaining(`The SSH connection to 127.0.0.1:${port} failed`),
	});
});

test("pitfall 0.9: so is one on a session that the server ends", async () => {
	const { port, home, logins } = await scripted({
		sftp: (sftp) => void sftp.on("REALPATH", () => sftp.end()),
	});
	const ssh = client(home, port);
	await expect(ssh.withSftp(homeOf)).rejects.toMatchObject({ name: "AiServerError", code: "ssh" });
	await expect(ssh.withSftp(async () => "fine")).resolves.toBe("fine");
	expect(logins).toHaveLength(1);
});

test("pitfall 0.9: so is one that is never answered", async () => {
	const { port, home } = await scripted({
		sftp: (sftp) => void sftp.on("REALPATH", () => undefined),
	});
	await expect(client(home, port).withSftp(homeOf, { deadlineMs: 50 })).rejects.toMatchObject({
		code: "timeout",
	});
});

test("a packet that is no SFTP rejects", async () => {
	const { port, home } = await scripted({
		exec: () => undefined,
		sftp: (sftp) => {
			sftp.on("REALPATH", () => {
				const raw = sftp as unknown as { readonly outgoing: { readonly id: number } };
				const wire = sftp as unknown as {
					readonly _protocol: { channelData(id: number, data: Buffer): void };
				};
				wire._protocol.channelData(raw.outgoing.id, Buffer.from([0, 0, 0, 1, 250]));
			});
		},
	});
	await expect(client(home, port).withSftp(homeOf)).rejects.toMatchObject({ code: "ssh" });
});

test("after an abort nothing more reaches the server", async () => {
	const seen: string[] = [];
	const { promise: asked, resolve } = Promise.withResolvers<() => void>();
	const { port, home } = await scripted({
		exec: (channel) => {
			channel.exit(0);
			channel.end();
		},
		sftp: (sftp) => {
			sftp.on("REALPATH", (id) => {
				seen.push("REALPATH");
				resolve(() => sftp.name(id, []));
			});
			sftp.on("REMOVE", () => seen.push("REMOVE"));
			sftp.on("error", () => undefined);
		},
	});
	const ssh = client(home, port);
	const controller = new AbortController();
	const { promise: over, resolve: end } = Promise.withResolvers<void>();
	const work = ssh.withSftp(
		async (sftp) => {
			await homeOf(sftp).catch(() => undefined);
			await sftp.remove("/config.yaml").catch(() => undefined);
			end();
		},
		{ signal: controller.signal },
	);
	const rejected = expect(work).rejects.toSatisfy(
		(error: unknown) => error === controller.signal.reason,
	);
	const answer = await asked;
	controller.abort();
	await rejected;
	answer();
	await over;
	await ssh.exec("x"); // the same connection: whatever was sent before has arrived
	expect(seen).toEqual(["REALPATH"]);
});

test("pitfall 0.10: a tilde costs no request, least of all expand-path, which ssh2 sends wrong", async () => {
	const asked: string[] = [];
	const { port, home } = await scripted({
		sftp: (sftp) => {
			oneFile((answer) => answer())(sftp);
			sftp.on("EXTENDED", (id, name) => {
				asked.push(name);
				sftp.status(id, STATUS_CODE.OP_UNSUPPORTED);
			});
			sftp.on("REALPATH", (_id, path) => asked.push(path));
			sftp.on("OPEN", (_id, path) => asked.push(path));
		},
	});
	expect(await readText(client(home, port), "~/config.yaml")).toBe("hello");
	expect(asked).toEqual(["config.yaml"]);
});

test("a server without SFTP is asked for it once a connection, as ssh2 keeps what is refused", async () => {
	let sessions = 0;
	const { home, port } = await scripted({
		ready: (connection) => void connection.on("session", () => (sessions += 1)),
		exec: (channel) => {
			channel.exit(0);
			channel.end();
		},
	});
	const ssh = client(home, port);
	for (const path of ["a", "b"]) {
		await expect(ssh.readRange(path, 0, 1)).rejects.toBeInstanceOf(NoSftpError);
	}
	await expect(ssh.withSftp(async () => "lent")).rejects.toBeInstanceOf(NoSftpError);
	await ssh.exec("true");
	expect(sessions).toBe(2);
});

test.each([
	[1, 40],
	[7, 100],
	[1000, 40_000],
	[32_767, 100_000],
	[100_000, 100_000],
])(
	"a server that gives at most %i bytes a request is read to the end of %i",
	async (most, size) => {
		const bytes = Buffer.from(Array.from({ length: size }, (_none, at) => at % 251));
		const { port, home } = await scripted({
			sftp: (sftp) => {
				sftp.on("OPEN", (id) => sftp.handle(id, Buffer.from("file")));
				sftp.on("READ", (id, _handle, offset, length) => {
					const part = bytes.subarray(offset, offset + Math.min(length, most));
					if (part.length === 0) sftp.status(id, STATUS_CODE.EOF);
					else sftp.data(id, part);
				});
				sftp.on("error", () => undefined);
			},
		});
		const ssh = client(home, port);
		for (const [start, length] of [
			[0, size],
			[0, size + 1],
			[0, 3 * size],
			[5, size - 6],
			[size - 1, 1],
			[size - 1, 2],
			[size, 10],
		] as const) {
			const read = await ssh.readRange("x", start, length);
			expect(Buffer.from(read).equals(bytes.subarray(start, start + length))).toBe(true);
		}
	},
);
