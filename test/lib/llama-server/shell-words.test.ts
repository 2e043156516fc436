import { expect, test } from "vitest";
import { splitCommand, splitScript } from "../../../lib/llama-server/shell-words.ts";

test.each([
	["a b  c", ["a", "b", "c"]],
	["a 'b c' d", ["a", "b c", "d"]],
	['a "b \\"c\\"" d', ["a", 'b "c"', "d"]],
	["a b\\ c", ["a", "b c"]],
	[`--k '{"a": "b"}'`, ["--k", '{"a": "b"}']],
	["pre'mid'\"post\"", ["premidpost"]],
	["a 'unclosed b", ["a", "unclosed b"]],
	["a \\", ["a"]],
	["''", [""]],
])("splits %j as llama-swap does", (cmd, words) => {
	expect(splitCommand(cmd)).toEqual(words);
});

test.each([
	["a b; c", [["a", "b"], ["c"]]],
	["a && b || c | d & e", [["a"], ["b"], ["c"], ["d"], ["e"]]],
	["(a\nb)", [["a"], ["b"]]],
	["a 'x; y' \"p | q\"", [["a", "x; y", "p | q"]]],
	["a \\\n b", [["a", "b"]]],
	["", []],
])("cuts the script %j into commands", (script, commands) => {
	expect(splitScript(script)).toEqual(commands);
});
