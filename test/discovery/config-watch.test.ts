import { expect, test } from "vitest";
import type { AdminEvent, LinkEvent } from "../../admin/events.ts";
import { followConfig } from "../../discovery/config-watch.ts";

/** Follows these events, and lists what happened. */
async function follow(
	kinds: readonly ("connected" | "ended" | "unavailable")[],
	refresh: () => Promise<never> = () => Promise.reject(new Error("gone")),
): Promise<readonly string[]> {
	const session = new AbortController();
	const log: string[] = [];
	let listener: ((event: AdminEvent) => void) | undefined;
	followConfig({
		events: {
			listen(given) {
				listener = given;
				return () => void log.push("stopped");
			},
		},
		catalog: {
			refresh: () => {
				log.push("refresh");
				return refresh();
			},
		},
		wait: async (milliseconds) => void log.push(`${milliseconds / 1000} s`),
		signal: session.signal,
	});
	for (const kind of kinds) {
		const event: LinkEvent = kind === "unavailable" ? { kind, reason: "unreachable" } : { kind };
		listener?.(event);
		await new Promise(setImmediate);
	}
	session.abort();
	return log;
}

test("after another config the list is asked for, and after the next one too", async () => {
	const once = ["1 s", "refresh"];
	expect(await follow(["connected", "ended", "connected", "ended", "connected"])).toEqual([
		...once,
		...once,
		"stopped",
	]);
});

test("a server that was away is asked when it is back, and not before", async () => {
	expect(await follow(["connected", "ended", "unavailable", "unavailable"])).toEqual(["stopped"]);
	const back = await follow(["connected", "ended", "unavailable", "connected"]);
	expect(back).toEqual(["1 s", "refresh", "stopped"]);
});

test("the first connection, and one that replaces a silent one, ask for nothing", async () => {
	expect(await follow(["unavailable", "connected", "connected"])).toEqual(["stopped"]);
});

test("nothing is listened to after the end", () => {
	const closed = AbortSignal.abort();
	const never = (): never => {
		throw new Error("Not to be called");
	};
	const deps = { events: { listen: never }, catalog: { refresh: never }, wait: never };
	expect(() => followConfig({ ...deps, signal: closed })).not.toThrow();
});
