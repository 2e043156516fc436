import { expect, test } from "vitest";
import { createQueue } from "../../lib/keyed-queue.ts";

test("what has a key in common runs in turn, whatever became of the one before", async () => {
	const inTurn = createQueue();
	const order: string[] = [];
	const gate = Promise.withResolvers<void>();
	const first = inTurn(["m"], async () => {
		order.push("first");
		await gate.promise;
		throw new Error("failed");
	});
	const second = inTurn(["m", "config"], async () => {
		order.push("second");
		return 2;
	});
	const third = inTurn(["config"], async () => void order.push("third"));
	await inTurn(["other"], async () => void order.push("other"));
	await inTurn([], async () => void order.push("none"));
	expect(order).toEqual(["first", "other", "none"]);
	gate.resolve();
	await expect(first).rejects.toThrow("failed");
	expect(await second).toBe(2);
	await third;
	expect(order.slice(3)).toEqual(["second", "third"]);
});

test("two that share two keys never wait for each other", async () => {
	const inTurn = createQueue();
	const order: string[] = [];
	await Promise.all([
		inTurn(["a", "b"], async () => void order.push("first")),
		inTurn(["b", "a"], async () => void order.push("second")),
	]);
	expect(order).toEqual(["first", "second"]);
});
