import { expect, test } from "vitest";
import { statusCommand } from "../../commands/status.ts";
import { AiServerError } from "../../lib/errors.ts";
import { commandRig, discovery, model } from "../support/command-rig.ts";

test("a status shows the list that the server gives now", async () => {
	const rig = commandRig({ found: discovery({ models: [model("now")] }) });
	await rig.run(statusCommand);
	expect(rig.log).toEqual(["refresh"]);
	expect(rig.shown).toEqual([
		{
			type: "ai-server-status",
			data: expect.objectContaining({ models: [model("now")], note: undefined }),
		},
	]);
});

test("without the server it shows the list it has, and fails", async () => {
	const error = new AiServerError("network", "Nothing listens there");
	const rig = commandRig({ refreshed: error, found: discovery({ source: "cache", seenAt: 0 }) });
	await expect(rig.run(statusCommand)).rejects.toBe(error);
	expect(rig.shown[0]?.data).toMatchObject({
		note: "The list as it was a minute ago",
		warnings: ["Nothing listens there"],
	});
});
