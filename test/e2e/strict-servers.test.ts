import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { AssistantMessage } from "@earendil-works/pi-ai";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import {
	fine,
	type Reply,
	refused,
	type Script,
	type ScriptedServer,
	startScripted,
} from "../support/answers.ts";
import { HOSTS } from "../support/hosts.ts";
import { type Isolated, isolate, ROOT, type Rpc, startRpc } from "../support/pi.ts";
import {
	alternating,
	budget,
	openAiOnly,
	WINDOW,
	WORDS_FOR_BUDGET,
	WORDS_FOR_UNKNOWN,
} from "../support/strict.ts";

interface Given {
	readonly id: string;
	readonly mode: "roles" | "budget" | "peer";
	readonly model: string;
	readonly requests?: number;
	readonly prompts: readonly { readonly text: string; readonly times?: number }[];
}
const GIVEN = JSON.parse(
	await readFile(join(ROOT, "test/fixtures/cases/requests.json"), "utf8"),
) as readonly Given[];

const failing = (): Reply =>
	refused(400, { error: { message: "The temperature must be at most 2." } });
const groq = WORDS_FOR_UNKNOWN["groq"] ?? (() => failing());
const MODES: Readonly<Record<Given["mode"], Script>> = {
	roles: alternating(failing),
	budget: budget(WORDS_FOR_BUDGET["openai"] ?? (() => "")),
	peer: openAiOnly(groq),
};
const LISTED: Readonly<Record<Given["mode"], object>> = {
	roles: {},
	budget: { context_length: WINDOW },
	peer: { meta: { llamaswap: { type: "peer", peerID: "cloud" } } },
};

let server: ScriptedServer | undefined;
let place: Isolated;
let rpc: Rpc | undefined;
beforeEach(async () => {
	place = await isolate();
});
afterEach(async () => {
	await rpc?.close();
	await server?.close();
	await place.remove();
});

/** Sends the prompts one after the other; the answer to the last one. */
async function talk(prompts: readonly string[]): Promise<AssistantMessage> {
	for (const message of prompts) {
		const from = rpc?.lines.length ?? 0;
		await rpc?.send({ type: "prompt", message });
		await rpc?.waitFor(({ type }) => type === "agent_settled", from);
	}
	const ends = rpc?.lines.filter(({ type }) => type === "message_end") ?? [];
	return ends.at(-1)?.["message"] as AssistantMessage;
}

const textOf = ({ content }: AssistantMessage): string =>
	content.flatMap((block) => (block.type === "text" ? [block.text] : [])).join("");

describe.each(HOSTS)("pi %s", (host) => {
	const start = async (model: string, script: Script, listed: object, args: string[] = []) => {
		server = await startScripted({ [model]: script }, { [model]: listed });
		const env = { AI_SERVER_URL: server.url, AI_SERVER_SSH_HOST: "none" };
		rpc = startRpc({ host, place, env, args: ["--model", `ai-server/${model}`, ...args] });
	};

	test.each(GIVEN)("$id", async ({ mode, model, prompts, requests }) => {
		await start(model, MODES[mode], LISTED[mode]);
		const answer = await talk(prompts.map(({ text, times = 1 }) => text.repeat(times)));
		expect(answer.errorMessage).toBeUndefined();
		expect(textOf(answer)).toBe("fine");
		expect(server?.asked.length).toBe(requests ?? 1);
	});

	test.each(Object.keys(WORDS_FOR_BUDGET))(
		"a limit that the user set, refused by %s",
		async (who) => {
			const models = {
				providers: { "ai-server": { modelOverrides: { m: { maxTokens: 30_000 } } } },
			};
			await writeFile(join(place.agentDir, "models.json"), JSON.stringify(models));
			await start("m", budget(WORDS_FOR_BUDGET[who] ?? (() => "")), LISTED.budget, ["--no-tools"]);
			const answer = await talk(["31415926535897932384626433832795028841 ".repeat(150)]);
			expect(answer.errorMessage).toBeUndefined();
			expect(textOf(answer)).toBe("fine");
			const limits = server?.asked.map((body) => Number(body["max_tokens"])) ?? [];
			expect(limits[0]).toBe(30_000);
			expect(limits.length).toBe(2);
			expect(limits[1]).toBeGreaterThan(20_000);
		},
	);

	test.each(Object.keys(WORDS_FOR_UNKNOWN))(
		"unknown fields in the words of %s: once, and remembered",
		async (who) => {
			await start("m", openAiOnly(WORDS_FOR_UNKNOWN[who] ?? (() => failing())), {});
			expect(textOf(await talk(["one"]))).toBe("fine");
			expect(server?.asked.length).toBe(2);
			expect(textOf(await talk(["two"]))).toBe("fine");
			expect(server?.asked.length).toBe(3);
			expect(server?.asked.at(-1)).toHaveProperty("stream_options");
		},
	);

	test("after an abort the next question is answered", async () => {
		const script = alternating(() => ({ body: "", hold: true }));
		await start("m", script, {});
		const from = rpc?.lines.length ?? 0;
		await rpc?.send({ type: "prompt", message: "one" });
		await expect.poll(() => server?.asked.length).toBe(1);
		await rpc?.send({ type: "abort" });
		await rpc?.waitFor(({ type }) => type === "agent_settled", from);
		expect(textOf(await talk(["two"]))).toBe("fine");
		expect(server?.asked.length).toBe(2);
	});

	test.each([
		[
			"an answer with nothing in it",
			'data: {"id":"1","choices":[{"delta":{},"finish_reason":"stop"}]}\n\ndata: [DONE]\n\n',
		],
		[
			"thoughts alone",
			'data: {"id":"1","choices":[{"delta":{"reasoning_content":"hm"},"finish_reason":"stop"}]}\n\ndata: [DONE]\n\n',
		],
	])("after %s the next question is answered", async (_name, body) => {
		await start(
			"m",
			alternating(() => ({ body })),
			{},
		);
		await talk(["one"]);
		expect(textOf(await talk(["two"]))).toBe("fine");
		expect(server?.asked.length).toBe(2);
	});

	test("a schema that the server cannot use is sent without its limits, and the user is told", async () => {
		const extension = `export default (pi) => pi.registerTool({ name: "dated", label: "d", description: "d",
			parameters: { type: "object", properties: { day: { type: "string", pattern: "[0-9]+", maxLength: 9 } } },
			execute: async () => ({ content: [], details: {} }) });`;
		const path = join(place.folder, "dated.js");
		await writeFile(path, extension);
		const script: Script = (body) =>
			JSON.stringify(body["tools"]).includes("[0-9]+")
				? refused(400, {
						error: { code: 400, message: "Pattern must start with '^' and end with '$'" },
					})
				: { body: fine };
		await start("m", script, {}, ["-e", path]);
		expect(textOf(await talk(["one"]))).toBe("fine");
		expect(textOf(await talk(["two"]))).toBe("fine");
		expect(server?.asked.length).toBe(3);
		const told = rpc?.notices().filter((text) => text.includes("dated")) ?? [];
		expect(told).toEqual([expect.stringMatching(/schema of the tool dated \(pattern/)]);
	});
});
