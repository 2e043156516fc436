import { afterEach, beforeEach, expect, test } from "vitest";
import { type Box, startBox } from "../../demo/box.ts";
import { boxEnv } from "../support/boxed.ts";
import { HOSTS } from "../support/hosts.ts";
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

const STATUS = `Model                      State    Context  from    Images  Thinking     TTL
mystery-7B                 stopped    32768  guess   no      no        30 min
small-talk-1B              stopped    65536  config  no      no        30 min
MiniMax-M2.7-IQ3_XXS       stopped   131072  config  no      yes       30 min
Qwen_Qwen3.6-35B-A3B-Q8_0  stopped   262144  config  no      yes       30 min

Note: Context window unknown, taken as 32768: mystery-7B. Give the model's cmd a --ctx-size`;

const DUDS = `models:
  dud:
    cmd: /bin/no-such-server --port \${PORT}
  broken:
    cmd: llama-server -m broken.gguf --port \${PORT}
`;

test.each(HOSTS)("pi %s prints the status table on standard output", async (host) => {
	const args = ["--no-session", "-p", "/ai-server-status"];
	const { stdout, stderr, code } = await runPi({ host, place, env: boxEnv(box), args });
	expect([stdout.trimEnd(), code]).toEqual([STATUS, 0]);
	expect(stderr).toBe("");
});

test.each(HOSTS)("pi %s: status, load, unload and refresh over rpc", async (host) => {
	const run = (message: string): Promise<unknown> => client.send({ type: "prompt", message });
	const client = startRpc({ host, place, env: boxEnv(box) });
	rpc = client;

	await run("/ai-server-status");
	expect(client.notices()).toEqual([STATUS]);
	expect(client.lines.filter(({ type }) => type === "entry_appended")).toHaveLength(1);

	await run("/ai-server-load small-talk-1B");
	expect(client.notices().at(-1)).toMatch(/^small-talk-1B is ready \(\d+ s\)$/);
	expect(box.swap.states()["small-talk-1B"]).toBe("ready");

	await run("/ai-server-status");
	expect(client.notices().at(-1)).toContain("small-talk-1B              ready");

	await run("/ai-server-unload small-talk-1B");
	expect(client.notices().at(-1)).toBe("small-talk-1B is unloaded");
	expect(box.swap.states()["small-talk-1B"]).toBe("stopped");

	await run("/ai-server-load mystery-7B");
	await run("/ai-server-unload --all");
	expect(client.notices().at(-1)).toBe("All models are unloaded");
	expect(box.swap.states()["mystery-7B"]).toBe("stopped");

	await run("/ai-server-refresh");
	expect(client.notices().at(-1)).toContain("4 models, nothing changed");
});

test.each(HOSTS)("pi %s in print mode loads and unloads with --yes only", async (host) => {
	const print = (args: string) =>
		runPi({ host, place, env: boxEnv(box), args: ["--no-session", "-p", args] });
	const id = "small-talk-1B";
	for (const args of [
		`/ai-server-load ${id}`,
		`/ai-server-unload ${id}`,
		"/ai-server-unload --all",
	]) {
		const { code, stderr } = await print(args);
		expect(code).toBe(1);
		expect(stderr).toContain(`Append --yes: ${args} --yes`);
	}
	expect(box.swap.starts()).toBe(0);
	const loaded = await print(`/ai-server-load ${id} --yes`);
	expect([loaded.code, loaded.stdout]).toEqual([
		0,
		expect.stringMatching(/^small-talk-1B is ready/),
	]);
	const unloaded = await print("/ai-server-unload --all --yes");
	expect([unloaded.code, unloaded.stdout]).toEqual([0, "All models are unloaded\n"]);
	expect(box.swap.states()[id]).toBe("stopped");
});

test.each(HOSTS)(
	"pi %s: without an id there is a usage line, and a wrong id is named",
	async (host) => {
		const client = startRpc({ host, place, env: boxEnv(box) });
		rpc = client;
		await client.send({ type: "prompt", message: "/ai-server-load" });
		expect(client.notices()).toEqual([
			"Which model?. Usage: /ai-server-load <id>".replace("?.", "?"),
		]);
		await client.send({ type: "prompt", message: "/ai-server-unload nope" });
		expect(client.notices().at(-1)).toBe(
			"The server does not know the model nope. List the models again: /ai-server-refresh",
		);
		expect(box.swap.starts()).toBe(0);
	},
);

test.each(HOSTS)(
	"pi %s: a model that cannot be loaded is told with the server's words",
	async (host) => {
		await box.close();
		box = await startBox({
			config: DUDS,
		});
		const client = startRpc({ host, place, env: boxEnv(box) });
		rpc = client;
		await client.send({ type: "prompt", message: "/ai-server-load dud" });
		expect(client.notices().at(-1)).toContain("HTTP 500 for loading dud: failed to start command");
	},
);

test.each(HOSTS)(
	"pi %s: a status when the server went away says so and shows the last list",
	async (host) => {
		const client = startRpc({ host, place, env: boxEnv(box) });
		rpc = client;
		await client.send({ type: "prompt", message: "/ai-server-status" });
		await box.front.close();
		await client.send({ type: "prompt", message: "/ai-server-status" });
		const [table, error] = client.notices().slice(-2);
		expect(table).toContain("The list as it was a minute ago");
		expect(table).toContain("small-talk-1B");
		expect(error).toContain("Nothing listens at");
	},
);
