import { expect, test } from "vitest";
import { followConfig } from "../../discovery/config-watch.ts";
import type { ReloadWatch } from "../../lib/llama-swap/api/event-client.ts";
import type { ReloadOutcome } from "../../lib/llama-swap/api/events.ts";

/** What the server's events tell in turn; undefined is a server without events. */
type Told = ReloadOutcome["kind"] | undefined;

/** Follows until everything was told, and lists what happened. */
async function follow(
	told: readonly Told[],
	refresh: () => Promise<never> = () => Promise.reject(new Error("gone")),
): Promise<readonly string[]> {
	const session = new AbortController();
	const log: string[] = [];
	const left = [...told];
	const watchReload = async (): Promise<ReloadWatch | undefined> => {
		if (left.length === 0) session.abort();
		session.signal.throwIfAborted();
		const kind = left.shift();
		if (kind === undefined) return undefined;
		log.push(kind);
		return {
			outcome: async () => (kind === "rejected" ? { kind, line: "bad" } : { kind }),
			close: () => void log.push("closed"),
		};
	};
	await followConfig({
		admin: { watchReload },
		catalog: {
			refresh: () => {
				log.push("refresh");
				return refresh();
			},
		},
		wait: async (milliseconds) => void log.push(`${milliseconds / 1000} s`),
		signal: session.signal,
	});
	return log;
}

test("another config is asked about two seconds later, and the next one too", async () => {
	const once = ["ended", "closed", "2 s", "refresh"];
	expect(await follow(["ended", "ended"])).toEqual([...once, ...once]);
});

test("a config that is rejected changes no list, nor does silence", async () => {
	expect(await follow(["rejected", "silent"])).toEqual(["rejected", "closed", "silent", "closed"]);
});

test("a server without events is asked ever more seldom, until it has some", async () => {
	const without = Array.from({ length: 6 }, () => undefined);
	const waits = ["30 s", "60 s", "120 s", "240 s", "480 s", "600 s"];
	expect(await follow([...without, "silent", undefined])).toEqual([
		...waits,
		...["silent", "closed"],
		"30 s",
	]);
});

test("a fault that nobody expects is told, not kept", async () => {
	const broken = followConfig({
		admin: { watchReload: () => Promise.reject(new Error("broken")) },
		catalog: { refresh: () => Promise.reject(new Error("gone")) },
		wait: async () => undefined,
		signal: new AbortController().signal,
	});
	await expect(broken).rejects.toThrow("broken");
});
