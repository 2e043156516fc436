import { expect, test } from "vitest";
import { modelExcerpt } from "../../../../lib/llama-swap/config/excerpt.ts";
import { joinFiles } from "../../../../lib/llama-swap/config/files.ts";
import { parseConfig } from "../../../../lib/llama-swap/config/read.ts";

const folder = (...texts: readonly string[]): string =>
	joinFiles(texts.map((text, at) => ({ name: `${at}.yaml`, text })));

test("models of all files, with the macros, defaults and ports of all", () => {
	const { models, aliases, routing } = parseConfig(
		folder(
			"macros: { size: 4096 }\nmodels:\n  b: { cmd: 'llama-server -c ${size} --port ${PORT}' }\n",
			"# nothing\n",
			"globalTTL: 60\nstartPort: 9000\nmacros: { twice: '${size}' }\n",
			"models:\n  a: { cmd: 'llama-server -c ${twice} --port ${PORT}', aliases: [c] }\ngroups: { g: { members: [a] } }\n",
			"groups: { h: { members: [b] } }\n",
		),
	);
	expect([...models.values()].map(({ id, cmd, ttl }) => [id, cmd, ttl])).toEqual([
		["b", "llama-server -c 4096 --port 9001", 60],
		["a", "llama-server -c 4096 --port 9000", 60],
	]);
	expect(aliases.get("c")).toBe("a");
	expect(routing).toMatchObject({ groups: [{ name: "g" }, { name: "h" }] });
});

test("anchors belong to their own file", () => {
	const { models } = parseConfig(
		folder(
			"x: &c llama-server -c 1024\nmodels: { a: { cmd: *c } }\n",
			"y: &c llama-server -c 2048\nmodels: { b: { cmd: *c } }\n",
		),
	);
	expect([...models.values()].map(({ launch }) => launch.contextSize)).toEqual([1024, 2048]);
	expect(() => parseConfig(folder("x: &c 1\n", "y: *c\n"))).toThrow(/\*c has no anchor.*1\.yaml/);
});

test.each([
	["a model twice", "models: { a: { cmd: x } }", "models: { a: { cmd: x } }", "a in models"],
	["a group twice", "groups: { g: {} }", "groups: { g: {} }", "g in groups"],
	["a peer twice", "peers: { p: {} }", "peers: { p: {} }", "p in peers"],
	["a number that differs", "globalTTL: 5", "globalTTL: 6", "globalTTL"],
	["a number and its text", "x: 5", "x: '5'", "x"],
	["a list and a map", "x: [1]", "x: { a: 1 }", "x"],
	["a null that is written", "x: ~", "x: 1", "x"],
	["a deep one", "a: { b: { c: 1 } }", "a: { b: { c: 2 } }", "a.b.c"],
	["models that are none", "models: { a: {} }", "models: 5", "models"],
])("%s is a conflict", (_what, one, other, path) => {
	const conflict = { code: "config", message: expect.stringContaining(` in 1.yaml: ${path} `) };
	expect(() => parseConfig(folder(one, other))).toThrow(expect.objectContaining(conflict));
});

test.each([
	["equal values", "x: 5", "x: 5"],
	["a value and nothing", "x: 5", "x:"],
	["nothing and a value", "x:", "x: [1]"],
	["lists", "apiKeys: [a]", "apiKeys: [b]"],
	["an empty file", "", "models: {}"],
])("%s are none", (_what, one, other) => {
	expect(() => parseConfig(folder(one, other))).not.toThrow();
});

test("lists are put one behind the other", () => {
	const { routing } = parseConfig(
		folder(
			"models: { a: { cmd: x }, b: { cmd: y } }\nrouting: { router: { settings: { groups: {} } } }",
			"hooks: { on_startup: { preload: [a] } }",
			"hooks: { on_startup: { preload: [b] } }",
		),
	);
	expect(routing).toMatchObject({ groups: [{ members: ["a", "b"] }] });
});

test("what has a conflict can still be shown", () => {
	const text = folder("models:\n  a:\n    cmd: x\n", "models:\n  a:\n    cmd: y\n");
	expect(modelExcerpt(text, "a")).toBe("# 0.yaml\n  a:\n    cmd: x");
});

test("an error of YAML names its file and its own line", () => {
	expect(() => parseConfig(folder("a: 1\n", "b: 1\n\tc: 2\n"))).toThrow(
		/line 2, column \d+ of 1\.yaml/,
	);
});
