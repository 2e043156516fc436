import { expect, test } from "vitest";
import { adminRig } from "../support/admin-rig.ts";

test("the config is read at its path", async () => {
	const { admin } = adminRig({ yaml: "models:\n  m:\n    cmd: llama-server -c 4096\n" });
	expect(await admin.readPreset()).toContain("# ~/.config/llama-swap/config.yaml");
	const { models } = await admin.readConfig();
	expect([...models.values()].map(({ id, launch }) => [id, launch.contextSize])).toEqual([
		["m", 4096],
	]);
});
