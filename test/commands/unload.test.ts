import { expect, test } from "vitest";
import { unloadCommand } from "../../commands/unload.ts";
import { commandRig } from "../support/command-rig.ts";

function rig(busy: Readonly<Record<string, number>>, confirms: readonly boolean[] = []) {
	const did: string[] = [];
	const byModel = new Map(Object.entries(busy));
	const admin = {
		inFlight: async () => ({ total: byModel.size, byModel }),
		unload: async (id: string) => void did.push(id),
		unloadAll: async () => void did.push("all"),
	};
	return { ...commandRig({ admin, confirms }), did };
}

test("a model that answers nothing is unloaded without a question", async () => {
	const idle = rig({ other: 1 });
	await idle.run(unloadCommand, "tiny");
	expect([idle.did, idle.asked]).toEqual([["tiny"], []]);
	expect(idle.footer).toEqual(["Unloading tiny…"]);
	expect(idle.log).toEqual(["tiny is unloaded", "refresh"]);
});

test("one that answers is asked about", async () => {
	const busy = rig({ tiny: 2 }, [false]);
	await busy.run(unloadCommand, "tiny");
	expect(busy.asked).toEqual([
		"Unload tiny now? | Busy: tiny (2 requests). Answers in progress will be cut off.",
	]);
	expect([busy.did, busy.log]).toEqual([[], ["Nothing was unloaded"]]);
});

test("all models, whichever answers", async () => {
	const busy = rig({ other: 1 }, [true]);
	await busy.run(unloadCommand, "--all");
	expect(busy.asked).toEqual([
		"Unload all models now? | Busy: other (1 request). Answers in progress will be cut off.",
	]);
	expect(busy.did).toEqual(["all"]);
	expect(busy.log).toEqual(["All models are unloaded", "refresh"]);
});

test("a model and --all contradict each other", async () => {
	await expect(rig({}).run(unloadCommand, "tiny --all")).rejects.toMatchObject({
		message: "Either <id> or --all, not both",
		hint: "Usage: /box-unload <id> | --all",
	});
});
