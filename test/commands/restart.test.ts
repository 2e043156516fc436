import { expect, test } from "vitest";
import { restartCommand } from "../../commands/restart.ts";
import { commandRig } from "../support/command-rig.ts";

function rig(confirms: readonly boolean[]) {
	const did: string[] = [];
	const admin = {
		listRunning: async () => [{ id: "tiny", state: "ready" as const, cmd: undefined }],
		inFlight: async () => ({ total: 1, byModel: new Map([["tiny", 1]]) }),
		restart: async () => void did.push("restart"),
	};
	return { ...commandRig({ admin, confirms }), did };
}

test("the question names what a restart ends", async () => {
	const agreed = rig([true]);
	await agreed.run(restartCommand);
	expect(agreed.asked).toEqual([
		"Restart llama-swap? | Loaded: tiny (ready, 1 request). Requests in progress (1) will be cut off.",
	]);
	expect(agreed.did).toEqual(["restart"]);
	expect(agreed.footer).toEqual(["Restarting llama-swap…"]);
	expect(agreed.log).toEqual(["llama-swap is back (0 s)", "refresh"]);
});

test("after a no nothing is restarted", async () => {
	const declined = rig([false]);
	await declined.run(restartCommand);
	expect([declined.did, declined.log]).toEqual([[], ["Nothing was restarted"]]);
});
