import { readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { NoSftpError } from "../../../../lib/ssh/errors.ts";
import { readRemoteText, replaceRemoteText } from "../../../../lib/ssh/files/config-file.ts";
import type { Ssh } from "../../../../lib/ssh/types.ts";
import { client, demo, scripted, TEXT } from "../../../support/ssh-rig.ts";

test("a text is read, replaced and backed up; a changed one is left alone", async () => {
	const { ssh, remoteHome } = await demo();
	expect(await readRemoteText(ssh, "config.yaml")).toBe(TEXT);
	const { backupPath } = await replaceRemoteText(ssh, "config.yaml", {
		expected: TEXT,
		text: "new\n",
	});
	expect(await readFile(join(remoteHome, "config.yaml"), "utf8")).toBe("new\n");
	expect(backupPath).toMatch(/config\.yaml\.bak-/);
	const again = replaceRemoteText(ssh, "config.yaml", { expected: TEXT, text: "other\n" });
	await expect(again).rejects.toMatchObject({ code: "config" });
	expect(await readFile(join(remoteHome, "config.yaml"), "utf8")).toBe("new\n");
	expect(await readdir(remoteHome)).toHaveLength(2);
});

test.each([
	["a byte order mark and CRLF", "\ufeffmodels:\r\n"],
	["no bytes at all", ""],
	["characters of one to four bytes", "#aé漢🎉\n"],
])("a text of %s is the same after it was read and written back", async (_what, text) => {
	const { ssh, remoteHome } = await demo();
	const path = join(remoteHome, "config.yaml");
	await writeFile(path, text);
	const read = await readRemoteText(ssh, "config.yaml");
	expect(read).toBe(text);
	await replaceRemoteText(ssh, "config.yaml", { expected: read, text: `${read}# end\n` });
	expect(await readFile(path)).toEqual(Buffer.from(`${text}# end\n`));
});

test.each([
	["Latin-1", Buffer.from("models: {}  # für\n", "latin1")],
	["UTF-16", Buffer.from("\ufeffmodels: {}\n", "utf16le")],
	["a character cut off at the end", Buffer.from("# é").subarray(0, 3)],
])("bytes that are not UTF-8, %s, are an error", async (_what, bytes) => {
	const { ssh, remoteHome } = await demo();
	await writeFile(join(remoteHome, "config.yaml"), bytes);
	await expect(readRemoteText(ssh, "config.yaml")).rejects.toMatchObject({
		code: "config",
		message: "config.yaml on the server is not UTF-8 text",
		hint: "Save the file as UTF-8, or check the path",
		settings: ["configPath"],
	});
});

test("a file that is too large is refused, one that just fits is not", async () => {
	const { ssh, remoteHome } = await demo();
	await writeFile(join(remoteHome, "fits"), "x".repeat(1_048_576));
	await writeFile(join(remoteHome, "large"), "x".repeat(1_048_577));
	expect(await readRemoteText(ssh, "~/fits")).toHaveLength(1_048_576);
	await expect(readRemoteText(ssh, "~/large")).rejects.toMatchObject({
		message: "~/large on the server is larger than 1048576 bytes",
		settings: ["configPath"],
	});
});

test("a connection that ends under the write is reported by the write", async () => {
	const { ssh, server, remoteHome } = await demo();
	const cutting: Ssh = {
		...ssh,
		withSftp: (run, options) =>
			ssh.withSftp((sftp) => {
				const done = run(sftp);
				server.cut();
				return done;
			}, options),
	};
	const write = replaceRemoteText(cutting, "config.yaml", { expected: TEXT, text: "new\n" });
	await expect(write).rejects.toMatchObject({
		code: "ssh",
		message: "The connection was lost before config.yaml was replaced; the file is unchanged",
	});
	expect(await readFile(join(remoteHome, "config.yaml"), "utf8")).toBe(TEXT);
});

test("an abort ends the write at once, whatever the server does", async () => {
	const { promise: asked, resolve } = Promise.withResolvers<void>();
	const { port, home } = await scripted({
		sftp: (sftp) => void sftp.on("REALPATH", () => resolve()),
	});
	const ssh = client(home, port);
	const controller = new AbortController();
	const { signal } = controller;
	const write = replaceRemoteText(ssh, "config.yaml", { expected: TEXT, text: "new\n", signal });
	const failed = write.catch((error: unknown) => error);
	await asked;
	controller.abort(new Error("the user pressed Escape"));
	expect(await failed).toMatchObject({ code: "ssh", cause: signal.reason });
});

test("a server without SFTP is an error that names the line for sshd_config", async () => {
	const commands: string[] = [];
	const { port, home } = await scripted({ exec: (_channel, command) => commands.push(command) });
	const ssh = client(home, port);
	const write = replaceRemoteText(ssh, "config.yaml", { expected: "a", text: "new\n" });
	for (const work of [readRemoteText(ssh, "config.yaml"), write]) {
		await expect(work).rejects.toBeInstanceOf(NoSftpError);
		await expect(work).rejects.toMatchObject({
			message: "The SSH server offers no SFTP",
			hint: "Add `Subsystem sftp internal-sftp` to sshd_config on the server",
		});
	}
	expect(commands).toEqual([]);
});
