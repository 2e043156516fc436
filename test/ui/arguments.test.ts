import { expect, test } from "vitest";
import {
	type Arguments,
	completeArguments,
	describeArguments,
	parseArguments,
	printArguments,
} from "../../ui/arguments.ts";
import { model } from "../support/command-rig.ts";

const NONE: Arguments = {};
const MODEL: Arguments = { id: { kind: "model", question: "Which?" } };
const OPTIONAL: Arguments = { id: { kind: "model" } };
const SIZED: Arguments = { ...MODEL, size: { kind: "size", question: "How large?" } };
const EITHER: Arguments = {
	id: { kind: "model", question: "Which?", unless: "all" },
	all: { kind: "flag" },
};
const FLAGGED: Arguments = { note: { kind: "word" }, json: { kind: "flag" } };

test.each([
	[NONE, ""],
	[MODEL, "<id>"],
	[OPTIONAL, "[id]"],
	[SIZED, "<id> <size>"],
	[EITHER, "<id> | --all"],
	[FLAGGED, "[note] [--json]"],
])("%j is described as %j", (declared, described) => {
	expect(describeArguments(declared)).toBe(described);
});

test.each<[string, Arguments, object, boolean]>([
	["", NONE, {}, false],
	["--yes", NONE, {}, true],
	["a", MODEL, { id: "a" }, false],
	["--yes a", MODEL, { id: "a" }, true],
	["a--yes", MODEL, { id: "a--yes" }, false],
	["a  64k", SIZED, { id: "a", size: 65_536 }, false],
	["a max --yes", SIZED, { id: "a", size: "max" }, true],
	["an id 64k", SIZED, { id: "an id", size: 65_536 }, false],
	["an id", MODEL, { id: "an id" }, false],
	["--all", EITHER, { all: true }, false],
	["a", EITHER, { id: "a", all: false }, false],
	["x --json", FLAGGED, { note: "x", json: true }, false],
])("%j is read", (typed, declared, values, yes) => {
	expect(parseArguments(declared, typed, "")).toEqual({ values, yes });
});

test.each<[string, Arguments, string]>([
	["a", NONE, "Unexpected argument: a"],
	["--all", MODEL, "Unknown option: --all"],
	["--constructor", EITHER, "Unknown option: --constructor"],
	["a --all", EITHER, "Either <id> or --all, not both"],
	["a lots", SIZED, "lots is not a context size"],
])("%j is refused", (typed, declared, message) => {
	expect(() => parseArguments(declared, typed, "/usage")).toThrowError(
		expect.objectContaining({ code: "usage", message }),
	);
});

test("values are printed as they would be typed", () => {
	expect(printArguments(SIZED, { id: "a", size: 65_536 })).toBe("a 65536");
	expect(printArguments(EITHER, { id: undefined, all: true })).toBe("--all");
	expect(printArguments(EITHER, { id: "a", all: false })).toBe("a");
});

const MODELS = [model("Qwen3-Coder"), model("gpt-oss")];

test.each<[Arguments, string, readonly string[] | undefined]>([
	[MODEL, "", ["Qwen3-Coder", "gpt-oss"]],
	[MODEL, "qwcod", ["Qwen3-Coder"]],
	[MODEL, "zzz", undefined],
	[MODEL, "gpt-oss ", undefined],
	[SIZED, "gpt-oss 6", ["gpt-oss 64k"]],
	[SIZED, "gpt-oss 13107", ["gpt-oss 128k"]],
	[SIZED, "--yes gpt-oss 1m", ["--yes gpt-oss 1m"]],
	[EITHER, "--", ["--all"]],
	[NONE, "", undefined],
])("%j completes %j", (declared, typed, values) => {
	const items = completeArguments(declared, typed, MODELS);
	expect(items?.map(({ value }) => value)).toEqual(values);
});
