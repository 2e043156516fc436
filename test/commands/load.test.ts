import { expect, test } from "vitest";
import { loadCommand } from "../../commands/load.ts";
import { commandRig } from "../support/command-rig.ts";

const IDLE = { inFlight: async () => ({ total: 0, byModel: new Map<string, number>() }) };

test.each(["print", "json", "rpc"] as const)(
	"%s mode waits until the model is ready",
	async (mode) => {
		const did: string[] = [];
		const admin = { ...IDLE, load: async (id: string) => void did.push(id) };
		const rig = commandRig({ mode, admin });
		await rig.run(loadCommand, "tiny --yes");
		expect(did).toEqual(["tiny"]);
		expect(rig.footer).toEqual(["Loading tiny…"]);
		expect(rig.log).toEqual(["tiny is ready (0 s)", "refresh"]);
	},
);

test("in the TUI a load that ends is reported", async () => {
	const rig = commandRig({ admin: IDLE, custom: { kind: "done" } });
	await rig.run(loadCommand, "tiny");
	expect(rig.log).toEqual(["tiny is ready (0 s)", "refresh"]);
});

test("a load that fails rejects with its error", async () => {
	const error = new Error("out of memory");
	const rig = commandRig({ admin: IDLE, custom: { kind: "failed", error } });
	await expect(rig.run(loadCommand, "tiny")).rejects.toBe(error);
});

test.each([
	[true, ["unload tiny"], "Cancelled loading tiny"],
	[false, [], "Stopped waiting; the server is still loading tiny"],
])("after Escape, cancel: %s", async (cancel, done, outcome) => {
	const did: string[] = [];
	const admin = { ...IDLE, unload: async (id: string) => void did.push(`unload ${id}`) };
	const rig = commandRig({ admin, custom: { kind: "stopped" }, confirms: [cancel] });
	await rig.run(loadCommand, "tiny");
	expect(did).toEqual(done);
	expect(rig.log[0]).toBe(outcome);
});
