// Against OpenSSH's sftp-server, several clients at once, a full disk, and clients that are killed.
import { execFileSync, spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { chmod, chown, readdir, readFile, stat, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, onTestFinished, test } from "vitest";
import { AiServerError } from "../../../../lib/errors.ts";
import { replaceFile } from "../../../../lib/ssh/files/replace.ts";
import {
	IS_ROOT,
	NOBODY,
	replacing,
	SFTP_SERVER,
	type SftpSession,
	sftpRig,
	temporary,
} from "../../../support/sftp-rig.ts";

const OLD = "models:\n  old: {}\n";
const NEW = "models:\n  new: {}\n";

const noOpenSsh = SFTP_SERVER === undefined ? "no sftp-server of OpenSSH is installed" : undefined;
const noRoot = IS_ROOT ? undefined : "only root can mount, and give files away";
for (const reason of [noOpenSsh, noRoot]) {
	if (reason !== undefined) console.log(`Some tests of replaceFile are skipped: ${reason}`);
}

/** Root's files become those of the account that runs the SFTP server. */
async function give(path: string): Promise<void> {
	if (IS_ROOT) await chown(path, NOBODY, NOBODY);
}

async function openSsh(): Promise<{ folder: string; file: string; session: SftpSession }> {
	const folder = await temporary();
	const file = join(folder, "config.yaml");
	await writeFile(file, OLD, { mode: 0o640 });
	await give(file);
	await give(folder);
	const rig = await sftpRig(folder, { openssh: true });
	return { folder, file, session: await rig.open() };
}

async function expectUntouched(folder: string): Promise<void> {
	expect(await readFile(join(folder, "config.yaml"), "utf8")).toBe(OLD);
	expect(await readdir(folder)).toEqual(["config.yaml"]);
}

test.skipIf(noOpenSsh !== undefined)("OpenSSH: replaces, and keeps symlink and mode", async () => {
	const { folder, file, session } = await openSsh();
	await symlink("config.yaml", join(folder, "link.yaml"));
	const long = randomBytes(300_000);
	const link = join(folder, "link.yaml");
	const replaced = await replaceFile(session.sftp, link, replacing(OLD, long));
	expect(replaced.notes).toEqual([]);
	expect(replaced.realPath).toBe(file);
	expect((await readFile(file)).equals(long)).toBe(true);
	expect(await readFile(replaced.backupPath, "utf8")).toBe(OLD);
	expect((await stat(file)).mode & 0o7777).toBe(0o640);
	if (IS_ROOT) expect((await stat(file)).uid).toBe(NOBODY);
	expect(await readdir(folder)).toHaveLength(3);
});

test.skipIf(noOpenSsh !== undefined)("OpenSSH: a changed file is refused", async () => {
	const { folder, session } = await openSsh();
	const refused = replaceFile(session.sftp, `${folder}/config.yaml`, replacing("x", NEW));
	await expect(refused).rejects.toMatchObject({ code: "config" });
	await expectUntouched(folder);
});

test.skipIf(noOpenSsh !== undefined)("OpenSSH: a held lock is refused with its age", async () => {
	const { folder, session } = await openSsh();
	await writeFile(join(folder, "config.yaml.ai-server.lock"), "theirs");
	const refused = replaceFile(session.sftp, `${folder}/config.yaml`, replacing(OLD, NEW));
	await expect(refused).rejects.toMatchObject({
		code: "config",
		message: expect.stringMatching(/has been changing .*config\.yaml on the server for \d+ s/),
	});
	expect(await readdir(folder)).toHaveLength(2);
});

test.skipIf(noOpenSsh !== undefined).each<readonly [string, (folder: string) => unknown, RegExp]>([
	[
		"a read-only folder",
		(folder) => chmod(folder, 0o555),
		/^No permission to write in the folder of \S+config\.yaml on the server; the file is unchanged$/,
	],
	[
		"an unreadable file",
		(folder) => chmod(join(folder, "config.yaml"), 0o000),
		/^No permission to read \S+config\.yaml on the server$/,
	],
])("OpenSSH: %s", async (_what, spoil, message) => {
	const { folder, session } = await openSsh();
	await spoil(folder);
	const refused = replaceFile(session.sftp, `${folder}/config.yaml`, replacing(OLD, NEW));
	await expect(refused).rejects.toMatchObject({
		code: "ssh",
		message: expect.stringMatching(message),
	});
	await chmod(folder, 0o755);
	await chmod(join(folder, "config.yaml"), 0o644);
	await expectUntouched(folder);
});

test.skipIf(noOpenSsh !== undefined || noRoot !== undefined)(
	"OpenSSH: a foreign owner is refused before anything is written",
	async () => {
		const { folder, file, session } = await openSsh();
		await chown(file, 0, 0);
		await chmod(file, 0o666);
		const refused = replaceFile(session.sftp, file, replacing(OLD, NEW));
		await expect(refused).rejects.toMatchObject({
			code: "ssh",
			message: `${file} belongs to 0:0, but the SSH login is ${NOBODY}:${NOBODY}: a new file would change its owner, so nothing was written`,
		});
		await expectUntouched(folder);
	},
);

test.skipIf(noRoot !== undefined)("an owner that can be kept is kept", async () => {
	const folder = await temporary();
	const file = join(folder, "config.yaml");
	await writeFile(file, OLD);
	await chown(file, NOBODY, 4321);
	const session = await (await sftpRig(folder)).open();
	await replaceFile(session.sftp, "config.yaml", replacing(OLD, NEW));
	expect(await readFile(file, "utf8")).toBe(NEW);
	for (const name of await readdir(folder)) {
		expect(await stat(join(folder, name))).toMatchObject({ uid: NOBODY, gid: 4321 });
	}
});

/** 64 KiB to write on. */
async function tinyDisk(): Promise<string> {
	const folder = await temporary();
	execFileSync("mount", ["-t", "tmpfs", "-o", "size=64k,mode=777", "tmpfs", folder]);
	onTestFinished(() => void execFileSync("umount", ["--lazy", folder]));
	return folder;
}

const FULL = [
	["the demo's server", "beforehand, by its free space", false],
	["the demo's server", "by the write that fails", true],
	["OpenSSH's", "beforehand, by its free space", false],
] as const;

test.skipIf(noRoot !== undefined).each(FULL.slice(0, SFTP_SERVER === undefined ? 2 : 3))(
	"a full disk on %s is noticed %s",
	async (server, _when, silent) => {
		const openssh = server === "OpenSSH's";
		const folder = await tinyDisk();
		const file = join(folder, "config.yaml");
		const old = randomBytes(20_000);
		await writeFile(file, old);
		await give(file);
		let asked = 0;
		const rig = await sftpRig(folder, {
			openssh,
			hook: () => (request) => {
				// The first look is refused, as on a server without statvfs.
				if (silent && request.name === "statvfs@openssh.com" && asked++ === 0)
					throw new Error("no");
				return undefined;
			},
		});
		const session = await rig.open();
		const path = openssh ? file : "config.yaml";
		const refused = replaceFile(session.sftp, path, replacing(old, randomBytes(40_000)));
		await expect(refused).rejects.toMatchObject({
			code: "ssh",
			message: expect.stringMatching(
				silent
					? /^The disk of config\.yaml on the server is full; the file is unchanged$/
					: /^The disk of \S+ on the server is full \(\d+ bytes free, 69632 needed\); the file/,
			),
			hint: expect.stringContaining("Free some space"),
		});
		expect((await readFile(file)).equals(old)).toBe(true);
		expect(await readdir(folder)).toEqual(["config.yaml"]);
	},
);

const noReadOnly = noRoot ?? noOpenSsh;
test.skipIf(noReadOnly !== undefined)("a read-only file system is reported", async () => {
	const folder = await tinyDisk();
	await writeFile(join(folder, "config.yaml"), OLD);
	await give(join(folder, "config.yaml"));
	execFileSync("mount", ["-o", "remount,ro", folder]);
	const session = await (await sftpRig(folder, { openssh: true })).open();
	const refused = replaceFile(session.sftp, `${folder}/config.yaml`, replacing(OLD, NEW));
	await expect(refused).rejects.toMatchObject({
		code: "ssh",
		message: expect.stringMatching(
			/^The file system of \S+config\.yaml on the server is read-only/,
		),
	});
	await expectUntouched(folder);
});

const SERVERS = [
	["the demo's server", false],
	["OpenSSH's", true],
] as const;

test.each(SERVERS.slice(0, SFTP_SERVER === undefined ? 1 : 2))(
	"50 edits of two clients at once, on %s: each is done or refused",
	async (_which, openssh) => {
		const folder = await temporary();
		const file = join(folder, "config.yaml");
		await writeFile(file, "");
		await give(file);
		await give(folder);
		const path = openssh ? file : "config.yaml";
		const rig = await sftpRig(folder, { openssh });
		const clients = [await rig.open(), await rig.open()];
		let refusals = 0;
		/** Adds a line to the file; false when the other client was faster. */
		const tryEdit = async (session: SftpSession, line: string): Promise<boolean> => {
			const old = await readFile(file, "utf8");
			try {
				await replaceFile(session.sftp, path, replacing(old, `${old}${line}\n`));
				return true;
			} catch (error) {
				expect(error).toBeInstanceOf(AiServerError);
				expect(error).toMatchObject({
					code: "config",
					message: expect.stringMatching(
						/ has changed in the meantime;|^Another client has been changing /,
					),
				});
				refusals += 1;
				return false;
			}
		};
		const edits = clients.flatMap((session, client) =>
			Array.from({ length: 25 }, (_, n) => ({ session, line: `client ${client}, edit ${n}` })),
		);

		const first = await Promise.all(edits.map(({ session, line }) => tryEdit(session, line)));
		const done = edits.filter((_, n) => first[n]).map(({ line }) => line);
		expect(done.length).toBeGreaterThan(0);
		const lines = (await readFile(file, "utf8")).trimEnd().split("\n");
		expect(lines.toSorted()).toEqual(done.toSorted());

		// The refused ones begin anew until they are in: none is lost, none comes twice.
		const untilDone = async (session: SftpSession, line: string): Promise<void> => {
			while (!(await tryEdit(session, line)));
		};
		const refused = edits.filter((_, n) => first[n] !== true);
		await Promise.all(
			clients.map(async (client) => {
				for (const { session, line } of refused) {
					if (session === client) await untilDone(session, line);
				}
			}),
		);
		const all = (await readFile(file, "utf8")).trimEnd().split("\n");
		expect(all.toSorted()).toEqual(edits.map(({ line }) => line).toSorted());
		expect(refusals).toBeGreaterThan(0);
		const backups = (await readdir(folder)).filter((name) => name !== "config.yaml");
		expect(backups.every((name) => name.includes(".bak-"))).toBe(true);
		expect(backups.length).toBeLessThanOrEqual(10);
	},
);

const CHILD = fileURLToPath(new URL("../../../support/replace-child.ts", import.meta.url));

test.each<readonly [string, string, RegExp, number, "old" | "new"]>([
	["takes the lock", "OPEN", /\.lock$/, 1, "old"],
	["makes its draft", "OPEN", /\.tmp$/, 1, "old"],
	["names the backup", "RENAME", /./, 1, "old"],
	// The lock, the backup, and the first packet came before it.
	["is in the midst of the text", "WRITE", /./, 4, "old"],
	["syncs the text", "fsync@openssh.com", /./, 2, "old"],
	["replaces the file", "posix-rename@openssh.com", /./, 1, "new"],
	["looks for old backups", "OPENDIR", /./, 1, "new"],
])("a client killed when it %s leaves the file whole", async (_when, name, path, nth, left) => {
	const folder = await temporary();
	const file = join(folder, "config.yaml");
	await writeFile(file, OLD);
	let seen = 0;
	let child: ReturnType<typeof spawn> | undefined;
	const { promise: killed, resolve } = Promise.withResolvers<void>();
	const rig = await sftpRig(folder, {
		hook: () => async (request) => {
			if (request.name !== name || !path.test(request.path ?? "handle")) return undefined;
			if (++seen !== nth || child === undefined) return undefined;
			const exited = once(child, "exit");
			child.kill("SIGKILL");
			await exited;
			return resolve; // the request itself had come, and is carried out
		},
	});
	child = spawn(process.execPath, [CHILD, String(rig.port), "config.yaml", "200000"], {
		stdio: "inherit",
	});
	const failed = once(child, "exit").then(([code]) => {
		if (code !== null) throw new Error(`the child ended with ${code}`);
		return killed;
	});
	await failed;
	const text = await readFile(file);
	const replaced = Buffer.alloc(200_000, "new ");
	expect(text.equals(left === "old" ? Buffer.from(OLD) : replaced)).toBe(true);
	const backups = (await readdir(folder)).filter((entry) => entry.includes(".bak-"));
	for (const backup of backups) expect(await readFile(join(folder, backup), "utf8")).toBe(OLD);
	if (left === "new") expect(backups).toHaveLength(1);
});
