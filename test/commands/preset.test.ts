import { expect, test } from "vitest";
import { presetCommand } from "../../commands/preset.ts";
import { joinFiles } from "../../lib/llama-swap/config/files.ts";
import { type ConfigEntry, plainLines } from "../../ui/config-entry.ts";
import { commandRig } from "../support/command-rig.ts";

const YAML = `apiKeys: [sk-very-secret]
models:
  tiny:
    cmd: llama-server --api-key sk-very-secret -c 4096
  other:
    cmd: llama-server
`;

async function shown(typed: string): Promise<string> {
	const rig = commandRig({ admin: { readPreset: async () => YAML } });
	await rig.run(presetCommand, typed);
	expect(rig.footer).toEqual(["Reading the config…"]);
	expect(rig.log).toEqual([]);
	return plainLines(rig.shown[0]?.data as ConfigEntry).join("\n");
}

test("the whole config is shown without its secrets", async () => {
	const text = await shown("");
	expect(text).not.toContain("sk-very-secret");
	expect(text).toContain("--api-key *** -c 4096");
	expect(text.split("\n")).toHaveLength(6);
});

test("one model's part of it, without secrets either", async () => {
	const text = await shown("tiny");
	expect(text).toContain("--api-key *** -c 4096");
	expect(text).not.toContain("other");
});

test("the files of a folder are shown with their names", async () => {
	const folder = joinFiles([
		{ name: "10-keys.yaml", text: "apiKeys: [sk-very-secret]\n" },
		{ name: "20-models.yaml", text: "models:\n  tiny:\n    cmd: llama-server -c 4096\n" },
	]);
	const rig = (typed: string) => {
		const made = commandRig({ admin: { readPreset: async () => folder } });
		return made
			.run(presetCommand, typed)
			.then(() => plainLines(made.shown[0]?.data as ConfigEntry));
	};
	expect(await rig("")).toEqual([
		"# 10-keys.yaml",
		"apiKeys: [***]",
		"",
		"# 20-models.yaml",
		"models:",
		"  tiny:",
		"    cmd: llama-server -c 4096",
	]);
	expect((await rig("tiny"))[0]).toBe("# 20-models.yaml");
});
