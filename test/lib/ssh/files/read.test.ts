import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import ssh2 from "ssh2";
import { expect, test } from "vitest";
import { readError } from "../../../../lib/ssh/files/read.ts";
import { client, demo, readText, scripted } from "../../../support/ssh-rig.ts";

const { STATUS_CODE } = ssh2.utils.sftp;

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

test("a range of a file that does not exist is an error without a setting", async () => {
	const { ssh } = await demo();
	await expect(ssh.readRange("~/none", 0, 4)).rejects.toMatchObject({
		message: "~/none does not exist on the server",
		hint: "Check the path",
		settings: [],
	});
});

test("a whole file names the setting that its path comes from", async () => {
	const { ssh } = await demo();
	const options = { maxBytes: 10, setting: "configPath" } as const;
	await expect(ssh.readFile("~/none", options)).rejects.toMatchObject({
		settings: ["configPath"],
	});
	await expect(ssh.readFile("~/config.yaml", options)).rejects.toMatchObject({
		message: "~/config.yaml on the server is larger than 10 bytes",
		settings: ["configPath"],
	});
});

test.each([
	[STATUS_CODE.NO_SUCH_FILE, /^x does not exist on the server$/],
	[STATUS_CODE.PERMISSION_DENIED, /^No permission to read x on the server$/],
	[STATUS_CODE.FAILURE, /^Reading x on the server failed: Failure$/],
	[STATUS_CODE.OP_UNSUPPORTED, /^Reading x on the server failed: /],
])("pitfall 0.11: status %i is reported as precisely as it allows", async (code, message) => {
	const { port, home } = await scripted({
		sftp: (sftp) => void sftp.on("OPEN", (id) => sftp.status(id, code)),
	});
	await expect(readText(client(home, port), "x")).rejects.toThrow(message);
});

test.each([
	["odd", "Reading ~/c.yaml on the server failed: odd"],
	[new Error("odd"), "Reading ~/c.yaml on the server failed: odd"],
])("an error that is not the server's, %o, is quoted", (error, message) => {
	expect(readError(error, "~/c.yaml")).toMatchObject({ code: "ssh", message, cause: error });
});
