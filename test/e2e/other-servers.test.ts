import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { type AssistantMessage, isContextOverflow } from "@earendil-works/pi-ai";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { CASES, type Right } from "../support/answer-cases.ts";
import { type ScriptedServer, startScripted } from "../support/answers.ts";
import { HOSTS } from "../support/hosts.ts";
import { type Isolated, isolate, ROOT, type Rpc, startRpc } from "../support/pi.ts";

const given = JSON.parse(
	await readFile(join(ROOT, "test/fixtures/cases/stream.json"), "utf8"),
) as readonly { readonly id: string; readonly right: Right }[];
const rows = CASES.map(({ id, script, right }) => ({
	id,
	script,
	right: right ?? given.find((row) => row.id === id)?.right,
}));

test("every row of the fixture is tried", () => {
	expect(given.map(({ id }) => id).filter((id) => !rows.some((row) => row.id === id))).toEqual([]);
});

describe.each(HOSTS)("pi %s: answers of other servers", (host) => {
	let server: ScriptedServer;
	let place: Isolated;
	let rpc: Rpc;
	beforeAll(async () => {
		server = await startScripted(Object.fromEntries(rows.map(({ id, script }) => [id, script])));
		place = await isolate();
		rpc = startRpc({
			host,
			place,
			env: { AI_SERVER_URL: server.url, AI_SERVER_SSH_HOST: "none" },
			args: ["--model", `ai-server/${rows[0]?.id}`, "--no-tools"],
		});
		await rpc.send({ type: "set_auto_compaction", enabled: false });
		await rpc.send({ type: "set_auto_retry", enabled: false });
	});
	afterAll(async () => {
		await rpc.close();
		await server.close();
		await place.remove();
	});

	test.each(rows)("$id", async ({ id, right }) => {
		await rpc.send({ type: "new_session" });
		await rpc.send({ type: "set_model", provider: "ai-server", modelId: id });
		const from = rpc.lines.length;
		await rpc.send({ type: "prompt", message: "What is this? ".repeat(30) });
		await rpc.waitFor(({ type }) => type === "agent_settled", from);
		const ends = rpc.lines.slice(from).filter(({ type }) => type === "message_end");
		const message = ends
			.map((line) => line["message"] as AssistantMessage)
			.find(({ role }) => role === "assistant");
		if (message === undefined || right === undefined) throw new Error("There is no answer");
		const text = message.content.flatMap((block) => (block.type === "text" ? [block.text] : []));
		const calls = message.content.flatMap((block) =>
			block.type === "toolCall" ? [[block.name, block.arguments]] : [],
		);
		expect(message.errorMessage ?? "").toMatch(new RegExp(right.err ?? ""));
		expect(message.stopReason).toBe(right.stop);
		if (right.text !== undefined) expect(text.join("")).toBe(right.text);
		if (right.calls !== undefined) expect(calls).toEqual(right.calls);
		if (right.err_not !== undefined) {
			expect(message.errorMessage).not.toMatch(new RegExp(right.err_not));
		}
		expect(isContextOverflow(message)).toBe(right.overflow ?? false);
		const { input, cacheRead } = message.usage;
		expect(input + cacheRead).toBeGreaterThanOrEqual(right.input_at_least ?? 0);
	});
});
