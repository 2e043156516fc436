import { describe, expect, test } from "vitest";
import {
	createEventParser,
	readServerEvents,
	type ServerEvent,
} from "../../../../lib/llama-swap/api/events.ts";
import { readRecords } from "../../../support/records.ts";

const ERAS = ["v217", "v225", "v236", "v250", "head"] as const;

/** The events of a recorded stream, in pieces of this many bytes. */
async function eventsOf(era: string, id: string, size = 1000): Promise<readonly ServerEvent[]> {
	const { exchanges } = await readRecords(`llama-swap-${era}`);
	const exchange = exchanges.find((one) => one.id === id);
	if (exchange === undefined) throw new Error(`no ${id} of ${era}`);
	const bytes = Buffer.from(exchange.body);
	const body = async function* () {
		for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
	};
	const events: ServerEvent[] = [];
	for await (const event of readServerEvents(body())) events.push(event);
	return events;
}

const ofKind = <Kind extends ServerEvent["kind"]>(
	events: readonly ServerEvent[],
	kind: Kind,
): readonly Extract<ServerEvent, { kind: Kind }>[] =>
	events.filter((event): event is Extract<ServerEvent, { kind: Kind }> => event.kind === kind);

describe.each(ERAS)("%s", (era) => {
	test("the states of all models come first, after the logs of the past", async () => {
		const events = await eventsOf(era, "events-inflight");
		expect(events.slice(0, 3).map(({ kind }) => kind)).toEqual(["log", "log", "models"]);
		const [first] = ofKind(events, "models");
		const states = new Map(first?.models.map(({ id, state }) => [id, state]));
		expect(states.get("slow")).toBe("ready");
		expect(states.get("slow2")).toBe("stopped");
		const logs = ofKind(events, "log");
		expect(new Set(logs.slice(0, 2).map(({ source }) => source))).toEqual(
			new Set(["proxy", "upstream"]),
		);
		expect(logs.map(({ history }) => history)).toEqual(logs.map((_, at) => at < 2));
	});

	test("requests come and go", async () => {
		const counts = ofKind(await eventsOf(era, "events-inflight"), "in-flight");
		const totals = counts.map(({ inFlight }) => inFlight.total);
		expect(totals[0]).toBe(0);
		expect(Math.max(...totals)).toBeGreaterThan(0);
		expect(totals.at(-1)).toBe(0);
		const busy = counts.find(({ inFlight }) => inFlight.total > 0)?.inFlight;
		const named = era === "v217" || era === "v225" ? [] : ["slow"];
		expect([...(busy?.byModel.keys() ?? [])]).toEqual(named);
		expect(busy?.requests.map(({ path }) => path)).toEqual(named.map(() => "/v1/chat/completions"));
	});

	test("finished requests are reported, whole or by their number", async () => {
		const events = await eventsOf(era, "events-inflight");
		const [past, ...later] = ofKind(events, "activity");
		const added = ofKind(events, "activity-added");
		if (era === "v217" || era === "v225") {
			expect(added).toEqual([]);
			expect([past?.history, ...later.map(({ history }) => history)]).toEqual([
				true,
				...later.map(() => false),
			]);
			expect(later.at(-1)?.entries.at(-1)).toMatchObject({ status: 200, model: "tiny" });
		} else {
			expect(past).toBeUndefined();
			expect(added.length).toBeGreaterThan(1);
		}
	});

	test("the same events come out of any pieces", async () => {
		expect(await eventsOf(era, "events-inflight", 7)).toEqual(
			await eventsOf(era, "events-inflight", 1_000_000),
		);
	});
});

test.each([
	["v225", true],
	["v236", true],
	["v250", true],
	["head", true],
	["v217", false],
])("%s reports a reload after the event (%s)", async (era, isReported) => {
	const reloads = ofKind(await eventsOf(era, "events-hup-reconnect"), "config-reloaded");
	expect(reloads.length > 0).toBe(isReported);
});

const message = (type: string, data: unknown): string =>
	JSON.stringify({ type, data: JSON.stringify(data) });
const MODELS = message("modelStatus", []);
const log = (data: string, source = "proxy"): string => message("logData", { source, data });
const parsed = (...messages: readonly string[]): readonly ServerEvent[] => {
	const parse = createEventParser();
	return messages.flatMap((text) => parse(text));
};

test("a rejected config shows in the proxy's log, even in two pieces", () => {
	const old = log("[WARN] failed to reload config: of yesterday\n");
	const events = parsed(
		old,
		MODELS,
		log("[WARN] failed to reload con"),
		log("fig: line 2\n[INFO] more\n"),
		log("failed to reload config: a model says so\n", "upstream"),
	);
	expect(ofKind(events, "config-rejected")).toEqual([
		{ kind: "config-rejected", line: "failed to reload config: line 2" },
	]);
});

test("a line without an end counts when the end comes", () => {
	expect(ofKind(parsed(MODELS, log("failed to reload config: x")), "config-rejected")).toEqual([]);
});

test("states and names of models, whatever they are", () => {
	const [event] = parsed(
		message("modelStatus", [
			{ id: "a", name: "A\nB", state: "shutdown", aliases: ["x", 1], unlisted: true },
			{ id: "p/m", state: "", peerID: "p" },
			{ id: "" },
			5,
		]),
	);
	expect(event).toEqual({
		kind: "models",
		models: [
			{ id: "a", name: "A B", state: "stopped", aliases: ["x"], unlisted: true },
			{ id: "p/m", state: "unknown", aliases: [], unlisted: false, peer: "p" },
		],
	});
});

test.each(["v250", "head"])("%s reports the active profile", async (era) => {
	expect(ofKind(await eventsOf(era, "events"), "profile")[0]).toEqual({ kind: "profile" });
	expect(parsed(message("profileChanged", { active: "night" }))).toEqual([
		{ kind: "profile", active: "night" },
	]);
});

test.each([
	"",
	"{",
	"[]",
	'{"type":"inflight","data":"{"}',
	'{"type":"logData","data":5}',
	message("modelStatus", {}),
	message("metrics", {}),
	message("activity", {}),
	message("profileChanged", []),
	message("logData", { source: "other", data: "x" }),
	message("uiConfig", {}),
])("%j is no event", (text) => {
	expect(parsed(text)).toEqual([]);
});
