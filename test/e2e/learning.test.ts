import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { type Box, startBox } from "../../demo/box.ts";
import { HOSTS } from "../../hosts/hosts.ts";
import { boxEnv, listedModels } from "../support/boxed.ts";
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
