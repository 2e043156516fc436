import { expect, test } from "vitest";
import {
	commandWords,
	scriptCommands,
	splitCommand,
	type Word,
} from "../../../lib/llama-server/shell-words.ts";

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
	["a \\\n  b", ["a", "b"]],
	["a 'b \\\n c'", ["a", "b  \n c"]],
	["a\n # b\nc # d", ["a", "c", "#", "d"]],
	["x.exe -m C:\\m\\q.gguf", ["x.exe", "-m", "C:\\m\\q.gguf"]],
	["srv -m C:\\m\\q.gguf", ["srv", "-m", "C:\\m\\q.gguf"]],
	['"C:\\a b\\x.exe" "C:\\m\\\\" \\"q\\"', ["C:\\a b\\x.exe", "C:\\m\\", '"q"']],
	["x.exe it's 'a b'", ["x.exe", "it's", "'a", "b'"]],
])("splits %j as llama-swap does", (cmd, words) => {
	expect(splitCommand(cmd)).toEqual(words);
});

const wordOf = (text: string): Word => ({ text, places: [...text].map((_, at) => at) });

test.each([
	["a b; c", [["a", "b"], ["c"]]],
	["a && b || c | d & e", [["a"], ["b"], ["c"], ["d"], ["e"]]],
	["(a\nb)", [["a"], ["b"]]],
	["a 'x; y' \"p | q\"", [["a", "x; y", "p | q"]]],
	["a \\\n b", [["a", "b"]]],
	["a > log 2>&1 | b &>/dev/null < x", [["a"], ["b"]]],
	["a 5>log 2 >log", [["a", "2"]]],
	["a $(b | c; $(d)) e", [["a", "$(b | c; $(d))", "e"]]],
	["a # b; c\nd#e", [["a"], ["d#e"]]],
	["", []],
])("cuts the script %j into commands", (script, commands) => {
	const words = scriptCommands(wordOf(script));
	expect(words.map((own) => own.map(({ text }) => text))).toEqual(commands);
});

test.each([
	"llama-server -c 8192",
	"# not this\nllama-server \\\n  -c '81'92 # x",
	`bash -c "llama-server \\"-c\\" 81\\92; echo \\$X"`,
	'x.exe -m "C:\\a b\\\\" -c 8192',
])("every character of %j knows its place", (cmd) => {
	for (const { text, places } of commandWords(cmd)) {
		expect(places).toHaveLength(text.length);
		expect(places.map((at) => cmd[at]).join("")).toBe(text);
		for (const inner of scriptCommands({ text, places }).flat()) {
			expect(inner.places.map((at) => cmd[at]).join("")).toBe(inner.text);
		}
	}
});
