import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import ssh2, { type SFTPWrapper } from "ssh2";
import { expect, test } from "vitest";
import { NoSftpError } from "../../../../lib/ssh/errors.ts";
import { client, demo, oneFile, scripted, TEXT } from "../../../support/ssh-rig.ts";

const { STATUS_CODE } = ssh2.utils.sftp;

/** The remote home, as a promise. */
function homeOf(sftp: SFTPWrapper): Promise<string> {
	return new Promise((resolve, reject) => {
		sftp.realpath(".", (error, path) => (error ? reject(error) : resolve(path)));
	});
}

test.each([
	[0, 10],
	[5, 32_768],
	[32_768, 32_768],
	[99_990, 10],
	[99_990, 11],
	[100_000, 1],
	[200_000, 5],
	[7, 0],
])("reads a range from %i, %i bytes", async (start, length) => {
	const { ssh, remoteHome } = await demo();
	const bytes = Buffer.from(Array.from({ length: 100_000 }, (_none, at) => at % 251));
	await writeFile(join(remoteHome, "model.gguf"), bytes);
	const read = await ssh.readRange("~/model.gguf", start, length);
	expect(Buffer.from(read).equals(bytes.subarray(start, start + length))).toBe(true);
});

test("a range of a file that is not there is a fault in words", async () => {
	const { ssh } = await demo();
	await expect(ssh.readRange("~/none", 0, 4)).rejects.toMatchObject({
		message: "There is no file ~/none on the server",
	});
});

test("lends a session, passes on what comes out, and ends it", async () => {
	const { server, ssh } = await demo();
	let lent: SFTPWrapper | undefined;
	const home = await ssh.withSftp((sftp) => {
		lent = sftp;
		return homeOf(sftp);
	});
	expect(home).toBe("/home/demo");
	expect((lent as SFTPWrapper & { outgoing: { state: string } }).outgoing.state).not.toBe("open");
	const own = new Error("of the caller");
	await expect(ssh.withSftp(() => Promise.reject(own))).rejects.toBe(own);
	expect(await ssh.readFile("~/config.yaml")).toBe(TEXT);
	expect(server.logins()).toBe(1);
});

test("a server without SFTP is told from every other fault", async () => {
	const { port, home } = await scripted({});
	const ssh = client(home, port);
	await expect(ssh.withSftp(homeOf)).rejects.toBeInstanceOf(NoSftpError);
	await expect(ssh.readRange("x", 0, 1)).rejects.toBeInstanceOf(NoSftpError);
	const { ssh: other } = await demo();
	await expect(other.readFile("~/none")).rejects.not.toBeInstanceOf(NoSftpError);
});

test("pitfall 0.9: a call that the lost connection never answers is rejected", async () => {
	const { port, home } = await scripted({
		sftp: (sftp, cut) => void sftp.on("REALPATH", cut),
	});
	await expect(client(home, port).withSftp(homeOf)).rejects.toMatchObject({
		name: "AiServerError",
		code: "ssh",
		message: expect.stringContaining(`SSH to 127.0.0.1:${port} failed`),
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
			sftp.unlink("/config.yaml", () => undefined);
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

test("pitfall 0.10: a tilde is resolved without expand-path, which ssh2 sends wrong", async () => {
	const asked: string[] = [];
	const { port, home } = await scripted({
		sftp: (sftp) => {
			oneFile((answer) => answer())(sftp);
			sftp.on("EXTENDED", (id, name) => {
				asked.push(name);
				sftp.status(id, STATUS_CODE.OP_UNSUPPORTED);
			});
			sftp.on("REALPATH", (id, path) => {
				asked.push(path);
				const attrs = { mode: 0, uid: 0, gid: 0, size: 0, atime: 0, mtime: 0 };
				sftp.name(id, [{ filename: "/home/x", longname: "/home/x", attrs }]);
			});
		},
	});
	expect(await client(home, port).readFile("~/config.yaml")).toBe("hello");
	expect(asked).toEqual(["."]);
});

test.each([
	[STATUS_CODE.NO_SUCH_FILE, /^There is no file x on the server$/],
	[STATUS_CODE.PERMISSION_DENIED, /^The server does not let us read x$/],
	[STATUS_CODE.FAILURE, /^The server could not read x: Failure$/],
	[STATUS_CODE.OP_UNSUPPORTED, /^The server could not read x: /],
])("pitfall 0.11: status %i is worded as far as it tells", async (code, message) => {
	const { port, home } = await scripted({
		sftp: (sftp) => void sftp.on("OPEN", (id) => sftp.status(id, code)),
	});
	await expect(client(home, port).readFile("x")).rejects.toThrow(message);
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
		await expect(ssh.readFile(path)).rejects.toBeInstanceOf(NoSftpError);
	}
	await expect(ssh.withSftp(async () => "lent")).rejects.toBeInstanceOf(NoSftpError);
	await ssh.exec("true");
	expect(sessions).toBe(2);
});
