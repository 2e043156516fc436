import { expect, test } from "vitest";
import { lazy } from "../../lib/lazy.ts";

test("one import waits for the other, also for one that fails", async () => {
	const gate = Promise.withResolvers<string>();
	const log: string[] = [];
	const first = lazy(() => {
		log.push("first");
		return gate.promise;
	})();
	const second = lazy(async () => {
		log.push("second");
		return 2;
	})();
	await new Promise((resolve) => setImmediate(resolve));
	expect(log).toEqual(["first"]);
	gate.reject(new Error("not there"));
	await expect(first).rejects.toThrow("not there");
	expect(await second).toBe(2);
	expect(log).toEqual(["first", "second"]);
});

test("what has loaded is kept, what has failed is tried again", async () => {
	let tries = 0;
	const load = lazy(async () => {
		tries += 1;
		if (tries === 1) throw new Error("not there");
		return tries;
	});
	await expect(load()).rejects.toThrow("not there");
	expect(await load()).toBe(2);
	expect(await load()).toBe(2);
});
