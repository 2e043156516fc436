import { expect, test } from "vitest";
import type { Admin } from "../../admin.ts";
import { createAsk, describeBusy, describeLoaded } from "../../ui/confirm.ts";

const answering = (counts: Readonly<Record<string, number>>): Requests => {
	const byModel = new Map(Object.entries(counts));
	return { total: [...byModel.values()].reduce((sum, count) => sum + count, 0), byModel };
};
type Requests = Awaited<ReturnType<Admin["inFlight"]>>;
type Asked = Pick<Admin, "listRunning" | "inFlight">;

function adminWith(requests: Requests, running: readonly string[] | Error): Asked {
	return {
		inFlight: async () => requests,
		listRunning: async () => {
			if (running instanceof Error) throw running;
			return running.map((id) => ({ id, state: "ready" as const, cmd: undefined }));
		},
	};
}

test("--yes answers every question, without asking", async () => {
	const asked: string[] = [];
	const ui = {
		confirm: async (title: string) => {
			asked.push(title);
			return false;
		},
	} as unknown as Parameters<typeof createAsk>[1]["ui"];
	const question = { title: "Really?", message: "" };
	expect(await createAsk(true, { ui })(question)).toBe(true);
	expect(asked).toEqual([]);
	expect(await createAsk(false, { ui })(question)).toBe(false);
	expect(asked).toEqual(["Really?"]);
});

test.each<[string, Requests, string]>([
	["no model is answering", answering({}), ""],
	["a model that does not count is answering", answering({ mine: 1 }), ""],
	["two are", answering({ a: 1, b: 2, mine: 1 }), "Busy: a (1 request), b (2 requests)."],
	[
		"the server reports nothing",
		undefined,
		"Loaded: a. The server does not report which models are busy.",
	],
	[
		"the server reports a total only",
		{ total: 2, byModel: new Map() },
		"Loaded: a. The server does not report which models are busy (2 requests in progress).",
	],
])("what would be cut off when %s", async (_when, requests, text) => {
	const admin = adminWith(requests, ["mine", "a"]);
	expect(await describeBusy(admin, (id) => id !== "mine")).toBe(text);
});

test("without a list of loaded models nothing is claimed", async () => {
	expect(await describeBusy(adminWith(undefined, new Error("gone")), () => true)).toBe("");
});

test.each<[string, Requests, readonly string[] | Error, string]>([
	["is not available", undefined, new Error("gone"), "The list of loaded models is not available."],
	["is empty", answering({}), [], "No model is loaded."],
	["has an idle model", answering({}), ["a"], "Loaded: a (ready). No request is in progress."],
	[
		"has a busy model",
		answering({ a: 2 }),
		["a", "b"],
		"Loaded: a (ready, 2 requests), b (ready). Requests in progress (2) will be cut off.",
	],
	[
		"comes from a server that reports no requests",
		undefined,
		["a\u001b[2J"],
		"Loaded: a (ready). Requests in progress will be cut off.",
	],
])(
	"what a restart ends when the list of loaded models %s",
	async (_when, requests, running, text) => {
		expect(await describeLoaded(adminWith(requests, running))).toBe(text);
	},
);
