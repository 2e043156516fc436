import { mkdir, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { readRemoteConfig } from "../../../../lib/ssh/files/config-file.ts";
import { demo } from "../../../support/ssh-rig.ts";

/** Writes files below the remote home; a name that ends with "/" is a folder. */
async function fill(home: string, files: Readonly<Record<string, string>>): Promise<void> {
	for (const [name, text] of Object.entries(files)) {
		if (name.endsWith("/")) await mkdir(join(home, name), { recursive: true });
		else await writeFile(join(home, name), text);
	}
}

const FOLDER = {
	"conf/": "",
	"conf/20-b.yaml": "b: 1\n",
	"conf/10-a.yml": "a: 1\n",
	"conf/Z.yaml": "z: 1\n",
	"conf/notes.txt": "no",
	"conf/10-a.yml.bak-20260101T000000.000Z": "old",
	"conf/.hidden.yaml": "h: 1\n",
	"conf/sub.yaml/": "",
	"conf/sub.yaml/c.yaml": "c: 1\n",
};

test.each([
	["conf", false],
	["~/conf", false],
	["~/conf/", true],
	["conf", true],
])(
	"a folder's YAML files come in llama-swap's order: %s, known before: %s",
	async (path, isFolder) => {
		const { ssh, remoteHome } = await demo();
		await fill(remoteHome, FOLDER);
		await symlink(join(remoteHome, "conf", "20-b.yaml"), join(remoteHome, "conf", "30-link.yaml"));
		expect(await readRemoteConfig(ssh, path, { isFolder })).toEqual([
			{ name: ".hidden.yaml", text: "h: 1\n" },
			{ name: "10-a.yml", text: "a: 1\n" },
			{ name: "20-b.yaml", text: "b: 1\n" },
			{ name: "30-link.yaml", text: "b: 1\n" },
			{ name: "Z.yaml", text: "z: 1\n" },
		]);
	},
);

test("a file is its text", async () => {
	const { ssh, remoteHome } = await demo();
	await fill(remoteHome, FOLDER);
	expect(await readRemoteConfig(ssh, "conf/20-b.yaml", { isFolder: false })).toBe("b: 1\n");
});

test.each<[string, Record<string, string>, object]>([
	[
		"without a YAML file",
		{ "conf/": "", "conf/a.txt": "" },
		{ code: "config", message: "The folder conf on the server has no YAML file" },
	],
	[
		"with too many bytes",
		{ "conf/": "", "conf/a.yaml": "x".repeat(600_000), "conf/b.yaml": "x".repeat(600_000) },
		{ message: expect.stringContaining("more than 1048576 bytes") },
	],
	["that is not there", {}, { message: expect.stringContaining("conf does not exist") }],
])("a folder %s", async (_what, files, error) => {
	const { ssh, remoteHome } = await demo();
	await fill(remoteHome, files);
	const reading = readRemoteConfig(ssh, "conf", { isFolder: true });
	await expect(reading).rejects.toMatchObject(error);
});
