import { expect, test } from "vitest";
import { describeChange, refreshCommand } from "../../commands/refresh.ts";
import { commandRig, discovery, model } from "../support/command-rig.ts";

test("a refresh reports what changed, with the notes on the new list", async () => {
	const refreshed = discovery({
		models: [model("tiny"), model("new")],
		warnings: ["one"],
		guesses: ["two"],
	});
	const rig = commandRig({ refreshed });
	await rig.run(refreshCommand);
	expect(rig.log).toEqual(["refresh", "2 models; new: new\none\ntwo"]);
});

test("what changed from one list to the next", () => {
	const before = [model("a"), model("b"), model("c")];
	const after = [model("a"), model("b", { contextWindow: 8192 }), model("d")];
	expect(describeChange(before, before)).toBe("3 models, nothing changed");
	expect(describeChange(before, after)).toBe(
		"3 models; new: d; gone: c; context changed: b (4096 to 8192)",
	);
});
