import { expect, test } from "vitest";
import {
	awaitReload,
	parseServerEvent,
	type ServerEvent,
} from "../../../../lib/llama-swap/api/events.ts";

const message = (type: string, data: unknown): string =>
	JSON.stringify({ type, data: JSON.stringify(data) });
const inFlight = (total: number, models: readonly (readonly [string, number])[]): unknown => ({
	kind: "in-flight",
	requests: { total, byModel: new Map(models) },
});

test.each<[string, unknown, unknown]>([
	["modelStatus", [], { kind: "models" }],
	["logData", { source: "proxy", data: "x" }, { kind: "proxy-log", text: "x" }],
	["logData", { source: "upstream", data: "x" }, undefined],
	["inflight", { total: 2 }, inFlight(2, [])],
	["inflight", { requests: [{ model: "a" }, { model: "a" }] }, inFlight(2, [["a", 2]])],
	["inflight", { operation: "snapshot" }, inFlight(0, [])],
	["inflight", { operation: "snapshot", requests: [{ model: "a" }] }, inFlight(1, [["a", 1]])],
	["inflight", { operation: "upsert", request: { model: "a" } }, undefined],
	["inflight", { other: 1 }, undefined],
	["uiConfig", {}, undefined],
])("the message %s %j", (type, data, expected) => {
	expect(parseServerEvent(message(type, data))).toEqual(expected);
});

test.each(["", "{", "[]", '{"type":"inflight","data":"{"}', '{"type":"logData","data":5}'])(
	"%j is no message",
	(text) => {
		expect(parseServerEvent(text)).toBeUndefined();
	},
);

const log = (text: string): ServerEvent => ({ kind: "proxy-log", text });
const READY: ServerEvent = { kind: "models" };
const OLD = log("[WARN] failed to reload config: of yesterday\n");

test.each<[string, readonly ServerEvent[], unknown]>([
	["ends", [OLD, READY, READY], { kind: "ended" }],
	["ends before it began", [OLD], { kind: "silent" }],
	[
		"rejects, in two pieces",
		[OLD, READY, log("[WARN] failed to reload con"), log("fig: line 2\n[INFO] more\n")],
		{ kind: "rejected", line: "failed to reload config: line 2" },
	],
])("a stream that %s", async (_name, events, expected) => {
	let ready = 0;
	const stream = async function* () {
		yield* events;
	};
	const outcome = await awaitReload(stream(), () => {
		ready += 1;
	});
	expect(outcome).toEqual(expected);
	expect(ready).toBe(events.includes(READY) ? 1 : 0);
});

test("a stream that is cut counts as one that ended", async () => {
	const stream = async function* () {
		yield READY;
		throw new Error("reset");
	};
	expect(await awaitReload(stream(), () => undefined)).toEqual({ kind: "ended" });
});
