import { expect, test } from "vitest";
import { type Command, defineCommand, type Runner, usageOf } from "../../commands/command.ts";
import { commandRig, discovery, model, NAMES } from "../support/command-rig.ts";

const MODELS = discovery({
	models: [
		model("a"),
		model("a-fast", { baseId: "a" }),
		model("b"),
		model("far", { peer: "cloud" }),
		model("pick", { choice: "selector" }),
	],
});

interface Changed {
	readonly command: Command;
	readonly did: string[];
}

/** A command that changes something and cuts off answers. */
function changing(cutsOff?: "model" | "others"): Changed {
	const did: string[] = [];
	const command = defineCommand({
		name: "change",
		description: "Change a model",
		arguments: { id: { kind: "model", question: "Change which model?" } },
		progress: ({ id }) => `Changing ${id}…`,
		change: {
			locks: ["model"],
			confirm: {
				...(cutsOff === undefined ? {} : { cutsOff }),
				question: ({ id }) => ({ title: `Change ${id}?`, message: "It may hurt." }),
				declined: "Nothing was changed",
			},
		},
		async run({ id }) {
			did.push(id);
			return `${id} is changed`;
		},
	});
	return { command, did };
}

const answering = (...ids: readonly string[]) => ({
	inFlight: async () => ({ total: ids.length, byModel: new Map(ids.map((id) => [id, 1])) }),
});

test("the usage line has the server's own command name", () => {
	expect(usageOf(changing().command, NAMES)).toBe("/box-change <id>");
});

test("a yes: it runs under its footer, is reported, and the list is asked for again", async () => {
	const { command, did } = changing();
	const rig = commandRig({ found: MODELS, confirms: [true] });
	await rig.run(command, "a");
	expect(did).toEqual(["a"]);
	expect(rig.asked).toEqual(["Change a? | It may hurt."]);
	expect(rig.footer).toEqual(["Changing a…"]);
	expect(rig.log).toEqual(["a is changed", "refresh"]);
});

test("a no: nothing runs, and what was declined is said", async () => {
	const { command, did } = changing();
	const rig = commandRig({ found: MODELS, confirms: [false] });
	await rig.run(command, "a");
	expect([did, rig.log]).toEqual([[], ["Nothing was changed"]]);
});

test.each(["print", "json"] as const)("%s mode cannot ask, and needs --yes", async (mode) => {
	const { command, did } = changing();
	const rig = commandRig({ mode, found: MODELS });
	await expect(rig.run(command, "a")).rejects.toMatchObject({
		code: "usage",
		message: "Confirmation is required, but this mode cannot prompt",
		hint: "Append --yes: /box-change a --yes",
	});
	expect(did).toEqual([]);
	await rig.run(command, "a --yes");
	expect([did, rig.asked]).toEqual([["a"], []]);
});

test.each<[string, "model" | "others", readonly string[], string | undefined]>([
	["itself answers", "model", ["a", "b"], "Change a? | Busy: a (1 request). It may hurt."],
	["another answers", "model", ["b"], undefined],
	["another answers", "others", ["a", "b"], "Change a? | Busy: b (1 request). It may hurt."],
	["itself answers", "others", ["a"], undefined],
])("%s, and what may be cut off is the %s", async (_when, cutsOff, busy, question) => {
	const { command, did } = changing(cutsOff);
	const rig = commandRig({ found: MODELS, admin: answering(...busy), confirms: [true] });
	await rig.run(command, "a");
	expect(rig.asked).toEqual(question === undefined ? [] : [question]);
	expect(did).toEqual(["a"]);
});

test("an alias is asked about by the model that it stands for", async () => {
	const { command } = changing("model");
	const rig = commandRig({ found: MODELS, admin: answering("a"), confirms: [false] });
	await rig.run(command, "a-fast");
	expect(rig.asked).toEqual(["Change a-fast? | Busy: a (1 request). It may hurt."]);
});

test("an alias and its model take turns; other models do not wait", async () => {
	const order: string[] = [];
	const gate = Promise.withResolvers<void>();
	const command = defineCommand({
		name: "slow",
		description: "",
		arguments: { id: { kind: "model", question: "Which?" } },
		change: { locks: ["model"] },
		async run({ id }) {
			order.push(id);
			if (id === "a") await gate.promise;
			return undefined;
		},
	});
	const rig = commandRig({ found: MODELS });
	const all = ["a", "a-fast", "b"].map((id) => rig.run(command, `${id} --yes`));
	await all[2];
	expect(order).toEqual(["a", "b"]);
	gate.resolve();
	await Promise.all(all);
	expect(order).toEqual(["a", "b", "a-fast"]);
});

test.each([
	["far", "far is on the peer cloud, which llama-swap cannot load or unload"],
	["pick", "pick is a selector, which llama-swap cannot load or unload"],
])("%s cannot be changed", async (id, message) => {
	const { command, did } = changing();
	const rig = commandRig({ found: MODELS });
	await expect(rig.run(command, `${id} --yes`)).rejects.toMatchObject({ code: "usage", message });
	expect(did).toEqual([]);
});

test("without a model the TUI shows those that can be changed; closing the list ends it", async () => {
	const { command, did } = changing();
	const rig = commandRig({ found: MODELS, picks: ["b "], confirms: [true] });
	await rig.run(command);
	expect(did).toEqual(["b"]);
	expect(rig.asked[0]).toBe(
		"Change which model? a  (ready, 4096 tokens) / a-fast  (ready, 4096 tokens) / b  (ready, 4096 tokens)",
	);
	const closed = commandRig({ found: MODELS, picks: [undefined] });
	await closed.run(command);
	expect([did, closed.log]).toEqual([["b"], []]);
});

test.each(["rpc", "print", "json"] as const)("without a model %s mode rejects", async (mode) => {
	const rig = commandRig({ mode, found: MODELS });
	await expect(rig.run(changing().command)).rejects.toMatchObject({
		code: "usage",
		message: "Which model?",
		hint: "Usage: /box-change <id>",
	});
});

test("a list that cannot be refreshed after a change is a warning, not a failure", async () => {
	const { command } = changing();
	const rig = commandRig({ found: MODELS, refreshed: new Error("gone") });
	await rig.run(command, "a --yes");
	expect(rig.log).toEqual([
		"a is changed",
		"refresh",
		"Warning: The model list could not be refreshed: gone",
	]);
});

test("a command that fails is not reported as done, and rejects as it did", async () => {
	const error = new Error("gone");
	const command = defineCommand({
		name: "fail",
		description: "",
		arguments: {},
		async run() {
			throw error;
		},
	});
	const rig = commandRig();
	await expect(rig.run(command)).rejects.toBe(error);
	expect(rig.log).toEqual([]);
});

test.each([
	["a-fast", "a", "model"],
	["a", "a-fast", "model"],
	["a-fast", "a-fast", "model"],
	["a", "old-alias", "model"],
	["old-alias", "a", "model"],
	["b", "a-fast", "others"],
] as const)("%s is the model that answers as %s, or not: %s", async (typed, busy, cutsOff) => {
	const { command, did } = changing(cutsOff);
	const known = { models: [{ id: "a", aliases: ["old-alias"] }] };
	const admin = { ...answering(busy), events: { known: () => known } };
	const rig = commandRig({
		found: MODELS,
		confirms: [true],
		admin: admin as unknown as Partial<Runner["server"]["admin"]>,
	});
	await rig.run(command, typed);
	expect(rig.asked).toEqual([`Change ${typed}? | Busy: ${busy} (1 request). It may hurt.`]);
	expect(did).toEqual([typed]);
});

test.each([
	["a-fast", "a", "others"],
	["a", "old-alias", "others"],
	["b", "a-fast", "model"],
] as const)("%s is not asked about while %s answers: %s", async (typed, busy, cutsOff) => {
	const { command, did } = changing(cutsOff);
	const known = { models: [{ id: "a", aliases: ["old-alias"] }] };
	const admin = { ...answering(busy), events: { known: () => known } };
	const rig = commandRig({
		found: MODELS,
		admin: admin as unknown as Partial<Runner["server"]["admin"]>,
	});
	await rig.run(command, typed);
	expect([rig.asked, did]).toEqual([[], [typed]]);
});
