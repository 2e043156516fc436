import { expect, test } from "vitest";
import { AiServerError } from "../../lib/errors.ts";
import { registerStatusEntry, STATUS_ENTRY, statusLines, toStatus } from "../../ui/status-entry.ts";
import { discovery, model, NAMES } from "../support/command-rig.ts";

test("a status is a table with its notes beneath", () => {
	const found = discovery({ warnings: ["one"], guesses: ["two"] });
	expect(statusLines(toStatus(found, undefined, NAMES, 0), 100)).toEqual([
		"Model  State  Context  from     Images  Thinking    TTL",
		"tiny   ready     4096  command  yes     no        never",
		"",
		"Note: one",
		"Note: two",
	]);
});

test("models that cannot chat are named under the table", () => {
	const others = [model("embed", { kind: "embedding" }), model("draw", { kind: "image" })];
	const lines = statusLines(toStatus(discovery({ others }), undefined, NAMES, 0), 100);
	expect(lines.slice(-2)).toEqual([
		"Not for chat (embedding): embed",
		"Not for chat (image): draw",
	]);
});

test("what llama-swap only passes on has no state", () => {
	const models = [
		model("far", { peer: "cloud" }),
		model("pick", { choice: "selector" }),
		model("new", { state: "unknown", ttl: undefined }),
		model("idle", { state: "stopped", ttl: 600 }),
		model("odd", { ttl: 90 }),
	];
	const lines = statusLines(toStatus(discovery({ models }), undefined, NAMES, 0), 100);
	expect(lines.slice(1).map((line) => line.split(/ {2,}/)[1])).toEqual([
		"peer cloud",
		"selector",
		"?",
		"stopped",
		"ready",
	]);
	expect(lines[3]).toMatch(/no$/);
	expect(lines[4]).toMatch(/10 min$/);
	expect(lines[5]).toMatch(/90 s$/);
});

test.each([40, 60, 100, 160])("it fits %i columns", (width) => {
	const models = [model("a-model-with-a-very-long-name-Q8_0", { state: "stopped" }), model("b")];
	const warnings = [
		"a long warning that has to be wrapped when the terminal is as narrow as some are",
	];
	const lines = statusLines({ models, others: [], warnings, note: undefined }, width);
	expect(lines.filter((line) => line.length > width)).toEqual([]);
	expect(lines[1]).toContain("4096");
});

test("control characters of a server do not reach the terminal", () => {
	const found = discovery({ models: [model("a\u001b[2Jb")] });
	const lines = statusLines(toStatus(found, undefined, NAMES, 0), 80);
	expect(lines.join("\n")).not.toContain("\u001b");
});

test("when the server cannot be asked, the status has the age of the list, and why", () => {
	const failure = new AiServerError("network", "Nothing listens", {
		hint: "Check the URL",
		setting: "url",
	});
	const kept = discovery({ source: "cache", seenAt: 0 });
	expect(toStatus(kept, failure, NAMES, 180 * 60_000)).toMatchObject({
		note: "The list as it was 3 hours ago",
		warnings: ["Nothing listens. Check the URL (<url>)"],
	});
});

type Register = Parameters<typeof registerStatusEntry>[0]["registerEntryRenderer"];

test("an entry of a session is drawn once for a width, and one without data not at all", () => {
	let render: Parameters<Register>[1] | undefined;
	const pi = {
		registerEntryRenderer: (type: string, renderer: Parameters<Register>[1]) => {
			expect(type).toBe(STATUS_ENTRY);
			render = renderer;
		},
	} as Parameters<typeof registerStatusEntry>[0];
	registerStatusEntry(pi);
	const draw = (data: unknown) => render?.({ data } as never, {} as never, {} as never);
	const component = draw(toStatus(discovery(), undefined, NAMES, 0));
	expect(component?.render(100)[1]).toMatch(/^Model/);
	expect(component?.render(100)).toBe(component?.render(100));
	expect(draw(undefined)).toBeUndefined();
});
