import { mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { readRemoteText, replaceRemoteText } from "../../../../lib/ssh/files/config-file.ts";
import type { Ssh } from "../../../../lib/ssh/types.ts";
import { type LongLine, longLine } from "../../../support/long-line.ts";
import { client, demo, readText, temporary } from "../../../support/ssh-rig.ts";
import { findOpenSsh, makeKey, startSshd } from "../../../support/sshd.ts";

const found = await findOpenSsh();
const MODELS = 15;

interface Rig {
	readonly line: LongLine;
	readonly ssh: Ssh;
	/** A folder of the server, as the client names it. */
	readonly folder: string;
}

async function withFiles(folder: string): Promise<void> {
	await writeFile(join(folder, "config.yaml"), "x".repeat(30_000));
	for (let n = 0; n < MODELS; n++) {
		await writeFile(join(folder, `${n}.gguf`), `${n}`.repeat(100_000));
	}
}

/** OpenSSH's server behind a long line. */
async function openSsh(): Promise<Rig> {
	const sshd = await startSshd(found?.sshd ?? "");
	onTestFinished(() => sshd.close());
	const line = await longLine(sshd.port, 150); // a shell takes its time to start
	const home = await temporary();
	await mkdir(join(home, ".ssh"));
	await sshd.authorize(await makeKey(join(home, ".ssh", "id_ed25519")));
	const known = `[127.0.0.1]:${line.port} ${await sshd.hostKey("ed25519")}\n`;
	await writeFile(join(home, ".ssh", "known_hosts"), known);
	const folder = await temporary();
	await withFiles(folder);
	const target = { user: sshd.user, host: "127.0.0.1", port: line.port };
	return { line, ssh: client(home, line.port, { target }), folder };
}

/** The demo's server behind a long line. */
async function embedded(): Promise<Rig> {
	const { server, home, remoteHome } = await demo();
	const line = await longLine(server.port, 60);
	const known = join(home, ".ssh", "known_hosts");
	const text = await readFile(known, "utf8");
	await writeFile(known, text.replace(`:${server.port} `, `:${line.port} `));
	await withFiles(remoteHome);
	return { line, ssh: client(home, line.port), folder: "~" };
}

const RIGS: readonly (readonly [string, () => Promise<Rig>])[] = [
	["the demo", embedded],
	...(found === undefined ? [] : [["OpenSSH", openSsh] as const]),
];

/** On a busy machine an answer may miss its trip, so that more are counted; never fewer. */
const BUSY = { retry: 4 };

test.each(RIGS)(
	"%s: a login with the text of a file, then 15 heads",
	BUSY,
	async (server, start) => {
		const { line, ssh, folder } = await start();
		// A real shell takes its time to start, more than a trip of this line waits for.
		const late = server === "OpenSSH" ? 2 : 0;
		const text = await line.during(() => readText(ssh, `${folder}/config.yaml`));
		// Connection, greetings, keys, service, key offered, key proven; then channel and command.
		expect(text).toBeLessThanOrEqual(8 + late);
		const read = (): Promise<unknown> =>
			Promise.all(
				Array.from({ length: MODELS }, (_none, n) =>
					ssh.readRange(`${folder}/${n}.gguf`, 0, 16_384),
				),
			);
		// The session was begun with the command; what is left of that, then open and read.
		expect(text + (await line.during(read))).toBeLessThanOrEqual(12 + late);
		expect(await line.during(read)).toBeLessThanOrEqual(2);
		expect(await line.during(() => readText(ssh, `${folder}/config.yaml`))).toBeLessThanOrEqual(
			2 + late,
		);
	},
);

test.each(RIGS)("%s: a session that was lent is used again", BUSY, async (_server, start) => {
	const { line, ssh, folder } = await start();
	const resolve = (): Promise<string> => ssh.withSftp((sftp) => sftp.resolve(folder));
	await resolve();
	expect(await line.during(resolve)).toBe(1);
	expect(await line.during(() => ssh.readRange(`${folder}/0.gguf`, 0, 1))).toBe(2);
	// Nobody waits for another's session, and one of the two is kept.
	expect(await line.during(() => Promise.all([resolve(), resolve()]))).toBeLessThanOrEqual(5);
	expect(await line.during(resolve)).toBe(1);
});

test.each(RIGS)("%s: a text is read and replaced", BUSY, async (_server, start) => {
	const { line, ssh, folder } = await start();
	const path = `${folder}/config.yaml`;
	const expected = await readRemoteText(ssh, path);
	const replace = (): Promise<unknown> =>
		replaceRemoteText(ssh, path, { expected, text: `new ${expected}` });
	// Three for the file and the disk, two for the lock, six for the drafts and the backup, two to
	// look again, one to put in place; then four to tidy up. At most three to open the session.
	expect(await line.during(replace)).toBeLessThanOrEqual(21);
});
