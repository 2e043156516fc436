import { chmod, mkdir, readFile, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import {
	appendKnownHost,
	readKnownHosts,
	readOptional,
} from "../../../../lib/ssh/openssh/user-files.ts";
import { temporary } from "../../../support/ssh-rig.ts";

const modeOf = async (path: string): Promise<number> => (await stat(path)).mode & 0o777;

test("a first line creates the folder and the file for their owner alone", async () => {
	const folder = join(await temporary(), "home", ".ssh");
	const path = join(folder, "known_hosts");
	await appendKnownHost(path, "box key");
	expect(await readFile(path, "utf8")).toBe("box key\n");
	expect([await modeOf(folder), await modeOf(path)]).toEqual([0o700, 0o600]);
});

test.each([
	["", "box key\n"],
	["other key\n", "other key\nbox key\n"],
	["other key", "other key\nbox key\n"],
])("a line after %j is a line of its own", async (before, after) => {
	const path = join(await temporary(), "known_hosts");
	await writeFile(path, before);
	await chmod(path, 0o644);
	await appendKnownHost(path, "box key");
	expect(await readFile(path, "utf8")).toBe(after);
	expect(await modeOf(path)).toBe(0o644);
});

test("files that do not exist or cannot be read count as empty, in their place", async () => {
	const folder = await temporary();
	await writeFile(join(folder, "two"), "box key\n");
	await mkdir(join(folder, "three"));
	const files = await readKnownHosts(["one", "two", "three"].map((name) => join(folder, name)));
	expect(files.map(({ text }) => text)).toEqual(["", "box key\n", ""]);
	expect(await readOptional(join(folder, "one"))).toBeUndefined();
});
