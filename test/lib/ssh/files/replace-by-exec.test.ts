import { execFileSync, spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { existsSync } from "node:fs";
import {
	chmod,
	chown,
	cp,
	mkdir,
	readdir,
	readFile,
	readlink,
	stat,
	symlink,
	utimes,
	writeFile,
} from "node:fs/promises";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import type { ReplaceOptions } from "../../../../lib/ssh/files/replace.ts";
import {
	type Exec,
	type ExecResult,
	readFileByExec,
	replaceFileByExec,
} from "../../../../lib/ssh/files/replace-by-exec.ts";
import { HOSTILE } from "../../../support/hostile.ts";
import { IS_ROOT, NOBODY, replacing, temporary } from "../../../support/sftp-rig.ts";

const OLD = "models:\n  old: {}\n";
const NEW = "models:\n  new: {}\n  ünïcödé: {}\n";
const BACKUP = "config.yaml.bak-20261121T080000.123Z";
const SHELLS = ["/bin/sh", "/bin/bash"].filter(existsSync);

if (!IS_ROOT) console.log("Some tests of replaceFileByExec are skipped: only root can mount");

interface ShellOptions {
	readonly shell?: string;
	readonly cwd?: string;
	readonly env?: NodeJS.ProcessEnv;
	/** Runs the command as nobody, if we are root. */
	readonly asNobody?: boolean;
	/** Only so much of the new text comes, as when the connection breaks. */
	readonly bytes?: number;
}

/** What sshd does with a command: the login shell reads it, in the home. */
function shell(options: ShellOptions = {}): Exec {
	const { shell: program = "/bin/sh", cwd, env, asNobody, bytes } = options;
	return (command, stdin = new Uint8Array()) =>
		new Promise<ExecResult>((resolve, reject) => {
			const account = asNobody === true && IS_ROOT ? { uid: NOBODY, gid: NOBODY } : {};
			const child = spawn(program, ["-c", command], {
				...account,
				...(cwd === undefined ? {} : { cwd }),
				env: { ...process.env, ...env },
			});
			const stdout: Buffer[] = [];
			const stderr: Buffer[] = [];
			child.stdout.on("data", (chunk: Buffer) => stdout.push(chunk));
			child.stderr.on("data", (chunk: Buffer) => stderr.push(chunk));
			child.stdin.on("error", () => undefined); // it may have seen enough
			child.stdin.end(stdin.subarray(0, bytes ?? stdin.length));
			child.once("error", reject);
			child.once("close", (code) => {
				resolve({
					code: code ?? undefined,
					stdout: Buffer.concat(stdout),
					stderr: Buffer.concat(stderr).toString(),
				});
			});
		});
}

function options(old: Uint8Array | string, content: Uint8Array | string): ReplaceOptions {
	return replacing(old, content, { lost: new Promise(() => undefined) });
}

async function place(): Promise<{ folder: string; file: string }> {
	const folder = await temporary();
	const file = join(folder, "config.yaml");
	await writeFile(file, OLD, { mode: 0o640 });
	return { folder, file };
}

async function expectUntouched(folder: string): Promise<void> {
	expect(await readFile(join(folder, "config.yaml"), "utf8")).toBe(OLD);
	expect(await readdir(folder)).toEqual(["config.yaml"]);
}

test.each(SHELLS)("%s: replaces, with a backup, and keeps mode and symlink", async (program) => {
	const { folder, file } = await place();
	await symlink("config.yaml", join(folder, "link.yaml"));
	const exec = shell({ shell: program });
	const replaced = await replaceFileByExec(exec, join(folder, "link.yaml"), options(OLD, NEW));
	expect(replaced).toEqual({ realPath: file, backupPath: join(folder, BACKUP), notes: [] });
	expect(await readFile(file, "utf8")).toBe(NEW);
	expect(await readFile(join(folder, BACKUP), "utf8")).toBe(OLD);
	expect(await readlink(join(folder, "link.yaml"))).toBe("config.yaml");
	for (const name of [file, join(folder, BACKUP)]) {
		expect((await stat(name)).mode & 0o7777).toBe(0o640);
	}
	expect((await readdir(folder)).sort()).toEqual(["config.yaml", BACKUP, "link.yaml"]);
});

test.each([
	["nothing", Buffer.alloc(0)] as const,
	["2 MB of anything", randomBytes(2_000_000)] as const,
])("a text of %s comes whole, and back", async (_what, text) => {
	const { file } = await place();
	await replaceFileByExec(shell(), file, options(OLD, text));
	expect((await readFile(file)).equals(text)).toBe(true);
	const read = await readFileByExec(shell(), file, { maxBytes: 2_000_000 });
	expect(read.equals(text)).toBe(true);
});

test("a tilde is the remote home, and other paths begin there", async () => {
	const { folder, file } = await place();
	const exec = shell({ cwd: folder, env: { HOME: folder } });
	await replaceFileByExec(exec, "~/config.yaml", options(OLD, "1"));
	await replaceFileByExec(exec, "config.yaml", options("1", "2"));
	expect(await readFile(file, "utf8")).toBe("2");
	expect((await readFileByExec(exec, "~/config.yaml")).toString()).toBe("2");
	await writeFile(join(folder, "~config"), "tilde");
	expect((await readFileByExec(exec, "~config")).toString()).toBe("tilde");
});

test("startup files that write something do no harm", async () => {
	const { file } = await place();
	const exec: Exec = (command, stdin) => shell()(`echo Welcome; echo; ${command}`, stdin);
	expect((await readFileByExec(exec, file)).toString()).toBe(OLD);
	const { realPath } = await replaceFileByExec(exec, file, options(OLD, NEW));
	expect(realPath).toBe(file);
});

test("the last backups are kept, and nobody else's file is touched", async () => {
	const { folder, file } = await place();
	const foreign = ["config.yaml.bak", "config.yaml.bak-2020", "config.yaml.tmp"];
	const ours = [1, 2, 3, 4].map((day) => `config.yaml.bak-2026010${day}T000000.000Z`);
	for (const name of [...foreign, ...ours]) await writeFile(join(folder, name), name);
	await writeFile(join(folder, "config.yaml.ai-server-dead.tmp"), "half");
	await replaceFileByExec(shell(), file, { ...options(OLD, NEW), keepBackups: 3 });
	const expected = ["config.yaml", BACKUP, ...foreign, ...ours.slice(2)];
	expect((await readdir(folder)).sort()).toEqual(expected.sort());
});

test("backups of the same moment do not meet", async () => {
	const { folder, file } = await place();
	await replaceFileByExec(shell(), file, options(OLD, "1"));
	await replaceFileByExec(shell(), file, options("1", "2"));
	expect(await readFile(join(folder, BACKUP), "utf8")).toBe(OLD);
	expect(await readFile(join(folder, BACKUP.replace("123Z", "124Z")), "utf8")).toBe("1");
});

test.each(
	HOSTILE.filter((name) => name !== "" && name.length < 200 && !/[\n\r/]/.test(name)).map(
		(name) => [name],
	),
)("a file named %j is read and replaced, and nothing is run", async (name) => {
	const { folder } = await place();
	await mkdir(join(folder, "in"));
	const file = join(folder, "in", name);
	await writeFile(file, OLD);
	const exec = shell({ cwd: folder });
	expect((await readFileByExec(exec, file)).toString()).toBe(OLD);
	const { backupPath } = await replaceFileByExec(exec, file, options(OLD, NEW));
	expect(await readFile(file, "utf8")).toBe(NEW);
	expect(await readFile(backupPath, "utf8")).toBe(OLD);
	expect(await readdir(join(folder, "in"))).toHaveLength(2);
	expect((await readdir(folder)).sort()).toEqual(["config.yaml", "in"]);
});

test.each(["a\0b", "a\nb", "a\rb"])("the path %j is refused", async (path) => {
	const never: Exec = () => Promise.reject(new Error("must not run"));
	const refusal = { code: "settings", message: expect.stringMatching(/^A control character in /) };
	await expect(readFileByExec(never, path)).rejects.toMatchObject(refusal);
	await expect(replaceFileByExec(never, path, options(OLD, NEW))).rejects.toMatchObject(refusal);
});

test.each<readonly [string, string, RegExp]>([
	["a missing file", "missing.yaml", /^There is no file \S+missing\.yaml on the server$/],
	["a missing folder", "a/b/c.yaml", /^There is no file \S+c\.yaml on the server$/],
	["a folder", ".", /is not a regular file$/],
])("%s is refused in words", async (_what, path, message) => {
	const { folder } = await place();
	const full = `${folder}/${path}`;
	const fault = { code: "ssh", message: expect.stringMatching(message) };
	await expect(readFileByExec(shell(), full)).rejects.toMatchObject(fault);
	await expect(replaceFileByExec(shell(), full, options(OLD, NEW))).rejects.toMatchObject(fault);
	await expectUntouched(folder);
});

test("a file that is too large to read is refused", async () => {
	const { file } = await place();
	const read = readFileByExec(shell(), file, { maxBytes: OLD.length - 1 });
	await expect(read).rejects.toMatchObject({
		code: "ssh",
		message: `${file} on the server is larger than ${OLD.length - 1} bytes`,
	});
	expect(await readFileByExec(shell(), file, { maxBytes: OLD.length })).toHaveLength(OLD.length);
});

test("a changed file is refused", async () => {
	const { folder, file } = await place();
	const refused = replaceFileByExec(shell(), file, options("else", NEW));
	await expect(refused).rejects.toMatchObject({
		code: "config",
		message: expect.stringMatching(/^Somebody else changed /),
	});
	await expectUntouched(folder);
});

test.each(["cp", "mv"])(
	"a file changed at the script's first %s stays as it was written",
	async (name) => {
		const { folder, file } = await place();
		const tools = await temporary();
		const real = execFileSync("sh", ["-c", `command -v ${name}`], { encoding: "utf8" }).trim();
		const lines = ["#!/bin/sh", `echo theirs >${file}`, `exec ${real} "$@"`];
		await writeFile(join(tools, name), `${lines.join("\n")}\n`, { mode: 0o755 });
		const exec = shell({ env: { PATH: `${tools}:${process.env["PATH"]}` } });
		await expect(replaceFileByExec(exec, file, options(OLD, NEW))).rejects.toMatchObject({
			code: "config",
			message: expect.stringMatching(/^Somebody else changed /),
		});
		expect(await readFile(file, "utf8")).toBe("theirs\n");
		expect(await readdir(folder)).toEqual(["config.yaml"]);
	},
);

test("a held lock is refused with its age, a dead client's is taken over", async () => {
	const { folder, file } = await place();
	const lock = join(folder, "config.yaml.ai-server.lock");
	await writeFile(lock, "theirs");
	const since = new Date(Date.now() - 20_000);
	await utimes(lock, since, since);
	await expect(replaceFileByExec(shell(), file, options(OLD, NEW))).rejects.toMatchObject({
		code: "config",
		message: expect.stringMatching(/^Somebody else is changing \S+ on the server, since [23]\d s;/),
	});
	expect(await readFile(lock, "utf8")).toBe("theirs");
	expect(await readFile(file, "utf8")).toBe(OLD);
	await utimes(lock, new Date(0), new Date(0));
	await replaceFileByExec(shell(), file, options(OLD, NEW));
	expect((await readdir(folder)).sort()).toEqual(["config.yaml", BACKUP]);
});

test.each<readonly [string, (folder: string) => Promise<unknown>, RegExp]>([
	[
		"a read-only folder",
		(folder) => chmod(folder, 0o555),
		/^The server does not let us write in the folder of \S+; the file is as it was$/,
	],
	[
		"an unreadable file",
		(folder) => chmod(join(folder, "config.yaml"), 0o200),
		/^The server does not let us read \S+$/,
	],
])("%s is refused in words", async (_what, spoil, message) => {
	const { folder, file } = await place();
	if (IS_ROOT) for (const path of [folder, file]) await chown(path, NOBODY, NOBODY);
	await spoil(folder);
	const exec = shell({ asNobody: true });
	await expect(replaceFileByExec(exec, file, options(OLD, NEW))).rejects.toMatchObject({
		code: "ssh",
		message: expect.stringMatching(message),
	});
	await chmod(folder, 0o755);
	await chmod(join(folder, "config.yaml"), 0o644);
	await expectUntouched(folder);
});

test.skipIf(!IS_ROOT)("a foreign owner is refused, or kept where we may", async () => {
	const { folder, file } = await place();
	await chown(folder, NOBODY, NOBODY);
	await chmod(file, 0o666);
	const refused = replaceFileByExec(shell({ asNobody: true }), file, options(OLD, NEW));
	await expect(refused).rejects.toMatchObject({
		code: "ssh",
		message: `${file} belongs to 0:0 and the SSH login is ${NOBODY}:${NOBODY}: a new file would lose its owner, so nothing was written`,
	});
	await expectUntouched(folder);
	await chown(file, NOBODY, 4321);
	await replaceFileByExec(shell(), file, options(OLD, NEW));
	for (const name of await readdir(folder)) {
		expect(await stat(join(folder, name))).toMatchObject({ uid: NOBODY, gid: 4321 });
	}
});

test.skipIf(!IS_ROOT)("a full disk and a read-only one are told", async () => {
	const folder = await temporary();
	execFileSync("mount", ["-t", "tmpfs", "-o", "size=64k", "tmpfs", folder]);
	onTestFinished(() => void execFileSync("umount", ["--lazy", folder]));
	const file = join(folder, "config.yaml");
	const old = randomBytes(20_000);
	await writeFile(file, old);
	const full = replaceFileByExec(shell(), file, options(old, randomBytes(40_000)));
	await expect(full).rejects.toMatchObject({
		code: "ssh",
		message: `The disk with ${file} on the server is full; the file is as it was`,
	});
	expect((await readFile(file)).equals(old)).toBe(true);
	expect(await readdir(folder)).toEqual(["config.yaml"]);
	execFileSync("mount", ["-o", "remount,ro", folder]);
	await expect(replaceFileByExec(shell(), file, options(old, NEW))).rejects.toMatchObject({
		message: expect.stringMatching(/^The file system with \S+ on the server is read-only/),
	});
});

test("a text that comes in part is never used", async () => {
	const { folder, file } = await place();
	const text = randomBytes(100_000);
	for (const bytes of [0, 1, 4096, 65_536, 99_999]) {
		await expect(
			replaceFileByExec(shell({ bytes }), file, options(OLD, text)),
		).rejects.toMatchObject({
			code: "ssh",
			message: `The connection broke before ${file} was replaced; the file is as it was`,
		});
		await expectUntouched(folder);
	}
});

test.each([
	["no exit code", undefined],
	["success, but no word of it", 0],
])("a command that ends with %s leaves it open which text is there", async (_what, code) => {
	const exec: Exec = () => Promise.resolve({ code, stdout: new Uint8Array(), stderr: "" });
	await expect(replaceFileByExec(exec, "x", options(OLD, NEW))).rejects.toMatchObject({
		code: "ssh",
		message: expect.stringMatching(/the old or the new text, whole$/),
	});
});

test("a connection that breaks leaves it open too, and names its cause", async () => {
	const cause = new Error("gone");
	const exec: Exec = () => Promise.reject(cause);
	await expect(replaceFileByExec(exec, "x", options(OLD, NEW))).rejects.toMatchObject({
		message: expect.stringMatching(/the old or the new text, whole$/),
		cause,
	});
});

test("a command killed at any time leaves the old or the new text", async () => {
	const { folder, file } = await place();
	const text = randomBytes(200_000);
	const seen = new Set<string>();
	// Each step of the script runs a program or more; the n-th one that is started kills the script.
	const tools = join(folder, "tools");
	const count = join(folder, "count");
	await mkdir(tools);
	for (const name of ["sha256sum", "stat", "chmod", "cp", "mv", "cat", "sync", "rm", "readlink"]) {
		const real = execFileSync("sh", ["-c", `command -v ${name}`], { encoding: "utf8" }).trim();
		const lines = [
			"#!/bin/sh",
			`echo x >>${count}`,
			`[ "$(wc -l <${count})" -ne "$KILL" ] || { ${"kill -9 $PPID"}; exit 1; }`,
			`exec ${real} "$@"`,
		];
		await writeFile(join(tools, name), `${lines.join("\n")}\n`, { mode: 0o755 });
	}
	for (let n = 1; ; n += 1) {
		await mkdir(join(folder, "in"), { recursive: true });
		const victim = join(folder, "in", "config.yaml");
		await cp(file, victim);
		await writeFile(count, "");
		const env = { PATH: `${tools}:${process.env["PATH"]}`, KILL: String(n) };
		const written = await replaceFileByExec(shell({ env }), victim, options(OLD, text)).then(
			() => true,
			() => false,
		);
		const now = await readFile(victim);
		if (written) expect(now.equals(text)).toBe(true);
		else expect(now.equals(text) || now.toString() === OLD, `program ${n}`).toBe(true);
		seen.add(now.equals(text) ? "new" : "old");
		const steps = (await readFile(count, "utf8")).split("\n").length - 1;
		if (steps < n) break;
		execFileSync("rm", ["-r", join(folder, "in")]);
	}
	expect([...seen].sort()).toEqual(["new", "old"]);
});

test("a server without the tools is told which", async () => {
	const { folder, file } = await place();
	const tools = join(folder, "tools");
	await mkdir(tools);
	for (const name of ["sh", "readlink", "stat", "date", "wc"]) {
		const real = execFileSync("sh", ["-c", `command -v ${name}`], { encoding: "utf8" }).trim();
		await symlink(real, join(tools, name));
	}
	const refused = replaceFileByExec(shell({ env: { PATH: tools } }), file, options(OLD, NEW));
	await expect(refused).rejects.toMatchObject({
		code: "ssh",
		message: expect.stringMatching(/it lacks sha256sum \(GNU or BusyBox\); the file is as it was$/),
		hint: expect.stringContaining("internal-sftp"),
	});
	expect(await readFile(file, "utf8")).toBe(OLD);
});

test("writes at the same time are done or refused, and none is lost", async () => {
	const { folder, file } = await place();
	await writeFile(file, "");
	let refusals = 0;
	const edit = async (line: string): Promise<void> => {
		const old = await readFile(file, "utf8");
		try {
			await replaceFileByExec(shell(), file, options(old, `${old}${line}\n`));
		} catch (error) {
			expect(error).toMatchObject({ code: "config" });
			refusals += 1;
			await edit(line);
		}
	};
	const lines = ["a", "b", "c", "d", "e", "f"];
	await Promise.all(lines.map(edit));
	expect((await readFile(file, "utf8")).trimEnd().split("\n").toSorted()).toEqual(lines);
	expect(refusals).toBeGreaterThan(0);
	expect(await readdir(folder)).toHaveLength(1 + lines.length);
});
