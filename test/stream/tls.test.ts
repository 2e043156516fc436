import { type AssistantMessage, isRetryableAssistantError } from "@earendil-works/pi-ai";
import { expect, onTestFinished, test, vi } from "vitest";
import type { HttpResponse, WarmHttp } from "../../lib/http/types.ts";
import type { ChatProgress } from "../../stream.ts";
import type { Turn } from "../support/chat.ts";
import { findProgram } from "../support/programs.ts";
import {
	CALL,
	type ChatCall,
	connectTlsChat,
	expired,
	foreigner,
	LOADING,
	type RunningTurn,
	STOP,
	startAlertingServer,
	startTlsChat,
	TEXT,
	type TlsChat,
} from "../support/tls-chat.ts";

/** A place in a turn, how to get there, and what the message must hold from then on. */
interface Moment {
	readonly when: string;
	readonly events: readonly string[] | undefined;
	/** The event that says that the client is there, too. */
	readonly seen: "text_delta" | "toolcall_delta" | "start" | undefined;
	readonly content: AssistantMessage["content"];
}

const BEFORE: Moment = { when: "before the head", events: undefined, seen: undefined, content: [] };
const HEAD: Moment = { when: "behind the head", events: [], seen: "start", content: [] };
const IN_TEXT: Moment = {
	when: "in the text",
	events: [TEXT("half")],
	seen: "text_delta",
	content: [{ type: "text", text: "half" }],
};
const IN_CALL: Moment = {
	when: "in a tool call",
	events: [TEXT("now"), CALL('{"path":"a.ts","content":"one\\n')],
	seen: "toolcall_delta",
	content: [
		{ type: "text", text: "now" },
		expect.objectContaining({
			type: "toolCall",
			id: "a",
			name: "write",
			arguments: { path: "a.ts", content: "one\n" },
			argumentsError: expect.any(String), // so that half of it is never run
		}),
	],
};
const MOMENTS = [BEFORE, HEAD, IN_TEXT, IN_CALL];

async function reach({ events, seen }: Moment, turn: RunningTurn, call: ChatCall): Promise<void> {
	if (events !== undefined) call.send(...events);
	if (seen !== undefined) await turn.seen(seen);
}

/** A turn that has come to the moment. */
async function begin(moment: Moment, chat: TlsChat): Promise<[RunningTurn, ChatCall]> {
	const turn = chat.ask();
	const call = await chat.server.next();
	await reach(moment, turn, call);
	return [turn, call];
}

function expectError(turn: Turn, words: RegExp, retry: boolean): void {
	expect(turn.broken).toEqual([]);
	expect(turn.message).toMatchObject({ stopReason: "error" });
	expect(turn.message.errorMessage).toMatch(words);
	expect(isRetryableAssistantError(turn.message), turn.message.errorMessage).toBe(retry);
}

async function answers(chat: TlsChat, text: string): Promise<ChatCall> {
	const turn = chat.ask();
	const call = await chat.server.next();
	call.send(TEXT(text), STOP);
	call.response.end();
	const { broken, message } = await turn.over;
	expect(broken).toEqual([]);
	expect(message).toMatchObject({ stopReason: "stop", content: [{ type: "text", text }] });
	return call;
}

test.each(MOMENTS)(
	"an abort $when reaches the server, keeps what came, and the next turn has a connection ready",
	async (moment) => {
		const chat = await startTlsChat();
		const [turn, call] = await begin(moment, chat);
		turn.abort();
		const { broken, message } = await turn.over;
		expect(broken).toEqual([]);
		expect(message).toMatchObject({ stopReason: "aborted", content: moment.content });
		expect(isRetryableAssistantError(message)).toBe(false);
		await call.closed;
		await expect.poll(() => chat.server.others).toEqual(["/health"]);
		await chat.http.warm(); // the one that runs already, if it still does
		expect((await answers(chat, "next")).connection).toBe(2);
		expect(chat.server.connections()).toBe(2);
	},
);

const BREAKS: readonly (readonly [string, (call: ChatCall) => void])[] = [
	["resets the connection", ({ socket }) => void socket.resetAndDestroy()],
	["closes it without a word of TLS", ({ socket }) => void socket.destroy()],
	["ends TLS cleanly", ({ response }) => void response.socket?.end()],
];

test.each(
	BREAKS.flatMap(([how, end]) => MOMENTS.map((moment) => ({ how, end, moment, ...moment }))),
)("a server that $how $when: pi tries again, what came is kept", async ({ end, moment }) => {
	const chat = await startTlsChat();
	await chat.http.warm(); // as when the model is selected: a first refusal would be the certificate's
	const [turn, call] = await begin(moment, chat);
	end(call);
	const ended = await turn.over;
	expectError(ended, /^Connection error: /, true);
	expect(ended.message.content).toEqual(moment.content);
	await answers(chat, "again");
});

test.each([
	["by its last chunk", {}],
	["by the end of TLS", { connection: "close" }],
])("a body that ends %s, but without finish_reason, is no answer", async (_how, headers) => {
	const chat = await startTlsChat();
	const turn = chat.ask();
	const { response } = await chat.server.next();
	if ("connection" in headers) response.removeHeader("transfer-encoding");
	response.writeHead(200, { "content-type": "text/event-stream", ...headers });
	response.write(TEXT("half"));
	await turn.seen("text_delta");
	response.end();
	const ended = await turn.over;
	expectError(ended, /^Connection error: the stream ended without finish_reason/, true);
	expect(ended.message.content).toEqual(IN_TEXT.content);
});

const LIMIT = 300_000;

/** The clock of the silence by hand; the network's goes on. */
function stopClock(): void {
	vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout", "performance"] });
	onTestFinished(() => void vi.useRealTimers());
}

test.each(MOMENTS)("a server that falls silent $when is given up", async (moment) => {
	const chat = await startTlsChat({ deps: { timeoutMs: LIMIT } });
	await chat.http.warm();
	stopClock();
	const [turn, call] = await begin(moment, chat);
	vi.advanceTimersByTime(LIMIT);
	const ended = await turn.over;
	expectError(ended, /^The server sent nothing for 300 s \(timed out\)/, true);
	expect(ended.message.content).toEqual(moment.content);
	await call.closed;
});

/** Tells when a piece of a body was looked at and the next one is waited for. */
function tapped(http: WarmHttp, onAsked: () => void): WarmHttp {
	const tap = ({ body, ...head }: HttpResponse): HttpResponse => ({
		...head,
		body: {
			destroy: () => body.destroy(),
			[Symbol.asyncIterator]() {
				const parts = body[Symbol.asyncIterator]();
				return {
					next() {
						onAsked();
						return parts.next();
					},
				};
			},
		},
	});
	return { ...http, request: async (request) => tap(await http.request(request)) };
}

const SLOWLY = TEXT("slowly").match(/[\s\S]{1,5}/g) as string[];

test.each([
	["comments", Array<string>(20).fill(": keep-alive\n\n")],
	["loading text", Array<string>(20).fill(LOADING("still loading\n"))],
	["an event that comes in crumbs", SLOWLY],
])("%s at any pace below the limit keep a turn alive for hours", async (what, signs) => {
	const asked: (() => void)[] = [];
	let times = 0;
	const progress: ChatProgress[] = [];
	const chat = await startTlsChat({
		deps: { timeoutMs: LIMIT, onProgress: (step) => progress.push(step) },
		around: (http) =>
			tapped(http, () => {
				times += 1;
				for (const answer of asked.splice(0)) answer();
			}),
	});
	await chat.http.warm();
	stopClock();
	const [turn, call] = await begin(HEAD, chat);
	for (const [heard, sign] of signs.entries()) {
		while (times <= heard) await new Promise<void>((resolve) => asked.push(resolve));
		vi.advanceTimersByTime(LIMIT - 1);
		call.send(sign);
	}
	while (times <= signs.length) await new Promise<void>((resolve) => asked.push(resolve));
	call.send(STOP);
	call.response.end();
	const { broken, message } = await turn.over;
	expect(broken).toEqual([]);
	const content = signs === SLOWLY ? [{ type: "text", text: "slowly" }] : [];
	expect(message).toMatchObject({ stopReason: "stop", content });
	expect(progress).toHaveLength(what === "loading text" ? 20 : 0);
});

test("two turns at once have a connection each and do not mix", async () => {
	const chat = await startTlsChat();
	const turns = [chat.ask({ sessionId: "one" }), chat.ask({ sessionId: "two" })];
	const calls = await Promise.all([chat.server.next(), chat.server.next()]);
	expect(new Set(calls.map(({ connection }) => connection))).toEqual(new Set([1, 2]));
	for (let round = 0; round < 20; round += 1) {
		for (const { send, response } of calls) send(TEXT(`${response.req.headers["x-session-id"]} `));
		await Promise.all(turns.map(({ seen }) => seen("text_delta")));
	}
	for (const call of calls) {
		call.send(STOP);
		call.response.end();
	}
	const ended = await Promise.all(turns.map(({ over }) => over));
	expect(ended.map(({ broken }) => broken)).toEqual([[], []]);
	expect(ended.map(({ message }) => message.content)).toEqual([
		[{ type: "text", text: "one ".repeat(20) }],
		[{ type: "text", text: "two ".repeat(20) }],
	]);
	expect(chat.server.connections()).toBe(2);
});

test("an abort of one of two leaves the other alone", async () => {
	const chat = await startTlsChat();
	const [doomed] = await begin(IN_TEXT, chat);
	const [other, call] = await begin(IN_CALL, chat);
	doomed.abort();
	expect((await doomed.over).message.stopReason).toBe("aborted");
	call.send(CALL('two"}'), STOP);
	call.response.end();
	const { broken, message } = await other.over;
	expect(broken).toEqual([]);
	expect(message.stopReason).toBe("toolUse");
	expect(message.content[1]).toMatchObject({
		arguments: { path: "a.ts", content: "one\ntwo" },
	});
});

test("50 turns, each begun at the [DONE] of the one before, use one connection and one handshake", async () => {
	const chat = await startTlsChat();
	stopClock(); // the wait for the end of a body must not time out
	for (let turn = 1; turn <= 50; turn += 1) await answers(chat, `turn ${turn}`);
	expect(chat.server.connections()).toBe(1);
	expect(chat.server.handshakes()).toBe(1);
});

test("a turn waits for the end of the last body, but not for long", async () => {
	const chat = await startTlsChat();
	stopClock();
	const [first, call] = await begin(IN_TEXT, chat);
	call.send(STOP); // and no end
	expect((await first.over).message.stopReason).toBe("stop");
	const second = chat.ask();
	await expect.poll(() => vi.getTimerCount()).toBe(3); // of the drain, of the wait and of the silence
	expect(chat.server.connections()).toBe(1);
	vi.advanceTimersByTime(100);
	const next = await chat.server.next();
	expect(next.connection).toBe(2);
	next.send(TEXT("second"), STOP);
	next.response.end();
	expect((await second.over).message.content).toEqual([{ type: "text", text: "second" }]);
	vi.advanceTimersByTime(1000);
	await call.closed;
});

const OPENSSL = findProgram("openssl");
const LONG_AGO = { now: () => new Date("2020-06-01") };

test.skipIf(OPENSSL === undefined).each([
	["tls1_3", "of another CA", { identity: foreigner }, "does not know the CA that signed it"],
	["tls1_2", "of another CA", { identity: foreigner }, "does not know the CA that signed it"],
	["tls1_3", "that has expired", { identity: expired, http: LONG_AGO }, "as expired"],
	["tls1_2", "that has expired", { identity: expired, http: LONG_AGO }, "as expired"],
])(
	"%s: the alert about a certificate %s is reported, and not tried again",
	// A server of TLS 1.2 may close before it has read all, and the reset then overtake the alert.
	{ retry: 5 },
	async (version, _what, setup, words) => {
		const { ask } = await connectTlsChat(await startAlertingServer(OPENSSL ?? "", version), setup);
		for (let again = 0; again < 2; again += 1) {
			const ended = await ask().over;
			expectError(ended, /^https:\/\/localhost:\d+ refused the client certificate/, false);
			expect(ended.message.errorMessage).toContain(words);
			expect(ended.message.errorMessage).not.toContain("Connection error");
			expect(ended.events).toHaveLength(1);
		}
	},
);

test("a certificate that is refused without an alert is reported as such, too", async () => {
	const chat = await startTlsChat({ identity: foreigner });
	const ended = await chat.ask().over;
	expectError(ended, /^https:\/\/localhost:\d+ refused the client certificate/, false);
	expect(ended.events).toHaveLength(1);
	expect(chat.server.handshakes()).toBe(0);
});
