import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { type Box, startBox } from "../../demo/box.ts";
import type { Host } from "../../hosts/hosts.ts";
import { boxEnv } from "../support/boxed.ts";
import { HOSTS } from "../support/hosts.ts";
import { type Isolated, isolate, type PiResult, runPi, startRpc } from "../support/pi.ts";

let box: Box;
let place: Isolated;
beforeEach(async () => {
	box = await startBox();
	place = await isolate();
	const settings = { retry: { enabled: true, baseDelayMs: 50 } };
	await writeFile(join(place.agentDir, "settings.json"), JSON.stringify(settings));
});
afterEach(async () => {
	await box.close();
	await place.remove();
});

interface Turn extends PiResult {
	readonly requests: number;
}

/** Gives every chat of a turn the same answer. */
function script(status: number, body: string): void {
	for (let request = 0; request < 8; request += 1) {
		box.nextReply((response) => {
			response.writeHead(status, { "content-type": "application/json" });
			response.end(body);
		});
	}
}

async function turn(host: Host, status: number, body: string): Promise<Turn> {
	script(status, body);
	const args = ["--no-session", "--model", "ai-server/small-talk-1B", "-p", "hi"];
	const result = await runPi({ host, place, env: boxEnv(box), args });
	const chats = box.front.seen.filter(({ path }) => path.endsWith("/v1/chat/completions"));
	return { ...result, requests: chats.length };
}

const said = (message: string): string => JSON.stringify({ error: { message } });

/** Errors that another try does not cure: one request each, and a text that can be searched. */
const FINAL: readonly (readonly [number, string, RegExp])[] = [
	[
		400,
		said("connect ECONNREFUSED 10.0.0.1:80"),
		/400: connect ECONNREFUSED 10\.0\.0\.1:80$|400: the connection to 10\.0\.0\.1:80 was refused$/m,
	],
	[
		502,
		'{"error":"unable to start process: recv failed: Connection reset by peer","src":"llama-swap"}',
		/The model small-talk-1B could not be loaded \(unable to start process: recv failed: (?:the connection was reset|Connection reset by peer)\)/,
	],
	[
		400,
		said("getaddrinfo failed for box.lan"),
		/400: the server rejected the request; the full message is shown separately$/m,
	],
	[400, said("bad field"), /400: bad field$/m],
];

test.each(HOSTS.flatMap((host) => FINAL.map((row) => [host, ...row] as const)))(
	"pi %s asks once when the answer is %i %s",
	async (host, status, body, words) => {
		const { requests, stderr, code } = await turn(host, status, body);
		expect(stderr).toMatch(words);
		expect(requests).toBe(1);
		expect(code).toBe(1);
	},
);

test.each(HOSTS)("pi %s shows what the error cannot quote as a warning", async (host) => {
	const { stderr } = await turn(host, 400, said("getaddrinfo failed for box.lan"));
	expect(stderr).toContain(
		"Warning: ai-server: The full error message: 400: getaddrinfo failed for box.lan",
	);
});

test.each(HOSTS)("pi %s shows it in a session as well, next to the error", async (host) => {
	script(400, said("getaddrinfo failed for box.lan"));
	const rpc = startRpc({
		host,
		place,
		env: boxEnv(box),
		args: ["--model", "ai-server/small-talk-1B"],
	});
	await rpc.send({ type: "prompt", message: "hi" });
	await rpc.waitFor(({ type }) => type === "agent_settled");
	expect(rpc.lines).toContainEqual(
		expect.objectContaining({
			type: "extension_ui_request",
			method: "notify",
			message: "ai-server: The full error message: 400: getaddrinfo failed for box.lan",
		}),
	);
	await rpc.close();
});

test.each(HOSTS)("pi %s asks again while the model is busy", async (host) => {
	const { requests, code } = await turn(host, 503, said("Loading model"));
	expect(requests).toBe(4);
	expect(code).toBe(1);
});
