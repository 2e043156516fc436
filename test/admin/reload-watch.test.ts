import { expect, test } from "vitest";
import { type ReloadWatch, watchReload } from "../../admin/reload-watch.ts";
import {
	type EventServer,
	eventServer,
	MODELS,
	message,
	settled,
} from "../support/event-server.ts";

async function watching(signal?: AbortSignal): Promise<EventServer & { watch: ReloadWatch }> {
	const server = eventServer();
	const opening = watchReload(server.events, signal);
	await settled();
	await server.streams[0]?.send(
		message("logData", { source: "proxy", data: "failed to reload config: old\n" }),
		MODELS,
	);
	const watch = await opening;
	if (watch === undefined) throw new Error("no watch");
	return { ...server, watch };
}

test("a stream that ends is a new config, whether it was waited for or not", async () => {
	const { watch, streams } = await watching();
	const outcome = watch.outcome(1000);
	await streams[0]?.end();
	expect(await outcome).toEqual({ kind: "ended" });
	expect(await watch.outcome(1000)).toEqual({ kind: "ended" });
	watch.close();
});

test("a config that is rejected, and not one of the past", async () => {
	const { watch, streams } = await watching();
	expect(await watch.outcome(1)).toEqual({ kind: "silent" });
	await streams[0]?.send(
		message("logData", { source: "proxy", data: "[WARN] failed to reload config: line 2\n" }),
	);
	expect(await watch.outcome(1000)).toEqual({
		kind: "rejected",
		line: "failed to reload config: line 2",
	});
	watch.close();
	await settled();
	expect(streams[0]?.isClosed()).toBe(true);
});

test("a server without events has no watch, and leaves nothing open", async () => {
	const { events, react, pauses, asked } = eventServer();
	react({ status: 404 });
	expect(await watchReload(events)).toBeUndefined();
	expect([asked(), pauses]).toEqual([1, [3_600_000]]);
	await settled();
});

test("an abort ends opening and waiting", async () => {
	const stop = new AbortController();
	const reason = new Error("stopped");
	const { watch } = await watching(stop.signal);
	const outcome = watch.outcome(60_000);
	stop.abort(reason);
	await expect(outcome).rejects.toBe(reason);
	watch.close();
	const { events, asked, streams } = eventServer();
	await expect(watchReload(events, stop.signal)).rejects.toBe(reason);
	await settled();
	expect(streams.every((stream) => stream.isClosed())).toBe(true);
	expect(asked()).toBeLessThan(2);
});
