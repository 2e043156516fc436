import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { COMMANDS } from "../../commands/all.ts";
import { startBox } from "../../demo/box.ts";
import { boxEnv } from "../support/boxed.ts";
import { HOSTS } from "../support/hosts.ts";
import { listWhenKnown } from "../support/listing.ts";
import { isolate, startRpc } from "../support/pi.ts";
import { hasTmux, openTerminal } from "../support/terminal.ts";

// One of each kind: what `npm test` runs on the oldest pi. The other files go through each in full.

async function setUp() {
	const box = await startBox();
	onTestFinished(box.close);
	const place = await isolate();
	onTestFinished(place.remove);
	return { box, place, env: boxEnv(box) };
}

test.each(HOSTS)("pi %s lists the models", async (host) => {
	const { place, env } = await setUp();
	expect(await listWhenKnown({ host, place, env })).toHaveLength(4);
});

test.each(HOSTS)("pi %s has the commands, runs one, and takes a turn with a tool", async (host) => {
	const { box, place, env } = await setUp();
	await writeFile(join(place.cwd, "only-file.txt"), "x");
	const rpc = startRpc({ host, place, env, args: ["--model", "ai-server/small-talk-1B"] });
	onTestFinished(async () => void (await rpc.close()));

	const { data } = (await rpc.send({ type: "get_commands" })) as {
		data?: { commands: readonly { name: string }[] };
	};
	const names = data?.commands.map(({ name }) => name).filter((name) => /^ai-server/.test(name));
	expect(names?.toSorted()).toEqual(COMMANDS.map(({ name }) => `ai-server-${name}`).toSorted());

	await rpc.send({ type: "prompt", message: "/ai-server-load small-talk-1B" });
	expect(rpc.notices().at(-1)).toMatch(/^small-talk-1B is ready/);
	expect(box.swap.states()["small-talk-1B"]).toBe("ready");

	await rpc.send({ type: "prompt", message: "list the files" });
	await rpc.waitFor(({ type }) => type === "agent_settled");
	const last = rpc.lines.findLast(({ type }) => type === "message_end");
	expect(last?.["message"]).toMatchObject({
		stopReason: "stop",
		content: [{ type: "text", text: "The tool answered with 1 line: only-file.txt." }],
	});
});

test.runIf(hasTmux("smoke.test.ts")).each(HOSTS)("pi %s shows a status", async (host) => {
	const { box, place } = await setUp();
	const terminal = await openTerminal(host, box, place);
	onTestFinished(terminal.close);
	await terminal.submit("/ai-server-status");
	await terminal.shows(/small-talk-1B +stopped +65536 +config/);
});
