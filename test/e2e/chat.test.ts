import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { type Box, startBox } from "../../demo/box.ts";
import { boxEnv } from "../support/boxed.ts";
import { HOSTS } from "../support/hosts.ts";
import { type Isolated, isolate, type RpcLine, runPi, startRpc } from "../support/pi.ts";

let box: Box;
let place: Isolated;
beforeEach(async () => {
	box = await startBox();
	place = await isolate();
});
afterEach(async () => {
	await box.close();
	await place.remove();
});

const ended = (line: RpcLine): boolean => line.type === "agent_settled";
const lastMessage = (lines: readonly RpcLine[]): Record<string, unknown> =>
	(lines.findLast((line) => line.type === "message_end")?.["message"] ?? {}) as Record<
		string,
		unknown
	>;

test.each(HOSTS)(
	"pi %s: thinking, text and usage arrive, over the one connection",
	async (host) => {
		const rpc = startRpc({
			host,
			place,
			env: boxEnv(box),
			args: ["--model", "ai-server/Qwen_Qwen3.6-35B-A3B-Q8_0"],
		});
		await rpc.send({ type: "prompt", message: "What is this?" });
		await rpc.waitFor(ended);
		const message = lastMessage(rpc.lines) as {
			content: { type: string; text?: string; thinking?: string }[];
			stopReason: string;
			usage: { input: number; output: number; cacheRead: number };
		};
		expect(message.content.map(({ type }) => type)).toEqual(["thinking", "text"]);
		expect(message.content[1]?.text).toContain("over HTTPS".slice(5));
		expect(message.stopReason).toBe("stop");
		expect(message.usage.output).toBeGreaterThan(50);
		expect(message.usage.input + message.usage.cacheRead).toBeGreaterThan(100);
		const deltas = rpc.lines.filter((line) => line.type === "message_update");
		expect(deltas.length).toBeGreaterThan(50);
		await rpc.close();
	},
);

test.each(HOSTS)(
	"pi %s runs the tool that the model calls, and the model sees the result",
	async (host) => {
		await writeFile(join(place.cwd, "only-file.txt"), "x");
		const args = ["--no-session", "--model", "ai-server/small-talk-1B", "-p", "list the files"];
		const { stdout, code } = await runPi({ host, place, env: boxEnv(box), args });
		expect(stdout).toContain("The tool answered with 1 line: only-file.txt");
		expect(code).toBe(0);
	},
);

test.each(HOSTS)("pi %s: an abort reaches the server and frees the model", async (host) => {
	const cut = Promise.withResolvers<void>();
	box.nextReply(async (response) => {
		response.writeHead(200, { "content-type": "text/event-stream" });
		response.write(
			'data: {"id":"1","model":"m","created":1,"choices":[{"delta":{"content":"slow"}}]}\n\n',
		);
		response.once("close", () => cut.resolve());
		await cut.promise;
	});
	const rpc = startRpc({
		host,
		place,
		env: boxEnv(box),
		args: ["--model", "ai-server/small-talk-1B"],
	});
	await rpc.send({ type: "prompt", message: "go" });
	await rpc.waitFor((line) => line.type === "message_update");
	await rpc.send({ type: "abort" });
	await rpc.waitFor(ended);
	await cut.promise;
	expect(lastMessage(rpc.lines)).toMatchObject({
		stopReason: "aborted",
		content: [{ type: "text", text: "slow" }],
	});
	await rpc.close();
});

test.each(HOSTS)(
	"pi %s: the server's own words on an overflow, and a failing exit",
	async (host) => {
		const message =
			"request (99 tokens) exceeds the available context size (10 tokens), try increasing it";
		const bad = "image input is not supported - hint: provide the mmproj";
		box.nextReply((response) => {
			response.writeHead(500, { "content-type": "application/json" });
			response.end(JSON.stringify({ error: { code: 500, message: bad, type: "server_error" } }));
		});
		const args = ["--no-session", "--model", "ai-server/small-talk-1B", "-p", "hi"];
		const { stderr, code } = await runPi({ host, place, env: boxEnv(box), args });
		expect(stderr).toContain(`The model's server rejected this request: ${bad}`);
		expect(code).toBe(1);

		box.nextReply((response) => {
			response.writeHead(400, { "content-type": "application/json" });
			const error = { code: 400, message, type: "exceed_context_size_error" };
			response.end(JSON.stringify({ error }));
		});
		const rpc = startRpc({
			host,
			place,
			env: boxEnv(box),
			args: ["--model", "ai-server/small-talk-1B"],
		});
		await rpc.send({ type: "prompt", message: "go" });
		await rpc.waitFor(ended);
		expect(lastMessage(rpc.lines)["errorMessage"]).toBe(`400: ${message}`);
		await rpc.close();
	},
);

test.each(HOSTS)("pi %s: selecting one of our models opens a connection ahead", async (host) => {
	const rpc = startRpc({
		host,
		place,
		env: boxEnv(box),
		args: ["--model", "ai-server/small-talk-1B"],
	});
	await rpc.send({ type: "get_state" });
	const modelId = "Qwen_Qwen3.6-35B-A3B-Q8_0";
	await rpc.send({ type: "set_model", provider: "ai-server", modelId });
	await expect
		.poll(() => box.front.seen.map(({ path }) => path))
		.toContainEqual(expect.stringMatching(/\/health$/));
	await rpc.close();
});
