import { expect, test } from "vitest";
import { CONTEXT_SIZES, matchingSizes, parseContextSize } from "../../ui/context-size.ts";

test.each([
	["65536", 65_536],
	["64k", 65_536],
	["64K", 65_536],
	["1m", 1_048_576],
	["max", "max"],
	["MAX", "max"],
	["0", undefined],
	["-1", undefined],
	["4k; reboot", undefined],
	["1e5", undefined],
	["9999999999", undefined],
	["64kk", undefined],
	["", undefined],
])("the size %j is %s", (text, size) => {
	expect(parseContextSize(text)).toBe(size);
});

test("every size of the list is one", () => {
	expect(CONTEXT_SIZES.filter((size) => parseContextSize(size) === undefined)).toEqual([]);
});

test("sizes match in either spelling", () => {
	expect(matchingSizes("6")).toEqual([{ size: "64k", description: "65536 tokens" }]);
	expect(matchingSizes("13107").map(({ size }) => size)).toEqual(["128k"]);
	expect(matchingSizes("m").map(({ description }) => description)).toEqual([
		"what it was trained for",
	]);
	expect(matchingSizes("x")).toEqual([]);
});
