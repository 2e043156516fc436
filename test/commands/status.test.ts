import { expect, test } from "vitest";
import { describeChange } from "../../commands/refresh.ts";
import { statusLines, toStatus } from "../../commands/status.ts";
import type { ServerModel } from "../../discovery/merge.ts";
import type { Discovery } from "../../discovery.ts";
import { AiServerError } from "../../lib/errors.ts";
import { completeModels } from "../../ui/model-picker.ts";

const model = (id: string, more: Partial<ServerModel> = {}): ServerModel => ({
	...{ id, name: id, state: "ready", contextWindow: 4096, contextOrigin: "command" },
	...{ reasoning: false, images: true, ttl: 0 },
	...more,
});
const discovery = (more: Partial<Discovery> = {}): Discovery => ({
	...{ models: [model("tiny")], others: [], learned: new Map(), warnings: [], guesses: [] },
	...{ source: "server", seenAt: 0 },
	...more,
});
const MINUTE = 60_000;

test("a status is a table with its notes beneath", () => {
	const status = toStatus(discovery({ warnings: ["one"], guesses: ["two"] }), undefined, 0);
	expect(statusLines(status, 100)).toEqual([
		"Model  State  Context  from     Images  Thinking    TTL",
		"tiny   ready     4096  command  yes     no        never",
		"",
		"Note: one",
		"Note: two",
	]);
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
	const lines = statusLines(
		toStatus(discovery({ models: [model("a\u001b[2Jb")] }), undefined, 0),
		80,
	);
	expect(lines.join("\n")).not.toContain("\u001b");
});

test("when the server cannot be asked the list is told as what it is", () => {
	const failure = new AiServerError("network", "Nothing listens", { hint: "Start it" });
	const status = toStatus(discovery({ source: "cache", seenAt: 0 }), failure, 180 * MINUTE);
	expect(status).toMatchObject({
		note: "The list as it was 3 hours ago",
		warnings: ["Nothing listens. Start it"],
	});
});

test("a refresh tells what changed", () => {
	const before = [model("a"), model("b"), model("c")];
	const after = [model("a"), model("b", { contextWindow: 8192 }), model("d")];
	expect(describeChange(before, before)).toBe("3 models, nothing changed");
	expect(describeChange(before, after)).toBe(
		"3 models; new: d; gone: c; context changed: b (4096 to 8192)",
	);
});

test("ids complete by parts, with what tells them apart; a second word ends it", () => {
	const models = [model("Qwen3-Coder"), model("gpt-oss", { state: "unknown" })];
	expect(completeModels(models, "qwcod")).toEqual([
		{ value: "Qwen3-Coder", label: "Qwen3-Coder", description: "ready, 4096 tokens" },
	]);
	expect(completeModels(models, "")?.map(({ description }) => description)).toEqual([
		"ready, 4096 tokens",
		"4096 tokens",
	]);
	expect(completeModels(models, "zzz")).toBeNull();
	expect(completeModels(models, "gpt-oss ")).toBeNull();
});
