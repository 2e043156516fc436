import { afterEach, beforeEach, expect, test } from "vitest";
import { type Box, startBox } from "../../demo/box.ts";
import { HOSTS, type Host } from "../../hosts/hosts.ts";
import { boxEnv } from "../support/boxed.ts";
import { type Isolated, isolate, type Rpc, runPi, startRpc } from "../support/pi.ts";

let box: Box;
let place: Isolated;
let rpc: Rpc | undefined;
beforeEach(async () => {
	box = await startBox();
	place = await isolate();
});
afterEach(async () => {
	await rpc?.close();
	rpc = undefined;
	await box.close();
	await place.remove();
});

function start(host: Host): Rpc {
	rpc = startRpc({ host, place, env: boxEnv(box) });
	return rpc;
}

/** Types a command and answers the questions that it asks, in turn; resolves with the questions. */
async function run(
	client: Rpc,
	message: string,
	answers: readonly boolean[] = [],
): Promise<readonly string[]> {
	const questions: string[] = [];
	let from = client.lines.length;
	const done = client.send({ type: "prompt", message });
	for (const confirmed of answers) {
		const question = await client.waitFor(({ method }) => method === "confirm", from);
		from = client.lines.indexOf(question) + 1;
		questions.push(`${question["title"]} ${question["message"]}`);
		client.answer(question["id"], { confirmed });
	}
	await done;
	return questions;
}

test.each(HOSTS)("pi %s shows the config, or one model's part", async (host) => {
	const client = start(host);
	await run(client, "/ai-server-preset small-talk-1B");
	expect(client.notices().at(-1)).toBe(
		"  small-talk-1B:\n    cmd: ${server} --model /home/ai-server/models/small-talk-1B.gguf -c 65536 --reasoning off",
	);
	await run(client, "/ai-server-preset");
	expect(client.notices().at(-1)).toContain("globalTTL: 1800\nmacros:\n");
	await run(client, "/ai-server-preset nope");
	expect(client.notices().at(-1)).toContain("nope");
	expect(client.lines.filter(({ type }) => type === "entry_appended")).toHaveLength(2);
});

test.each(HOSTS)("pi %s restarts the service once that is agreed to", async (host) => {
	const client = start(host);
	await run(client, "/ai-server-load small-talk-1B");
	const [question] = await run(client, "/ai-server-restart", [false]);
	expect(question).toBe(
		"Restart llama-swap? Loaded now: small-talk-1B (ready). Answers under way are cut off.",
	);
	expect(client.notices().at(-1)).toBe("Nothing was restarted");
	expect(box.swap.states()["small-talk-1B"]).toBe("ready");

	await run(client, "/ai-server-restart", [true]);
	expect(client.notices().at(-1)).toMatch(/^llama-swap is back \(\d+ s\)$/);
	expect(box.swap.states()["small-talk-1B"]).toBe("stopped");
});

test.each(HOSTS)("pi %s in print mode restarts with --yes only", async (host) => {
	const print = (args: string) =>
		runPi({ host, place, env: boxEnv(box), args: ["--no-session", "-p", args] });
	const refused = await print("/ai-server-restart");
	expect([refused.code, refused.stderr]).toEqual([
		1,
		"Error: This changes something on the server, and nobody is asked. To go ahead without a question: /ai-server-restart --yes\n",
	]);
	const done = await print("/ai-server-restart --yes");
	expect([done.code, done.stdout]).toEqual([0, expect.stringMatching(/^llama-swap is back/)]);
	const shown = await print("/ai-server-preset");
	expect(shown.stdout).toContain("\n  mystery-7B:\n");
});

test.each(HOSTS)("pi %s asks about an unknown host key, and a no refuses it", async (host) => {
	await box.ssh.writeClientFiles(box.home, "none");
	const client = start(host);
	const [question] = await run(client, "/ai-server-preset", [false]);
	expect(question).toMatch(/^Trust the host key of \[127\.0\.0\.1\]:\d+\? .*SHA256:/);
	await run(client, "/ai-server-preset", [true]);
	expect(client.notices().at(-1)).toContain("globalTTL: 1800");
	await run(client, "/ai-server-preset small-talk-1B");
	expect(client.notices().at(-1)).toContain("small-talk-1B:");
});
