import { expect, test } from "vitest";
import { createExchange } from "../../../../lib/chat/exchange.ts";
import type { Lessons } from "../../../../lib/chat/remedies/remedies.ts";
import type { HttpRequest } from "../../../../lib/http/types.ts";
import { answer, DONE, delta, sse } from "../../../support/chat-stream.ts";
import { type ScriptedAnswer, scriptedHttp } from "../../../support/scripted-http.ts";

const GOOD = sse(delta({ content: "a" }), delta({}, "stop") + DONE);
const no = (message: string, status = 400): ScriptedAnswer =>
	answer(status, JSON.stringify({ error: { message } }));

interface Told {
	readonly sent: readonly Readonly<Record<string, unknown>>[];
	readonly notices: readonly string[];
	readonly waits: readonly number[];
	readonly error: Error | undefined;
}

async function ask(
	request: object,
	answers: readonly ScriptedAnswer[],
	{ lessons = new Map(), timeoutMs = 60_000 }: { lessons?: Lessons; timeoutMs?: number } = {},
): Promise<Told> {
	const http = scriptedHttp(...answers);
	const notices: string[] = [];
	const waits: number[] = [];
	const exchange = createExchange({
		http,
		timeoutMs,
		lessons,
		notice: (text) => notices.push(text),
		wait: async (milliseconds) => void waits.push(milliseconds),
	});
	const bodyOf = ({ body = "{}" }: HttpRequest) => JSON.parse(body) as Record<string, unknown>;
	const options = { headers: {}, onHead: async () => undefined, onChunk: () => undefined };
	const error = await exchange.run({ model: "m", messages: [], ...request }, options).then(
		() => undefined,
		(thrown: Error) => thrown,
	);
	return { sent: http.requests.map(bodyOf), notices, waits, error };
}

test("a field of the user's that is refused is left out, and said once", async () => {
	const lessons: Lessons = new Map();
	const first = await ask({ top_k: 1 }, [no("property 'top_k' is unsupported"), GOOD], { lessons });
	expect(first.sent.map((body) => "top_k" in body)).toEqual([true, false]);
	expect(first.notices).toEqual(["The server of m does not know top_k; requests to it go without"]);
	const second = await ask({ top_k: 1 }, [GOOD], { lessons });
	expect(second).toMatchObject({ notices: [], error: undefined });
	expect(second.sent).toEqual([{ model: "m", messages: [] }]);
	const other = await ask({ model: "n", top_k: 1 }, [GOOD], { lessons });
	expect(other.sent[0]).toHaveProperty("top_k", 1);
});

test("a server that goes on refusing is not asked for ever", async () => {
	const answers = ["a", "b", "c", "d", "e", "f"].map((name) =>
		no(`property '${name}_x' is unsupported`),
	);
	const request = { a_x: 1, b_x: 1, c_x: 1, d_x: 1, e_x: 1, f_x: 1 };
	const { sent, error } = await ask(request, answers);
	expect(sent.length).toBe(5);
	expect(error?.message).toBe("400: property 'e_x' is unsupported");
	const same = await ask({ top_k: 1 }, [no("property 'top_k' is unsupported")]);
	expect(same.sent.length).toBe(2);
});

test("a refusal inside a stream counts as long as nothing of an answer has come", async () => {
	const fault = `data: ${JSON.stringify({ error: { code: 400, message: "unknown field `top_k`" } })}\n\n`;
	expect((await ask({ top_k: 1 }, [sse(fault), GOOD])).error).toBeUndefined();
	const late = await ask({ top_k: 1 }, [sse(delta({ content: "a" }), fault), GOOD]);
	expect(late.sent.length).toBe(1);
	expect(late.error?.message).toContain("unknown field `top_k`");
});

test("a template that counts roles gets an answer behind each result, from then on", async () => {
	const lessons: Lessons = new Map();
	const messages = [{ role: "tool" }, { role: "user" }];
	const refusal = no("conversation roles must alternate user/assistant", 500);
	const { sent, notices } = await ask({ messages }, [refusal, GOOD], { lessons });
	expect(sent.map((body) => (body["messages"] as unknown[]).length)).toEqual([2, 3]);
	expect(notices).toEqual([]);
	expect((await ask({ messages }, [GOOD], { lessons })).sent[0]?.["messages"]).toHaveLength(3);
});

test("a schema that stays refused is named in the error", async () => {
	const tools = [{ type: "function", function: { name: "t", parameters: { pattern: "x" } } }];
	const { sent, error } = await ask({ tools }, [
		no("Pattern must start with '^' and end with '$'"),
	]);
	expect(sent.length).toBe(2);
	expect(error?.message).toBe(
		"The model's server rejected this request: Pattern must start with '^' and end with '$'. The likely reason is pattern in the schema of the tool t",
	);
});

const busy = (seconds: string, status = 429): ScriptedAnswer => ({
	...no("busy", status),
	headers: { "retry-after": seconds },
});

test.each<[string, readonly ScriptedAnswer[], readonly number[], string | undefined]>([
	["as long as it asks", [busy("2"), busy("3", 503), GOOD], [2000, 3000], undefined],
	["a minute in all", [busy("40"), busy("40"), GOOD], [40_000], "429: busy"],
	["not at all for more", [busy("3600"), GOOD], [], "429: busy"],
	["not at all without a time", [no("busy", 429), GOOD], [], "429: busy"],
])("a busy server is waited for: %s", async (_name, answers, waits, message) => {
	const told = await ask({}, answers, { timeoutMs: 300_000 });
	expect(told.waits).toEqual(waits);
	expect(told.error?.message).toBe(message);
});

test("no wait is longer than the limit of silence", async () => {
	expect((await ask({}, [busy("5"), GOOD], { timeoutMs: 4000 })).waits).toEqual([]);
});

test("an abort ends the wait", async () => {
	const http = scriptedHttp(busy("30"), GOOD);
	const abort = new AbortController();
	const run = createExchange({ http, timeoutMs: 60_000 }).run(
		{ model: "m" },
		{ headers: {}, signal: abort.signal, onHead: async () => undefined, onChunk: () => undefined },
	);
	setTimeout(() => abort.abort(new Error("enough")), 20);
	await expect(run).rejects.toThrow("enough");
	expect(http.requests.length).toBe(1);
});
