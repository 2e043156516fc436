import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { NoSftpError } from "../../../../lib/ssh/errors.ts";
import { readRemoteText, replaceRemoteText } from "../../../../lib/ssh/files/config-file.ts";
import type { Ssh } from "../../../../lib/ssh/types.ts";
import { demo, TEXT } from "../../../support/ssh-rig.ts";

test("a text is read, replaced and backed up; a changed one is left alone", async () => {
	const { ssh, remoteHome } = await demo();
	expect(await readRemoteText(ssh, "config.yaml")).toBe(TEXT);
	const { backupPath } = await replaceRemoteText(ssh, "config.yaml", {
		...{ expected: TEXT, text: "new\n" },
	});
	expect(await readFile(join(remoteHome, "config.yaml"), "utf8")).toBe("new\n");
	expect(backupPath).toMatch(/config\.yaml\.bak-/);
	const again = replaceRemoteText(ssh, "config.yaml", { expected: TEXT, text: "other\n" });
	await expect(again).rejects.toMatchObject({ code: "config" });
	expect(await readFile(join(remoteHome, "config.yaml"), "utf8")).toBe("new\n");
	expect(await readdir(remoteHome)).toHaveLength(2);
});

test("a connection that ends under the write is told in the write's words", async () => {
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
	await expect(write).rejects.toMatchObject({ code: "ssh" });
	await expect(write).rejects.toThrow("config.yaml");
	expect(await readFile(join(remoteHome, "config.yaml"), "utf8")).toBe(TEXT);
});

test("without SFTP a command does both", async () => {
	const commands: string[] = [];
	const noSftp = (): Promise<never> => Promise.reject(new NoSftpError(new Error("no subsystem")));
	const ssh: Ssh = {
		...{ target: "box", readFile: noSftp, readRange: noSftp, withSftp: noSftp },
		exec: async (command, { stdin } = {}) => {
			commands.push(`${command.slice(0, 2)} ${stdin?.length}`);
			return { code: 127, signal: undefined, stdout: "", stderr: "sh: not found" };
		},
		close: () => undefined,
	};
	await expect(readRemoteText(ssh, "c.yaml")).rejects.toMatchObject({ code: "ssh" });
	const write = replaceRemoteText(ssh, "c.yaml", { expected: "a", text: "new\n" });
	await expect(write).rejects.toMatchObject({ code: "ssh" });
	expect(commands).toEqual(["sh 0", "sh 4"]);
});
