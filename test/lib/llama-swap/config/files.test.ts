import { expect, test } from "vitest";
import { setPresetKey } from "../../../../lib/llama-swap/config/edit/set-option.ts";
import { modelExcerpt } from "../../../../lib/llama-swap/config/excerpt.ts";
import {
	joinFiles,
	lineInFile,
	partsOf,
	withFileNames,
} from "../../../../lib/llama-swap/config/files.ts";
import { maskSecrets } from "../../../../lib/llama-swap/config/mask-secrets.ts";

const BASE = "# common\nmacros:\n  ctx: 4096\n  key: hunter2\nttl: 5\n";
const A = "models:\n  a:\n    cmd: llama-server -c ${ctx} --api-key ${key}";
const B = `models:
  # the big one
  b:
    cmd: |
      llama-server -m b.gguf
      -c 8192 --port \${PORT}
    capabilities: { context: 8192 }
`;
const FOLDER = joinFiles([
	{ name: "00-base.yaml", text: BASE },
	{ name: "10-a.yml", text: A },
	{ name: "20-empty.yaml", text: "" },
	{ name: "30-b.yaml", text: B },
]);

test.each([
	[[]],
	[[["a.yaml", ""]]],
	[
		[
			["a.yaml", "x: 1"],
			["b.yaml", "y: 2\n"],
		],
	],
	[
		[
			["a.yaml", ""],
			["b.yaml", ""],
			["c.yaml", "\n\n"],
		],
	],
	[
		[
			["a.yaml", "\r\nx: 1\r\n"],
			["b.yaml", "\ufeffy: 2\r\n"],
		],
	],
])("files are the same after they were one text: %j", (files) => {
	const named = files.map(([name = "", text = ""]) => ({ name, text }));
	const joined = joinFiles(named);
	const parts = partsOf(joined);
	if (files.length > 0) expect(parts.map(({ name, text }) => ({ name, text }))).toEqual(named);
	for (const { start, text } of parts) expect(joined.slice(start, start + text.length)).toBe(text);
});

test("a plain file is one part without a name", () => {
	expect(partsOf(B)).toEqual([{ name: "", text: B, start: 0 }]);
	expect(lineInFile(B, 3)).toBe("3");
});

test("lines are named by their file", () => {
	const lines = FOLDER.split("\n");
	const place = (text: string): string => lineInFile(FOLDER, lines.indexOf(text) + 1);
	expect(place("# common")).toBe("1 of 00-base.yaml");
	expect(place("  a:")).toBe("2 of 10-a.yml");
	expect(place("      -c 8192 --port ${PORT}")).toBe("6 of 30-b.yaml");
});

test("the whole config is shown with the names of its files, and without secrets", () => {
	const shown = withFileNames(maskSecrets(FOLDER));
	expect(shown.split("\n").filter((line) => /^# \d/.test(line))).toEqual([
		"# 00-base.yaml",
		"# 10-a.yml",
		"# 20-empty.yaml",
		"# 30-b.yaml",
	]);
	expect(shown).toContain("  key: ***\n");
	expect(shown).not.toContain("hunter2");
});

test("a model's part has the name of its file", () => {
	expect(modelExcerpt(FOLDER, "a")).toBe(`# 10-a.yml\n${A.slice("models:\n".length)}`);
	expect(modelExcerpt(FOLDER, "b")).toBe(`# 30-b.yaml\n${B.slice("models:\n".length).trimEnd()}`);
});

test("an edit changes the file that has the model, and nothing of the others", () => {
	const { yaml, changes, kept } = setPresetKey(FOLDER, "b", "ctx-size", 16_384);
	const parts = partsOf(yaml).map(({ text }) => text);
	expect(parts).toEqual([BASE, A, "", B.replaceAll("8192", "16384")]);
	expect(changes.map(({ line }) => lineInFile(yaml, line))).toEqual([
		"6 of 30-b.yaml",
		"7 of 30-b.yaml",
	]);
	expect(kept).toEqual(["capabilities.context"]);
});

test("an option is added at the end of a file that lacks a line end", () => {
	const folder = joinFiles([
		{ name: "a.yaml", text: "models:\n  a:\n    cmd: |\n      llama-server -m a.gguf" },
		{ name: "b.yaml", text: B },
	]);
	const { yaml } = setPresetKey(folder, "a", "ctx-size", 4096);
	expect(partsOf(yaml).map(({ text }) => text)).toEqual([
		"models:\n  a:\n    cmd: |\n      llama-server -m a.gguf\n      --ctx-size 4096",
		B,
	]);
});

test("a macro of another file is edited there, where only this model uses it", () => {
	const { yaml } = setPresetKey(FOLDER, "a", "ctx-size", 512);
	expect(partsOf(yaml).map(({ text }) => text)).toEqual([BASE.replace("4096", "512"), A, "", B]);
});

test("a refusal names the line within its file", () => {
	const folder = joinFiles([
		{ name: "a.yaml", text: BASE },
		{ name: "b.yaml", text: "models:\n  x:\n    cmd: ./serve.sh\n" },
	]);
	expect(() => setPresetKey(folder, "x", "ctx-size", 512)).toThrow(/\(line 3 of b\.yaml\)/);
});
