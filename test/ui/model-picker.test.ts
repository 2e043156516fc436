import { expect, test } from "vitest";
import {
	completeModels,
	isManageable,
	pickModel,
	requireManageable,
} from "../../ui/model-picker.ts";
import { model } from "../support/command-rig.ts";

test("ids complete by parts, with what distinguishes them", () => {
	const models = [
		model("Qwen3-Coder"),
		model("gpt-oss", { state: "unknown" }),
		model("far", { peer: "cloud" }),
		model("pick", { choice: "selector" }),
	];
	expect(completeModels(models, "qwcod")).toEqual([
		{ value: "Qwen3-Coder", label: "Qwen3-Coder", description: "ready, 4096 tokens" },
	]);
	expect(completeModels(models, "").map(({ description }) => description)).toEqual([
		"ready, 4096 tokens",
		"4096 tokens",
		"on cloud, 4096 tokens",
		"selector, 4096 tokens",
	]);
	expect(completeModels(models, "zzz")).toEqual([]);
});

test("the list gives back the id, not the line that was picked", async () => {
	const ui = {
		select: async (_title: string, items: readonly string[]) => items[1],
	} as unknown as Parameters<typeof pickModel>[2]["ui"];
	expect(await pickModel([model("a"), model("b (2)")], "Which?", { ui })).toBe("b (2)");
});

test("peers' models and choices cannot be loaded or unloaded; an unknown id may be", () => {
	const far = model("far", { peer: "cloud" });
	expect([far, model("a")].map(isManageable)).toEqual([false, true]);
	expect(() => requireManageable([far], "far")).toThrow("far is on the peer cloud");
	expect(() => requireManageable([far], "new")).not.toThrow();
});
