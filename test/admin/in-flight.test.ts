import { expect, test } from "vitest";
import { readInFlight } from "../../admin/in-flight.ts";
import { eventServer, MODELS, message, settled } from "../support/event-server.ts";

const inFlight = (total: number): string => message("inflight", { total });

test("the requests under way, and nothing stays open", async () => {
	const { events, streams } = eventServer();
	const reading = readInFlight(events);
	await settled();
	await streams[0]?.send(MODELS, inFlight(2));
	expect(await reading).toMatchObject({ total: 2 });
	await settled();
	expect(streams[0]?.isClosed()).toBe(true);
});

test("what an open stream has reported last is the answer, without another request", async () => {
	const { events, streams, record, asked } = eventServer();
	record();
	await settled();
	await streams[0]?.send(MODELS, inFlight(2), inFlight(1));
	expect([await readInFlight(events), asked()]).toMatchObject([{ total: 1 }, 1]);
});

test("a server that reports none, or has no events, is no error", async () => {
	const { events, streams, react } = eventServer();
	const reading = readInFlight(events);
	await settled();
	await streams[0]?.send(MODELS);
	expect(await reading).toBeUndefined();
	react({ status: 404 });
	expect(await readInFlight(events)).toBeUndefined();
});
