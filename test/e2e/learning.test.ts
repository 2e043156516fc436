import { readFile, writeFile } from "node:fs/promises";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { type Box, startBox } from "../../demo/box.ts";
import { boxEnv, listedModels } from "../support/boxed.ts";
import { HOSTS } from "../support/hosts.ts";
import { type Isolated, isolate, type Rpc, runPi, startRpc } from "../support/pi.ts";

const CONFIG = `models:
  halved:
    cmd: llama-server --port \${PORT} --model /models/halved.gguf -c 8192 -np 2
    ttl: 600
  other:
    cmd: llama-server --port \${PORT} --model /models/other.gguf -c 4096
`;

let box: Box;
let place: Isolated;
beforeEach(async () => {
	box = await startBox({ config: CONFIG });
	place = await isolate();
});
afterEach(async () => {
	await box.close();
	await place.remove();
});

/** Without SSH nobody knows a size before the model has run. */
const env = (): Record<string, string> => ({ ...boxEnv(box), AI_SERVER_SSH_HOST: "none" });

async function windowOf(rpc: Rpc, id: string): Promise<unknown> {
	const { data } = await rpc.send({ type: "get_available_models" });
	const { models } = data as { models: { id: string; contextWindow: number }[] };
	return models.find((model) => model.id === id)?.contextWindow;
}

test.each(HOSTS)(
	"pi %s: after a cold turn the model has the window of a slot, and keeps it",
	async (host) => {
		const rpc = startRpc({ host, place, env: env(), args: ["--model", "ai-server/halved"] });
		expect(await windowOf(rpc, "halved")).toBe(32_768);
		expect(box.swap.starts()).toBe(0);
		await rpc.send({ type: "prompt", message: "hello" });
		await rpc.waitFor(({ type }) => type === "agent_settled");
		await vi.waitFor(async () => expect(await windowOf(rpc, "halved")).toBe(4096), 10_000);
		expect(await windowOf(rpc, "other")).toBe(32_768);
		expect(box.swap.starts()).toBe(1);
		await rpc.close();

		const args = ["--list-models"];
		const { stdout } = await runPi({ host, place, env: env(), args });
		expect(listedModels(stdout).find(([id]) => id === "halved")).toContain("4.1K");
	},
);

test.each(HOSTS)("pi %s: looking never starts a model nor asks a stopped one", async (host) => {
	for (const args of [["--list-models"], ["--no-session", "-p", "/ai-server-status"]]) {
		const { code } = await runPi({ host, place, env: boxEnv(box), args });
		expect(code).toBe(0);
	}
	expect(box.swap.starts()).toBe(0);
	const paths = box.front.seen.map(({ path }) => path);
	expect(paths).toContain("/v1/models");
	expect(paths.filter((path) => path.startsWith("/upstream/"))).toEqual([]);
});

test.each(HOSTS)("pi %s lists what a new config brings, without being asked", async (host) => {
	await box.close();
	box = await startBox({ config: CONFIG, watchConfig: true });
	const rpc = startRpc({ host, place, env: boxEnv(box) });
	await expect.poll(() => windowOf(rpc, "other"), { timeout: 20_000 }).toBe(4096);
	// The stream must be there before the change: what it missed it cannot tell.
	await expect
		.poll(() => box.front.seen.map(({ path }) => path), { timeout: 20_000 })
		.toContain("/api/events");
	const config = await readFile(box.configFile, "utf8");
	const added = "  newcomer:\n    cmd: llama-server --port ${PORT} -m /models/new.gguf -c 2048\n";
	await writeFile(box.configFile, config.replace("-c 4096", "-c 8192") + added);
	await expect.poll(() => windowOf(rpc, "newcomer"), { timeout: 20_000 }).toBe(2048);
	expect(await windowOf(rpc, "other")).toBe(8192);
	await rpc.close();
});
