import { expect, test } from "vitest";
import { poll, waitFor } from "../../lib/poll.ts";

const clock = () => {
	let time = 0;
	return {
		now: () => time,
		wait: async (milliseconds: number) => {
			time += milliseconds;
		},
	};
};

test("it looks until something is there", async () => {
	const found = [undefined, undefined, "there"];
	const look = async (): Promise<string | undefined> => found.shift();
	expect(await poll(look, { everyMs: 10, limitMs: 1000, ...clock() })).toBe("there");
	expect(found).toEqual([]);
});

test("it gives up at the limit, after a last look", async () => {
	let looks = 0;
	const look = async (): Promise<undefined> => {
		looks += 1;
	};
	expect(await poll(look, { everyMs: 10, limitMs: 30, ...clock() })).toBeUndefined();
	expect(looks).toBe(4);
});

test("a wait ends with its signal's reason", async () => {
	const reason = new Error("stopped");
	await expect(waitFor(60_000, AbortSignal.abort(reason))).rejects.toBe(reason);
});
