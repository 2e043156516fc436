import { expect, test } from "vitest";
import { eventServer, MODELS, message, settled } from "../support/event-server.ts";

const BUSY = message("inflight", { total: 2 });

test("nothing is opened before somebody listens, and all share one stream", async () => {
	const { events, asked, streams, record } = eventServer();
	await settled();
	expect([asked(), events.known()]).toEqual([0, undefined]);
	const first = record();
	const second = record();
	await settled();
	expect(streams.map(({ request }) => request.path)).toEqual(["/api/events"]);
	await streams[0]?.send(MODELS, BUSY);
	expect(first.kinds).toEqual(["connected", "models", "in-flight"]);
	expect(second.kinds).toEqual(first.kinds);
	expect(events.known()).toMatchObject({ models: [{ id: "m" }], inFlight: { total: 2 } });
	first.stop();
	expect(streams[0]?.isClosed()).toBe(false);
	second.stop();
	await settled();
	expect([streams[0]?.isClosed(), events.known(), asked()]).toEqual([true, undefined, 1]);
});

test("after the last listener nothing is waited for, and the next one opens anew", async () => {
	const { streams, record, pauses, asked } = eventServer();
	record().stop();
	await settled();
	expect([pauses, asked()]).toEqual([[], 0]);
	const { kinds } = record();
	await settled();
	await streams.at(-1)?.send(MODELS);
	expect(kinds).toEqual(["connected", "models"]);
});

test.each(["end", "cut"] as const)(
	"a stream that comes to an end (%s) is opened again",
	async (how) => {
		const { events, streams, record, pauses, pass } = eventServer();
		const { kinds } = record();
		await settled();
		await streams[0]?.send(MODELS);
		await streams[0]?.[how]();
		expect(kinds).toEqual(["connected", "models", "ended"]);
		expect([pauses, events.known()]).toEqual([[1000], undefined]);
		await pass();
		await streams[1]?.send(MODELS);
		expect(kinds.slice(3)).toEqual(["connected", "models"]);
	},
);

test("a server that is down is asked ever more seldom, until it is back", async () => {
	const { streams, record, react, pauses, pass } = eventServer();
	const { kinds } = record();
	await settled();
	await streams[0]?.send(MODELS);
	react("down");
	await streams[0]?.end();
	for (let time = 0; time < 12; time += 1) await pass();
	expect(pauses.map((pause) => pause / 1000)).toEqual([
		...[1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 600, 600, 600],
	]);
	react("stream");
	await pass();
	await streams[1]?.send(MODELS);
	await streams[1]?.end();
	expect(pauses.at(-1)).toBe(1000);
	expect(kinds.filter((kind) => kind === "ended")).toHaveLength(2);
	expect(kinds.filter((kind) => kind === "connected")).toHaveLength(2);
	expect(kinds.filter((kind) => kind === "unreachable")).toHaveLength(12);
});

test("a stream that ends before the models was none", async () => {
	const { streams, record, pauses } = eventServer();
	const { kinds } = record();
	await settled();
	await streams[0]?.send(message("logData", { source: "proxy", data: "old\n" }));
	await streams[0]?.end();
	expect([kinds, pauses]).toEqual([["log", "unreachable"], [1000]]);
});

test.each([
	[{ status: 404 }, "missing", 3_600_000],
	[{ status: 405 }, "missing", 3_600_000],
	[{ status: 200, type: "text/html" }, "missing", 3_600_000],
	[{ status: 401 }, "unreachable", 1000],
	[{ status: 502 }, "unreachable", 1000],
] as const)("a server that answers %j", async (reaction, reason, pause) => {
	const { events, asked, record, react, pauses } = eventServer();
	react(reaction);
	const { kinds } = record();
	await settled();
	expect([kinds, pauses]).toEqual([[reason], [pause]]);
	const before = asked();
	const isReady = events.ready();
	await settled();
	// A page that does not exist is not asked for again, the rest may be better now.
	expect([await isReady, asked() - before]).toEqual([false, reason === "missing" ? 0 : 1]);
});

test("ready: at once with a young stream, and with another after a long silence", async () => {
	const { events, streams, record, advance, pauses } = eventServer();
	const { kinds } = record();
	await settled();
	const opening = events.ready();
	await streams[0]?.send(MODELS);
	expect([await opening, await events.ready(), streams.length]).toEqual([true, true, 1]);
	advance(60_000);
	const again = events.ready();
	await settled();
	await streams[1]?.send(MODELS);
	expect([await again, streams.length, pauses]).toEqual([true, 2, []]);
	expect(streams[0]?.isClosed()).toBe(true);
	expect(kinds).toEqual(["connected", "models", "connected", "models"]);
});

test("a silent stream whose server has gone has ended", async () => {
	const { events, streams, record, advance, react } = eventServer();
	const { kinds } = record();
	await settled();
	await streams[0]?.send(MODELS);
	advance(60_000);
	react("down");
	expect(await events.ready()).toBe(false);
	expect(kinds).toEqual(["connected", "models", "ended", "unreachable"]);
});

test("ready ends a pause, and rejects with the reason of its caller", async () => {
	const { events, streams, record, react, asked } = eventServer();
	react("down");
	record();
	await settled();
	react("stream");
	const isReady = events.ready();
	await settled();
	await streams[0]?.send(MODELS);
	expect([await isReady, asked()]).toEqual([true, 2]);
	const reason = new Error("stopped");
	await expect(events.ready(AbortSignal.abort(reason))).rejects.toBe(reason);
});

test("without a listener nothing is ready", async () => {
	expect(await eventServer().events.ready()).toBe(false);
});
