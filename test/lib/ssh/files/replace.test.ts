import {
	chmod,
	lstat,
	mkdir,
	readdir,
	readFile,
	readlink,
	rm,
	stat,
	symlink,
	utimes,
	writeFile,
} from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import type { SftpHook } from "../../../../demo/sftp.ts";
import { AiServerError } from "../../../../lib/errors.ts";
import { replaceFile } from "../../../../lib/ssh/files/replace.ts";
import { HOSTILE } from "../../../support/hostile.ts";
import { replacing, type SftpSession, sftpRig, temporary } from "../../../support/sftp-rig.ts";

const OLD = "models:\n  old: {}\n";
const NEW = "models:\n  new: {}\n  ünïcödé: {}\n";
const BACKUP = "config.yaml.bak-20261121T080000.123Z";

interface Place {
	readonly folder: string;
	readonly file: string;
	readonly session: SftpSession;
}

/** A session on a folder with config.yaml. */
async function place(hook?: SftpHook, stop?: Promise<never>): Promise<Place> {
	const folder = await temporary();
	const file = join(folder, "config.yaml");
	await writeFile(file, OLD);
	const rig = await sftpRig(folder, { hook: () => hook });
	return { folder, file, session: await rig.open(stop) };
}

function failing(name: string, code: string, path = /./): SftpHook {
	return (request) => {
		if (request.name !== name || !path.test(request.path ?? "handle")) return undefined;
		throw Object.assign(new Error(code), { code });
	};
}

/** The old text is there and nothing else. */
async function expectUntouched(folder: string): Promise<void> {
	expect(await readFile(join(folder, "config.yaml"), "utf8")).toBe(OLD);
	expect(await readdir(folder)).toEqual(["config.yaml"]);
}

test.each(["~/config.yaml", "config.yaml", "/home/demo/config.yaml"])(
	"replaces %s",
	async (path) => {
		const { folder, file, session } = await place();
		await chmod(file, 0o640);
		expect(await replaceFile(session.sftp, path, replacing(OLD, NEW))).toEqual({
			realPath: "/home/demo/config.yaml",
			backupPath: `/home/demo/${BACKUP}`,
			notes: [],
		});
		expect(await readFile(file, "utf8")).toBe(NEW);
		expect(await readFile(join(folder, BACKUP), "utf8")).toBe(OLD);
		expect((await readdir(folder)).sort()).toEqual(["config.yaml", BACKUP]);
		for (const name of ["config.yaml", BACKUP]) {
			expect((await stat(join(folder, name))).mode & 0o7777).toBe(0o640);
		}
	},
);

test.each(["0400", "0600", "0644", "0666", "4755"])("keeps the mode %s", async (octal) => {
	const mode = Number.parseInt(octal, 8);
	const { file, session } = await place();
	await chmod(file, mode);
	await replaceFile(session.sftp, "config.yaml", replacing(OLD, NEW));
	expect((await stat(file)).mode & 0o7777).toBe(mode);
});

test.each([
	["nothing", ""],
	["many packets", "0123456789é漢🎉".repeat(20_000)],
	["CRLF, a byte order mark and no last line end", "\ufeffa\r\nb"],
])("a text of %s comes whole, and goes to the backup whole", async (_what, text) => {
	const { folder, file, session } = await place();
	await replaceFile(session.sftp, "config.yaml", replacing(OLD, text));
	expect((await readFile(file, "utf8")) === text).toBe(true);
	const { backupPath } = await replaceFile(session.sftp, "config.yaml", replacing(text, OLD));
	const backup = await readFile(join(folder, backupPath.slice("/home/demo/".length)), "utf8");
	expect(backup === text).toBe(true);
});

test("a symlink stays one, and the backup is in the folder of the file itself", async () => {
	const { folder, session } = await place();
	await mkdir(join(folder, "real"));
	await writeFile(join(folder, "real", "swap.yaml"), OLD);
	await symlink("real/swap.yaml", join(folder, "link.yaml"));
	const replaced = await replaceFile(session.sftp, "~/link.yaml", replacing(OLD, NEW));
	expect(replaced.realPath).toBe("/home/demo/real/swap.yaml");
	expect(await readlink(join(folder, "link.yaml"))).toBe("real/swap.yaml");
	expect(await readFile(join(folder, "real", "swap.yaml"), "utf8")).toBe(NEW);
	expect(await readdir(join(folder, "real"))).toHaveLength(2);
});

test.each(
	HOSTILE.filter((name) => name !== "" && name.length < 200 && !/[\0/]/.test(name)).map((name) => [
		name,
	]),
)("the name %j is only a name", async (name) => {
	const { folder, session } = await place();
	await writeFile(join(folder, name), OLD);
	const { backupPath } = await replaceFile(session.sftp, `./${name}`, replacing(OLD, NEW));
	expect(await readFile(join(folder, name), "utf8")).toBe(NEW);
	expect(backupPath.startsWith(`/home/demo/${name}.bak-`)).toBe(true);
	expect(await readdir(folder)).toHaveLength(3);
});

test("the last ten backups are kept, and no other file is touched", async () => {
	const { folder, session } = await place();
	const foreign = [
		"config.yaml.bak",
		"config.yaml.bak-20200101",
		"config.yaml.bak-20200101T000000Z",
		"config.yaml.bak-20200101T000000.000Z.gz",
		"other.yaml.bak-20200101T000000.000Z",
		"xconfig.yaml.bak-20200101T000000.000Z",
		"config.yaml.tmp",
		"config.yaml.ai-server-.tmp",
	];
	for (const name of foreign) await writeFile(join(folder, name), name);
	const ours = Array.from(
		{ length: 12 },
		(_, day) => `config.yaml.bak-202601${String(day + 1).padStart(2, "0")}T000000.000Z`,
	);
	for (const name of ours) await writeFile(join(folder, name), name);
	await writeFile(join(folder, "config.yaml.ai-server-dead.tmp"), "half");
	await writeFile(join(folder, "config.yaml.ai-server-dead.old.tmp"), "half");
	await replaceFile(session.sftp, "config.yaml", replacing(OLD, NEW));
	const expected = ["config.yaml", BACKUP, ...foreign, ...ours.slice(3)];
	expect((await readdir(folder)).sort()).toEqual(expected.sort());
});

test("backups of the same moment do not meet", async () => {
	const { folder, session } = await place();
	let old = OLD;
	for (const text of ["1", "2", "3"]) {
		await replaceFile(session.sftp, "config.yaml", replacing(old, text));
		old = text;
	}
	const texts = ["123", "124", "125"].map((ms) =>
		readFile(join(folder, `config.yaml.bak-20261121T080000.${ms}Z`), "utf8"),
	);
	expect(await Promise.all(texts)).toEqual([OLD, "1", "2"]);
});

test("a backup that cannot be removed is reported, and the write is done", async () => {
	const { folder, file, session } = await place(failing("REMOVE", "EACCES", /\.bak-|\.lock$/));
	for (let year = 2010; year < 2020; year += 1) {
		await writeFile(join(folder, `config.yaml.bak-${year}0101T000000.000Z`), "");
	}
	const replaced = await replaceFile(session.sftp, "config.yaml", replacing(OLD, NEW));
	expect(replaced.notes.toSorted()).toEqual([
		"/home/demo/config.yaml.bak-20100101T000000.000Z could not be removed: Permission denied",
		"The lock /home/demo/config.yaml.ai-server.lock could not be removed: Permission denied",
	]);
	expect(await readFile(file, "utf8")).toBe(NEW);
});

test.each<readonly [string, string, SftpHook | undefined, RegExp, RegExp]>([
	[
		"a missing file",
		"missing.yaml",
		undefined,
		/^missing\.yaml does not exist on the server$/,
		/^Check the path$/,
	],
	[
		"a missing folder",
		"a/b.yaml",
		undefined,
		/^a\/b\.yaml does not exist on the server$/,
		/^Check the path$/,
	],
	["a folder", "~", undefined, /^~ on the server is not a regular file/, /^Check the path$/],
	[
		"a NUL in the path",
		"a\0b",
		undefined,
		/^The path "a\\u0000b" contains a NUL character$/,
		/^Check the path$/,
	],
	[
		"an unreadable file",
		"config.yaml",
		failing("OPEN", "EACCES", /yaml$/),
		/^No permission to read config\.yaml on the server$/,
		/^Check the path$/,
	],
	[
		"a read-only folder",
		"config.yaml",
		failing("OPEN", "EACCES", /ai-server/),
		/^No permission to write in the folder of config\.yaml on the server; the file is unchanged$/,
		/write permission/,
	],
	[
		"a rename that is refused",
		"config.yaml",
		failing("posix-rename@openssh.com", "EPERM"),
		/^No permission to write in the folder of config\.yaml on the server; the file is unchanged$/,
		/write permission/,
	],
	[
		"a server without fsync",
		"config.yaml",
		failing("fsync@openssh.com", "EIO"),
		/^Replacing config\.yaml on the server failed: Failure; the file is unchanged$/,
		/quota/,
	],
])("%s is refused with a reason", async (_what, path, hook, message, hint) => {
	const { folder, session } = await place(hook);
	const refused = replaceFile(session.sftp, path, replacing(OLD, NEW));
	await expect(refused).rejects.toMatchObject({
		name: "AiServerError",
		message: expect.stringMatching(message),
		hint: expect.stringMatching(hint),
	});
	await expectUntouched(folder);
});

test("a server without posix-rename is an error", async () => {
	const { folder, session } = await place();
	(session.raw as unknown as { _extensions: object })._extensions = {
		"fsync@openssh.com": "1",
	};
	const refused = replaceFile(session.sftp, "config.yaml", replacing(OLD, NEW));
	await expect(refused).rejects.toMatchObject({
		code: "ssh",
		message: expect.stringMatching(
			/^The SFTP server cannot replace config\.yaml safely: it lacks posix/,
		),
	});
	await expectUntouched(folder);
});

test("an owner that cannot be kept is refused before anything is written", async () => {
	const written: string[] = [];
	let looks = 0;
	const { folder, file, session } = await place((request) => {
		if (request.name === "WRITE") written.push(request.name);
		// As for an account that may not give files away.
		if (request.name === "FSETSTAT" && ++looks === 1) {
			throw Object.assign(new Error("EPERM"), { code: "EPERM" });
		}
		return undefined;
	});
	const { uid, gid } = await stat(file);
	const attributes = session.raw.lstat.bind(session.raw);
	session.raw.lstat = (path, done) =>
		attributes(path, (error, stats) => {
			if (error === undefined && path.endsWith("config.yaml")) stats.uid = uid + 1;
			done(error, stats);
		});
	const refused = replaceFile(session.sftp, "config.yaml", replacing(OLD, NEW));
	await expect(refused).rejects.toMatchObject({
		code: "ssh",
		message: `config.yaml belongs to ${uid + 1}:${gid}, but the SSH login is ${uid}:${gid}: a new file would change its owner, so nothing was written`,
		hint: expect.stringContaining("chown"),
	});
	expect(written).toEqual(["WRITE"]); // the lock
	await expectUntouched(folder);
});

const FOREIGN = "models:\n  theirs: {}\n";

test.each<readonly [string, string, RegExp]>([
	["before the write", "REALPATH", /./],
	["while it is prepared", "OPEN", /\.tmp$/],
	["while the backup is named", "RENAME", /./],
	["while the new text is written", "fsync@openssh.com", /^handle$/],
])("a file changed %s stays as another client wrote it", async (_when, name, path) => {
	let edits = 0;
	let file = "";
	const { folder, session, ...rest } = await place(async (request) => {
		const isMoment = request.name === name && path.test(request.path ?? "handle");
		if (isMoment && edits++ === 0) await writeFile(file, FOREIGN);
		return undefined;
	});
	file = rest.file;
	const refused = replaceFile(session.sftp, "config.yaml", replacing(OLD, NEW));
	await expect(refused).rejects.toMatchObject({
		code: "config",
		message: expect.stringMatching(
			/^config\.yaml on the server has changed in the meantime; nothing was written$/,
		),
	});
	expect(await readFile(file, "utf8")).toBe(FOREIGN);
	expect(await readdir(folder)).toEqual(["config.yaml"]);
});

test("a lock that another client holds is reported with its age, and stays", async () => {
	const { folder, session } = await place();
	const lock = join(folder, "config.yaml.ai-server.lock");
	await writeFile(lock, "theirs");
	const since = new Date(Date.now() - 20_000);
	await utimes(lock, since, since);
	const refused = replaceFile(session.sftp, "config.yaml", replacing(OLD, NEW));
	await expect(refused).rejects.toMatchObject({
		code: "config",
		message: expect.stringMatching(
			/^Another client has been changing config\.yaml on the server for [23]\d s; nothing was written$/,
		),
		hint: expect.stringContaining("60 s"),
	});
	expect(await readFile(lock, "utf8")).toBe("theirs");
	expect((await readdir(folder)).sort()).toEqual(["config.yaml", "config.yaml.ai-server.lock"]);
	expect(await readFile(join(folder, "config.yaml"), "utf8")).toBe(OLD);
});

test("a lock that a dead client left is taken over", async () => {
	const { folder, file, session } = await place();
	const lock = join(folder, "config.yaml.ai-server.lock");
	await writeFile(lock, "theirs");
	await utimes(lock, new Date(0), new Date(0));
	await replaceFile(session.sftp, "config.yaml", replacing(OLD, NEW));
	expect(await readFile(file, "utf8")).toBe(NEW);
	expect((await readdir(folder)).sort()).toEqual(["config.yaml", BACKUP]);
});

test("a write whose lock was taken over does not go on, and leaves the lock", async () => {
	let lock = "";
	const { folder, session } = await place(async ({ name, path }) => {
		if (name === "RENAME" && path?.endsWith(".old.tmp") === true) await writeFile(lock, "theirs");
		return undefined;
	});
	lock = join(folder, "config.yaml.ai-server.lock");
	const refused = replaceFile(session.sftp, "config.yaml", replacing(OLD, NEW));
	await expect(refused).rejects.toMatchObject({ code: "config" });
	expect(await readFile(lock, "utf8")).toBe("theirs");
	expect(await readFile(join(folder, "config.yaml"), "utf8")).toBe(OLD);
	expect((await readdir(folder)).sort()).toEqual(["config.yaml", "config.yaml.ai-server.lock"]);
});

/** The text has several packets, so that the cut comes between them too. */
const LONG = "new text\n".repeat(10_000);

interface Outcome {
	/** False when there was no such request any more. */
	readonly reached: boolean;
	readonly error: unknown;
}

/** Replaces with `hook` in force at the n-th request alone. */
async function replaceDisturbed(
	folder: string,
	n: number,
	disturb: (cut: () => void) => (() => void) | undefined,
): Promise<Outcome> {
	let count = 0;
	const rig = await sftpRig(folder, {
		hook: (cut) => () => (++count === n ? disturb(cut) : undefined),
	});
	const session = await rig.open();
	let error: unknown;
	try {
		await replaceFile(session.sftp, "~/config.yaml", replacing(OLD, LONG));
	} catch (caught) {
		error = caught;
	}
	session.end();
	// A request that came before the cut may still be carried out after the client has given up.
	await rig.settled();
	return { reached: count >= n, error };
}

const CUTS: readonly (readonly [string, (cut: () => void) => (() => void) | undefined])[] = [
	[
		"before it is carried out",
		(cut) => {
			cut();
			throw new Error("cut");
		},
	],
	["before it is answered", (cut) => cut],
];

test.each(CUTS)("the connection cut at each request, %s", async (_when, disturb) => {
	const folder = await temporary();
	const file = join(folder, "config.yaml");
	const seen = { old: 0, new: 0, done: 0 };
	for (let n = 1; ; n += 1) {
		await rm(folder, { recursive: true });
		await mkdir(folder);
		await writeFile(file, OLD);
		await chmod(file, 0o640);
		const { reached, error } = await replaceDisturbed(folder, n, disturb);
		const text = await readFile(file, "utf8");
		expect([OLD, LONG].indexOf(text), `request ${n}`).toBeGreaterThanOrEqual(0);
		expect((await stat(file)).mode & 0o7777).toBe(0o640);
		if (error === undefined) expect(text === LONG, `request ${n}`).toBe(true);
		else {
			expect(error).toBeInstanceOf(AiServerError);
			const { message } = error as AiServerError;
			if (text === LONG) expect(message).toMatch(/the old or the new text, complete$/);
			else expect(message).toMatch(/^The connection was lost (before|while) ~\/config\.yaml/);
			if (!message.includes("while")) expect(text).toBe(OLD);
		}
		const backups = (await readdir(folder)).filter((name) => name.includes(".bak-"));
		for (const name of backups) expect(await readFile(join(folder, name), "utf8")).toBe(OLD);
		if (text === LONG) expect(backups).toHaveLength(1);
		seen[error === undefined ? "done" : text === OLD ? "old" : "new"] += 1;
		if (!reached) break;

		// The next write, a while later, finds nothing in its way and tidies up.
		const lock = join(folder, "config.yaml.ai-server.lock");
		await utimes(lock, new Date(0), new Date(0)).catch(() => undefined);
		const rig = await sftpRig(folder);
		const session = await rig.open();
		await replaceFile(session.sftp, "~/config.yaml", replacing(text, "next\n"));
		expect(await readFile(file, "utf8")).toBe("next\n");
		const rest = (await readdir(folder)).filter((name) => !name.includes(".bak-"));
		expect(rest).toEqual(["config.yaml"]);
		session.end();
	}
	expect(seen.old).toBeGreaterThan(30);
	expect(seen.done).toBeGreaterThan(3);
});

test.each(["EIO", "EACCES"])("each request refused in turn with %s", async (code) => {
	const folder = await temporary();
	const file = join(folder, "config.yaml");
	let refusals = 0;
	for (let n = 1; ; n += 1) {
		await rm(folder, { recursive: true });
		await mkdir(folder);
		await writeFile(file, OLD);
		const { reached, error } = await replaceDisturbed(folder, n, () => {
			throw Object.assign(new Error(code), { code });
		});
		if (error === undefined) expect((await readFile(file, "utf8")) === LONG).toBe(true);
		else {
			refusals += 1;
			expect(error, `request ${n}`).toMatchObject({ name: "AiServerError", code: "ssh" });
			await expectUntouched(folder);
		}
		if (!reached) break;
	}
	expect(refusals).toBeGreaterThan(25);
});

test("a write whose caller has given up removes its files", async () => {
	const { promise: stop, reject } = Promise.withResolvers<never>();
	stop.catch(() => undefined);
	const { promise: tidied, resolve } = Promise.withResolvers<void>();
	let removals = 0;
	const { folder, session } = await place(({ name }) => {
		if (name === "fsync@openssh.com") reject(new Error("too late"));
		// The old text's draft, the new one's and the lock.
		return name === "REMOVE" && ++removals === 3 ? resolve : undefined;
	}, stop);
	await expect(replaceFile(session.sftp, "config.yaml", replacing(OLD, NEW))).rejects.toMatchObject(
		{
			code: "ssh",
			message: "The connection was lost before config.yaml was replaced; the file is unchanged",
			cause: new Error("too late"),
		},
	);
	await tidied;
	await expectUntouched(folder);
});

test("of writes at the same time each is done or refused, and the lock is given back", async () => {
	const { folder, file, session } = await place();
	const writes = Array.from({ length: 10 }, (_, n) =>
		replaceFile(session.sftp, "config.yaml", replacing(OLD, `text ${n}\n`)).then(
			() => [n],
			(error: unknown) => {
				expect(error).toMatchObject({ code: "config" });
				return [];
			},
		),
	);
	const done = (await Promise.all(writes)).flat();
	expect(done).toHaveLength(1);
	expect(await readFile(file, "utf8")).toBe(`text ${done[0]}\n`);
	expect((await readdir(folder)).sort()).toEqual(["config.yaml", BACKUP]);
	expect((await lstat(file)).isFile()).toBe(true);
});
