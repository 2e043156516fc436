import { execFileSync } from "node:child_process";
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { headCommand } from "../../../../lib/ssh/files/read-by-command.ts";
import { findProgram } from "../../../support/programs.ts";
import { client, readText, scripted, temporary } from "../../../support/ssh-rig.ts";

const SHELLS = ["sh", "bash", "dash", "zsh", "fish", "ksh", "tcsh", "busybox"].flatMap((name) => {
	const path = findProgram(name);
	return path === undefined ? [] : [[name, name === "busybox" ? [path, "sh"] : [path]] as const];
});
const MARK = "0123456789abcdef";

test.each(SHELLS)(
	"the login shell %s prints a file, whatever its name is",
	async (_name, shell) => {
		const home = await temporary();
		const run = (path: string, length = 100): string => {
			const [program = "", ...args] = shell;
			const command = headCommand(path, length, MARK);
			return execFileSync(program, [...args, "-c", command], {
				cwd: home,
				env: { ...process.env, HOME: home },
				encoding: "utf8",
				stdio: ["ignore", "pipe", "ignore"],
			});
		};
		await mkdir(join(home, "a folder"));
		for (const name of [
			"config.yaml",
			'a folder/it\'s $HOME `x` "q" \\ ü.yaml',
			"-n",
			"*",
			"a;exit 3",
			"!!",
		]) {
			await writeFile(join(home, name), `text of ${name}`);
			for (const path of [`~/${name}`, join(home, name), name]) {
				expect(run(path), path).toBe(`${MARK}text of ${name}`);
			}
		}
		expect(run("config.yaml", 4)).toBe(`${MARK}text`);
		for (const path of ["missing", "~/missing", "a folder"]) expect(() => run(path)).toThrow();
	},
);

const answering = (output: (mark: string) => string | Buffer, code = 0) =>
	scripted({
		exec: (channel, command) => {
			const [mark = ""] = /\b[0-9a-f]{32}\b/.exec(command) ?? [];
			channel.write(output(mark));
			channel.exit(code);
			channel.end();
		},
	});

test("what a login script prints is no part of the file", async () => {
	const { port, home } = await answering((mark) => `Last login: today\n${mark}a: 1\n`);
	expect(await readText(client(home, port), "x")).toBe("a: 1\n");
});

test.each<[string, (mark: string) => string, number]>([
	["says nothing", () => "", 0],
	["prints something else", () => "This account is not available.\n", 0],
	["fails half-way", (mark) => `${mark}a: 1\n`, 1],
])("a command that %s leaves the file to SFTP", async (_what, output, code) => {
	const { port, home } = await answering(output, code);
	await expect(readText(client(home, port), "x")).rejects.toMatchObject({
		message: "The SSH server offers no SFTP",
	});
});

test("a file that is larger than asked for is refused, also by way of the command", async () => {
	const { port, home } = await answering((mark) => `${mark}${"x".repeat(11)}`);
	await expect(readText(client(home, port), "x", 10)).rejects.toMatchObject({
		message: "x on the server is larger than 10 bytes",
	});
});

test("a command that never ends does not hold up SFTP", async () => {
	const { port, home } = await scripted({
		exec: () => undefined,
		sftp: (sftp) => {
			sftp.on("OPEN", (id) => sftp.handle(id, Buffer.from("file")));
			sftp.on("READ", (id, _handle, offset) => {
				if (offset === 0) sftp.data(id, Buffer.from("hello"));
				else sftp.status(id, 1);
			});
		},
	});
	expect(await readText(client(home, port), "x")).toBe("hello");
});
