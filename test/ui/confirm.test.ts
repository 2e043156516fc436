import { expect, test } from "vitest";
import { completeSizes, describeEdit } from "../../commands/ctx.ts";
import { createQueue } from "../../lib/keyed-queue.ts";
import { askConsent, describeBusy, readArguments } from "../../ui/confirm.ts";
import type { CommandContext } from "../../ui/context.ts";

test.each([
	["", { text: "", yes: false }],
	["a  64k", { text: "a 64k", yes: false }],
	["--yes", { text: "", yes: true }],
	["a --yes 64k", { text: "a 64k", yes: true }],
	["a--yes", { text: "a--yes", yes: false }],
])("%j is read", (args, expected) => {
	expect(readArguments(args)).toEqual(expected);
});

test("where nobody can be asked, only --yes goes ahead", async () => {
	const pi = { hasUI: false } as Parameters<typeof askConsent>[2]["pi"];
	const consent = { title: "Really?", message: "", command: "/do" };
	await expect(askConsent(consent, false, { pi })).rejects.toMatchObject({
		hint: "To go ahead without a question: /do --yes",
	});
	expect(await askConsent(consent, true, { pi })).toBe(true);
});

test("sizes complete by either spelling, and carry the model along", () => {
	expect(completeSizes("m", "6")).toEqual([
		{ value: "m 64k", label: "64k", description: "65536 tokens" },
	]);
	expect(completeSizes("m", "13107")?.map(({ label }) => label)).toEqual(["128k"]);
	expect(completeSizes("m", "")?.at(-1)?.value).toBe("m max");
	expect(completeSizes("m", "x")).toBeNull();
});

test("an edit is told with its lines and what comes of it", () => {
	const edit = {
		...{ yaml: "", id: "m", before: undefined, after: 4096 },
		changes: [{ line: 3, before: undefined, after: "  --ctx-size 4096" }],
		kept: ["capabilities.context"],
		left: ["metadata.n_ctx"],
	};
	expect(describeEdit(edit, false)).toEqual({
		title: "Context of m: not set → 4096?",
		message: [
			"line 3:",
			"+ --ctx-size 4096",
			"Changed along with it: capabilities.context",
			"Still another number: metadata.n_ctx",
			"m is loaded afterwards, which may stop another model.",
		].join("\n"),
	});
});

test("what has the same key runs in turn, whatever became of the one before", async () => {
	const inTurn = createQueue();
	const order: string[] = [];
	const gate = Promise.withResolvers<void>();
	const first = inTurn("m", async () => {
		order.push("first");
		await gate.promise;
		throw new Error("failed");
	});
	const second = inTurn("m", async () => {
		order.push("second");
		return 2;
	});
	await inTurn("other", async () => void order.push("other"));
	expect(order).toEqual(["first", "other"]);
	gate.resolve();
	await expect(first).rejects.toThrow("failed");
	expect(await second).toBe(2);
});

type Requests = Awaited<ReturnType<CommandContext["admin"]["inFlight"]>>;

const answering = (counts: Readonly<Record<string, number>>): Requests => {
	const byModel = new Map(Object.entries(counts));
	return { total: [...byModel.values()].reduce((sum, count) => sum + count, 0), byModel };
};

test.each<[string, Requests, string]>([
	["nobody is answering", answering({}), ""],
	["another model is answering", answering({ mine: 1 }), ""],
	["two are", answering({ a: 1, b: 2, mine: 1 }), "Answering: a (1 request), b (2 requests)."],
	["the server tells nothing", undefined, "Loaded: a. This server does not tell who is answering."],
	[
		"the server tells how many, but not who",
		{ total: 2, byModel: new Map() },
		"Loaded: a. This server does not tell who is answering, but has 2 requests under way.",
	],
])("what would be cut off when %s", async (_when, requests, told) => {
	const admin = {
		inFlight: async () => requests,
		listRunning: async () => ["mine", "a"].map((id) => ({ id, state: "ready" })),
	} as unknown as CommandContext["admin"];
	expect(await describeBusy({ admin }, (id) => id !== "mine")).toBe(told);
});
