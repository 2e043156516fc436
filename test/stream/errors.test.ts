import { isContextOverflow, isRetryableAssistantError } from "@earendil-works/pi-ai";
import { expect, test } from "vitest";
import { AiServerError } from "../../lib/errors.ts";
import type { Http } from "../../lib/http/types.ts";
import { CUT_SEED, everyCut } from "../support/chat.ts";
import {
	answer,
	bytes,
	CUT_OFF,
	checked,
	DONE,
	delta,
	fault,
	frame,
	loading,
	MODEL,
	play,
	run,
	sse,
} from "../support/chat-stream.ts";
import { type ScriptedAnswer, scriptedHttp, seeded } from "../support/scripted-http.ts";

interface Ending {
	readonly name: string;
	readonly answers: readonly ScriptedAnswer[];
	readonly error: string | RegExp;
	readonly retry: boolean;
	readonly overflow?: boolean;
}

const OVERFLOW =
	"request (15000 tokens) exceeds the available context size (4096 tokens), try increasing it";

const ENDINGS: readonly Ending[] = [
	{
		name: "a stream that just stops",
		answers: [sse(delta({ content: "x" }))],
		error: /Connection error: the stream ended without/,
		retry: true,
	},
	{
		name: "[DONE] without a finish",
		answers: [sse(delta({ content: "x" }), DONE)],
		error: "Connection error: the stream ended without finish_reason",
		retry: true,
	},
	{
		name: "an unknown finish",
		answers: [sse(delta({ content: "x" }, "content_filter"), DONE)],
		error: "Provider finish_reason: content_filter",
		retry: false,
	},
	{
		name: "an error frame",
		answers: [sse(delta({ content: "x" }), frame(JSON.parse(fault("Compute error."))))],
		error: "500: Compute error.",
		retry: true,
	},
	{
		name: "an overflow in mid-stream",
		answers: [sse(frame(JSON.parse(fault("Context size has been exceeded."))))],
		error: "Context size has been exceeded. (context_length_exceeded)",
		retry: false,
		overflow: true,
	},
	{
		name: "an error: line",
		answers: [sse(`error: ${fault("slot crashed")}\n\n`)],
		error: "500: slot crashed",
		retry: true,
	},
	{
		name: "an error: line without the object around it",
		answers: [sse('error: {"code":500,"message":"slot crashed","type":"server_error"}\n\n')],
		error: "500: slot crashed",
		retry: true,
	},
	{
		name: "an event named error",
		answers: [sse('event: error\ndata: {"message":"bad"}\n\n')],
		error: "Server error: bad",
		retry: true,
	},
	{
		name: "bare JSON behind the loading text",
		answers: [
			sse(
				loading("loading"),
				'{"src":"llama-swap","error":"unspecific error: group: model unloaded"}',
			),
		],
		error: /was unloaded while it was loading \(group: model unloaded\)/,
		retry: false,
	},
	{
		name: "bare text behind the loading text",
		answers: [sse(loading("loading"), "something broke")],
		error: "Server error: something broke",
		retry: true,
	},
	{
		name: "an old llama-swap's error as loading text",
		answers: [
			sse(loading("Unable to swap model err: unable to start process: x\n"), loading("Done! (1s)")),
		],
		error: /could not be loaded \(unable to start process: x\)/,
		retry: false,
	},
	{
		name: "an event that is no JSON",
		answers: [sse("data: {nope\n\n")],
		error: /not JSON: \{nope/,
		retry: false,
	},
	{
		name: "overflow",
		answers: [answer(400, fault(OVERFLOW, { code: 400, type: "exceed_context_size_error" }))],
		error: `400: ${OVERFLOW}`,
		retry: false,
		overflow: true,
	},
	{
		name: "overflow in other words",
		answers: [answer(400, fault("too long", { type: "exceed_context_size_error" }))],
		error: "400: too long (context_length_exceeded)",
		retry: false,
		overflow: true,
	},
	{
		name: "a broken history",
		answers: [answer(500, fault("Failed to parse tool call arguments as JSON: at column 13"))],
		error: /rejected this request: Failed to parse/,
		retry: false,
	},
	{
		name: "an unknown model",
		answers: [answer(404, '{"src":"llama-swap","error":"no router for requested model"}')],
		error: /does not know the model tiny .*List the models again: \/refresh$/,
		retry: false,
	},
	{
		name: "no key",
		answers: [answer(401, '{"error":"unauthorized: invalid or missing API key"}')],
		error: /Check the API key \(API_KEY\)$/,
		retry: false,
	},
	{
		name: "busy",
		answers: [answer(429, '{"error":"Too many requests"}')],
		error: "429: Too many requests",
		retry: true,
	},
	{
		name: "loading",
		answers: [answer(503, fault("Loading model", { code: 503 }))],
		error: "503: Loading model",
		retry: true,
	},
	{
		name: "llama-swap is down",
		answers: [answer(502, "", "")],
		error: /^502: the proxy answers/,
		retry: true,
	},
	{
		name: "a proxy's page",
		answers: [
			answer(504, "<html><head><title>504 Gateway Time-out</title></head></html>", "text/html"),
		],
		error: "504: 504 Gateway Time-out",
		retry: true,
	},
	{
		name: "a redirect to a login",
		answers: [answer(302, "", "")],
		error: /redirects chat requests/,
		retry: false,
	},
	{
		name: "another page instead",
		answers: [answer(200, "<!doctype html><title>Sign in</title>", "text/html")],
		error: /is not a chat completion: Sign in/,
		retry: false,
	},
	{
		name: "an empty answer, whose reason comes without streaming",
		answers: [
			sse(),
			answer(
				400,
				fault("This model's maximum context length is 1024 tokens. However, you requested 2000", {
					code: "context_length_exceeded",
				}),
			),
		],
		error: /^400: This model's maximum context length is 1024/,
		retry: false,
		overflow: true,
	},
	{
		name: "an empty answer without a reason",
		answers: [sse(), answer(200, "{}")],
		error: /Connection error: .*without sending data/,
		retry: true,
	},
];

test.each(ENDINGS.map((ending) => [ending.name, ending] as const))(
	"%s",
	async (_name, { answers, error, retry, overflow = false }) => {
		const { types, message } = await play(...answers);
		expect(types.filter((type) => type === "done" || type === "error")).toEqual(["error"]);
		expect(types.at(-1)).toBe("error");
		if (typeof error === "string") expect(message.errorMessage).toBe(error);
		else expect(message.errorMessage).toMatch(error);
		expect(isContextOverflow(message, MODEL.contextWindow)).toBe(overflow);
		// pi looks for an overflow first, whatever else the words are like.
		if (!overflow) expect(isRetryableAssistantError(message), message.errorMessage).toBe(retry);
	},
);

test("a failed load quotes the model's log", async () => {
	const body =
		'{"src":"llama-swap","error":"unspecific error: upstream command exited prematurely"}';
	const asked: string[] = [];
	const explainLoad = async (model: string): Promise<string> => {
		asked.push(model);
		return "out of memory at 16384 MiB";
	};
	const { message } = await run(scriptedHttp(answer(500, body)), {}, { explainLoad });
	expect(asked).toEqual(["tiny"]);
	expect(message.errorMessage).toContain("Its log: out of memory at 16384 MiB");
	expect(isRetryableAssistantError(message)).toBe(false);
});

test.each([
	["network", "gone", /^Connection error: gone/, true],
	["tls", "certificate expired", /certificate expired/, false],
	["settings", "AI_SERVER_URL is not a URL", /AI_SERVER_URL/, false],
	["protocol", "not a web server", /not a web server/, false],
] as const)("a fault of kind %s on the way", async (code, words, expected, retry) => {
	const http: Http = {
		request: async () => {
			throw new AiServerError(code, words, { hint: "Do this" });
		},
		close: async () => undefined,
	};
	const { types, message } = await run(http);
	expect(types).toEqual(["error"]);
	expect(message.errorMessage).toMatch(expected);
	expect(message.errorMessage).toContain("Do this");
	expect(isRetryableAssistantError(message)).toBe(retry);
});

test("a long stream that is cut off says only that, wherever the network cut it", async () => {
	const body = bytes(delta({ content: "0123456789" }).repeat(1500));
	for (const chunks of everyCut(body).slice(2, 5)) {
		const { message } = await checked(scriptedHttp({ ...sse(), chunks }));
		expect(message.errorMessage, `seed ${CUT_SEED}`).toBe(CUT_OFF);
		expect(isRetryableAssistantError(message)).toBe(true);
	}
});

test("a stream that ends in [DONE] without a finish is tried again, like any that was cut off", async () => {
	const { message, broken } = await checked(scriptedHttp(sse(delta({ content: "x" }), DONE)));
	expect(broken).toEqual([]);
	expect(message).toMatchObject({ stopReason: "error", content: [{ type: "text", text: "x" }] });
	expect(isRetryableAssistantError(message), message.errorMessage).toBe(true);
});

interface Refusal {
	readonly status: number;
	readonly body: string;
	readonly retry: boolean;
	readonly overflow?: boolean;
}

const REFUSALS: readonly Refusal[] = [
	{ status: 400, body: fault("bad field at 15003"), retry: false },
	{ status: 401, body: "", retry: false },
	{ status: 403, body: '{"detail":"Invalid API key"}', retry: false },
	{ status: 404, body: "404 page not found", retry: false },
	{ status: 404, body: '{"error":"no local server found for requested model"}', retry: false },
	{ status: 408, body: "slow", retry: false },
	{ status: 421, body: "", retry: false },
	{ status: 429, body: "", retry: true },
	{ status: 500, body: "", retry: true },
	{ status: 500, body: fault("Compute error."), retry: true },
	{ status: 500, body: fault("image input is not supported - hint: mmproj"), retry: false },
	{ status: 502, body: "", retry: true },
	{ status: 502, body: "<html><title>502 Bad Gateway</title></html>", retry: true },
	{ status: 502, body: "unable to start process: exit status 1", retry: false },
	{ status: 503, body: fault("Loading model"), retry: true },
	{ status: 504, body: "", retry: true },
	{ status: 400, body: fault(OVERFLOW), retry: false, overflow: true },
	{ status: 500, body: fault(OVERFLOW), retry: false, overflow: true },
	{
		status: 500,
		retry: false,
		overflow: true,
		body: fault("Context size has been exceeded.", { type: "server_error" }),
	},
];

test.each(REFUSALS)("a refusal %j", async ({ status, body, retry, overflow = false }) => {
	const { message, events, broken } = await checked(scriptedHttp(answer(status, body)));
	expect(broken).toEqual([]);
	expect(events).toHaveLength(1);
	expect(isContextOverflow(message, MODEL.contextWindow)).toBe(overflow);
	if (!overflow) expect(isRetryableAssistantError(message), message.errorMessage).toBe(retry);
});

test("no number in a final error makes pi try again; the user still sees the whole message", async () => {
	const random = seeded(CUT_SEED);
	const parts = ["429", "500", "502", "503", "504", "520", "524", "50", "5", "2", "4", "29", "0"];
	for (let round = 0; round < 200; round += 1) {
		const number = Array.from({ length: 4 }, () => parts.at(Math.floor(random() * parts.length)));
		const said = `bad field at ${number.join("")}`;
		const notices: string[] = [];
		const { message } = await checked(scriptedHttp(answer(400, fault(said))), {
			notice: (text) => notices.push(text),
		});
		const words = `seed ${CUT_SEED}: ${said}`;
		expect(isRetryableAssistantError(message), words).toBe(false);
		expect([message.errorMessage, ...notices].join(), words).toContain(said);
	}
});

test.each([
	["health check timed out after 120s", "it was not healthy within 120s"],
	[
		"unable to start process: upstream command exited prematurely: signal: terminated",
		"unable to start process: upstream command exited prematurely: signal: ended",
	],
])("a failed load is not tried again, whatever its message: %s", async (said, shown) => {
	const { message } = await checked(scriptedHttp(answer(502, said)));
	expect(message.errorMessage).toContain(`(${shown})`);
	expect(isRetryableAssistantError(message), message.errorMessage).toBe(false);
});

test("nor for the words of its log", async () => {
	const explainLoad = async (): Promise<string> => "CUDA error: internal error; terminated";
	const http = scriptedHttp(answer(502, "unable to start process: exit status 1"));
	const { message } = await checked(http, { explainLoad });
	expect(message.errorMessage).toContain("CUDA error: error inside the server; ended");
	expect(isRetryableAssistantError(message), message.errorMessage).toBe(false);
});
