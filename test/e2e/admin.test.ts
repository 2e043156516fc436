import { readFile } from "node:fs/promises";
import { afterEach, beforeEach, expect, test } from "vitest";
import { type Box, startBox } from "../../demo/box.ts";
import { DEMO_CONFIG } from "../../demo/home.ts";
import type { Host } from "../../hosts/hosts.ts";
import { boxEnv } from "../support/boxed.ts";
import { HOSTS } from "../support/hosts.ts";
import { type Isolated, isolate, type Rpc, runPi, startRpc } from "../support/pi.ts";
import { typed } from "../support/typed.ts";

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

test.each(HOSTS)("pi %s shows the config, or one model's part", async (host) => {
	const client = start(host);
	await typed(client, "/ai-server-preset small-talk-1B");
	expect(client.notices().at(-1)).toBe(
		"  small-talk-1B:\n    cmd: ${server} --model /home/ai-server/models/small-talk-1B.gguf -c 65536 --reasoning off",
	);
	await typed(client, "/ai-server-preset");
	expect(client.notices().at(-1)).toContain("globalTTL: 1800\nmacros:\n");
	await typed(client, "/ai-server-preset nope");
	expect(client.notices().at(-1)).toContain("nope");
	expect(client.lines.filter(({ type }) => type === "entry_appended")).toHaveLength(2);
});

test.each(HOSTS)("pi %s restarts the service once that is agreed to", async (host) => {
	const client = start(host);
	await typed(client, "/ai-server-load small-talk-1B");
	const [question] = await typed(client, "/ai-server-restart", [false]);
	expect(question).toBe(
		"Restart llama-swap? Loaded: small-talk-1B (ready). No request is in progress.",
	);
	expect(client.notices().at(-1)).toBe("Nothing was restarted");
	expect(box.swap.states()["small-talk-1B"]).toBe("ready");

	await typed(client, "/ai-server-restart", [true]);
	expect(client.notices().at(-1)).toMatch(/^llama-swap is back \(\d+ s\)$/);
	expect(box.swap.states()["small-talk-1B"]).toBe("stopped");
});

test.each(HOSTS)("pi %s in print mode restarts with --yes only", async (host) => {
	const print = (args: string) =>
		runPi({ host, place, env: boxEnv(box), args: ["--no-session", "-p", args] });
	const refused = await print("/ai-server-restart");
	expect([refused.code, refused.stderr]).toEqual([
		1,
		"Error: Confirmation is required, but this mode cannot prompt. Append --yes: /ai-server-restart --yes\n",
	]);
	const done = await print("/ai-server-restart --yes");
	expect([done.code, done.stdout]).toEqual([0, expect.stringMatching(/^llama-swap is back/)]);
	const shown = await print("/ai-server-preset");
	expect(shown.stdout).toContain("\n  mystery-7B:\n");
});

test.each(HOSTS)("pi %s asks about an unknown host key, and a no refuses it", async (host) => {
	await box.ssh.writeClientFiles(box.home, "none");
	const client = start(host);
	const [question] = await typed(client, "/ai-server-preset", [false]);
	expect(question).toMatch(/^Trust the host key of \[127\.0\.0\.1\]:\d+\? .*SHA256:/);
	await typed(client, "/ai-server-preset", [true]);
	expect(client.notices().at(-1)).toContain("globalTTL: 1800");
	await typed(client, "/ai-server-preset small-talk-1B");
	expect(client.notices().at(-1)).toContain("small-talk-1B:");
});

const config = (): Promise<string> => readFile(box.configFile, "utf8");
const SMALLER = DEMO_CONFIG.replace("-c 65536", "-c 32768");

async function watching(): Promise<void> {
	await box.close();
	box = await startBox({ watchConfig: true });
}

test.each(HOSTS)("pi %s changes a context size, and asks before it does", async (host) => {
	await watching();
	const client = start(host);
	await typed(client, "/ai-server-load small-talk-1B");
	const [question] = await typed(client, "/ai-server-ctx small-talk-1B 32k", [false]);
	expect(question).toBe(
		[
			"Context of small-talk-1B: 65536 → 32768? line 25:",
			"- cmd: ${server} --model /home/ai-server/models/small-talk-1B.gguf -c 65536 --reasoning off",
			"+ cmd: ${server} --model /home/ai-server/models/small-talk-1B.gguf -c 32768 --reasoning off",
			"small-talk-1B is loaded: it will be stopped and loaded again, which cuts off answers in progress.",
		].join("\n"),
	);
	expect([client.notices().at(-1), await config()]).toEqual(["Nothing was changed", DEMO_CONFIG]);
	expect(box.swap.states()["small-talk-1B"]).toBe("ready");

	await typed(client, "/ai-server-ctx small-talk-1B 32k", [true]);
	expect(client.notices().at(-1)).toBe("small-talk-1B is ready with 32768 tokens of context");
	expect(await config()).toBe(SMALLER);
	await typed(client, "/ai-server-status");
	expect(client.notices().at(-1)).toMatch(/small-talk-1B +ready +32768 +server/);
	await typed(client, "/ai-server-ctx small-talk-1B max");
	expect(client.notices().at(-1)).toBe("small-talk-1B has 32768 tokens of context already");
});

test.each(HOSTS)("pi %s makes a server that does not watch its config read it", async (host) => {
	const client = start(host);
	const [, reload] = await typed(client, "/ai-server-ctx small-talk-1B 32768", [true, false]);
	expect(reload).toBe(
		"Make llama-swap reload its config? This server does not watch its config file. No model is loaded.",
	);
	expect(client.notices().at(-1)).toContain("the change is not active yet");
	expect(await config()).toBe(SMALLER);

	await typed(client, "/ai-server-ctx small-talk-1B 65536", [true, true]);
	expect(client.notices().at(-1)).toBe("small-talk-1B is ready with 65536 tokens of context");
	expect(await config()).toBe(DEMO_CONFIG);
});

test.each(HOSTS)("pi %s takes back a size that the model does not start with", async (host) => {
	await watching();
	const client = start(host);
	await typed(client, "/ai-server-ctx small-talk-1B 2m", [true]);
	expect(client.notices().at(-1)).toMatch(
		/^small-talk-1B does not start with 2097152 tokens: .*out of memory.* The old config was restored$/,
	);
	expect(await config()).toBe(DEMO_CONFIG);
	await typed(client, "/ai-server-load small-talk-1B");
	expect(client.notices().at(-1)).toMatch(/^small-talk-1B is ready/);
});

test.each(HOSTS)("pi %s takes it back where the server has to be told", async (host) => {
	const client = start(host);
	await typed(client, "/ai-server-ctx small-talk-1B 2m", [true, true]);
	expect(client.notices().at(-1)).toContain("does not start with 2097152 tokens");
	expect(await config()).toBe(DEMO_CONFIG);
	await typed(client, "/ai-server-load small-talk-1B");
	expect(client.notices().at(-1)).toMatch(/^small-talk-1B is ready/);
});

test.each(HOSTS)("pi %s: what no size and no model is, is told", async (host) => {
	const client = start(host);
	await typed(client, "/ai-server-ctx small-talk-1B big");
	expect(client.notices().at(-1)).toContain("big is not a context size");
	await typed(client, "/ai-server-ctx small-talk-1B");
	expect(client.notices().at(-1)).toBe("Which size? Usage: /ai-server-ctx <id> <size>");
	await typed(client, "/ai-server-ctx nope 4k");
	expect(client.notices().at(-1)).toContain("nope");
	expect(await config()).toBe(DEMO_CONFIG);
});

test.each(HOSTS)("pi %s: what cuts an answer off is asked about", async (host) => {
	await box.close();
	box = await startBox({ tls: false });
	const answering = Promise.withResolvers<void>();
	box.nextReply(async (response) => {
		response.writeHead(200, { "content-type": "text/event-stream" });
		response.flushHeaders();
		answering.resolve();
		await new Promise((resolve) => response.once("close", resolve));
	});
	const leave = new AbortController();
	const chat = fetch(`${box.url}/v1/chat/completions`, {
		method: "POST",
		headers: { "content-type": "application/json" },
		body: JSON.stringify({ model: "small-talk-1B", stream: true, messages: [] }),
		signal: leave.signal,
	});
	await answering.promise;
	const client = start(host);
	const [load] = await typed(client, "/ai-server-load mystery-7B", [false]);
	expect(load).toContain("Load mystery-7B now? Busy: small-talk-1B (1 request).");
	expect(client.notices().at(-1)).toBe("Nothing was loaded");
	const [unload] = await typed(client, "/ai-server-unload small-talk-1B", [false]);
	expect(unload).toBe(
		"Unload small-talk-1B now? Busy: small-talk-1B (1 request). Answers in progress will be cut off.",
	);
	expect(box.swap.states()["small-talk-1B"]).toBe("ready");
	const [restart] = await typed(client, "/ai-server-restart", [false]);
	expect(restart).toContain(
		"small-talk-1B (ready, 1 request). Requests in progress (1) will be cut off.",
	);
	leave.abort();
	await chat.catch(() => undefined);
});
