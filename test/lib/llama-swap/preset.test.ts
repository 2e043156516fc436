import { expect, test } from "vitest";
import { AiServerError } from "../../../lib/errors.ts";
import { parseCtxMapFromYaml } from "../../../lib/llama-swap/preset.ts";

const BOX = `globalTTL: 1800
models:
  Qwen_Qwen3.6-35B-A3B-Q8_0:
    cmd: |
      /home/ai-server/llama.cpp/build/bin/llama-server
      --model /home/ai-server/models/Qwen_Qwen3.6-35B-A3B-Q8_0.gguf
      --ctx-size 262144
      --temp 0.7
  MiniMax-M2.7-IQ3_XXS:
    cmd: |
      /home/ai-server/llama.cpp/build/bin/llama-server
      --ctx-size 131072
`;

const model = (cmd: string): string => `models:\n  m:\n    cmd: ${cmd}\n`;

test.each<[string, string, Record<string, number>]>([
	[
		"the box of the README",
		BOX,
		{ "Qwen_Qwen3.6-35B-A3B-Q8_0": 262144, "MiniMax-M2.7-IQ3_XXS": 131072 },
	],
	["one line", model("llama-server -c 4096"), { m: 4096 }],
	["a folded block", model(">\n      llama-server\n      --ctx-size\n      4096"), { m: 4096 }],
	["a literal block with indicator", model("|2\n      llama-server\n        -c 4096"), { m: 4096 }],
	["a double-quoted cmd", model('"llama-server --ctx-size 4096"'), { m: 4096 }],
	["a plain cmd over lines", model("llama-server\n      --ctx-size 4096"), { m: 4096 }],
	[
		"a comment line in the block",
		model("|\n      llama-server\n      # -c 1\n      -c 4096"),
		{ m: 4096 },
	],
	[
		"CRLF",
		BOX.replaceAll("\n", "\r\n"),
		{ "Qwen_Qwen3.6-35B-A3B-Q8_0": 262144, "MiniMax-M2.7-IQ3_XXS": 131072 },
	],
	["a byte order mark", `\ufeff${model("llama-server -c 4096")}`, { m: 4096 }],
	["flow style", "models: {m: {cmd: 'llama-server -c 4096'}}", { m: 4096 }],
	["no size", model("llama-server"), {}],
	["no cmd", "models:\n  m:\n    ttl: 5\n", {}],
	["a list as cmd", "models:\n  m:\n    cmd: [llama-server, -c, '4096']\n", {}],
	["models: null", "models:\n", {}],
	["models as a list", "models: [a, b]", {}],
	["an empty file", "", {}],
	["a lone scalar", "hello", {}],
	["a numeric id", "models:\n  123:\n    cmd: llama-server -c 4096\n", { "123": 4096 }],
	["ids with : and /", "models:\n  'a/b:c':\n    cmd: llama-server -c 4096\n", { "a/b:c": 4096 }],
	["a unicode id", "models:\n  modèle:\n    cmd: llama-server -c 4096\n", { modèle: 4096 }],
	[
		"a global macro",
		"macros:\n  ctx: 8192\nmodels:\n  m:\n    cmd: llama-server -c ${ctx}\n",
		{ m: 8192 },
	],
	[
		"the model's own macro first",
		"macros:\n  ctx: 8192\nmodels:\n  m:\n    macros:\n      ctx: 4096\n    cmd: llama-server -c ${ctx}\n",
		{ m: 4096 },
	],
	[
		"a macro in a macro, holding the whole command",
		"macros:\n  n: 2048\n  size: --ctx-size ${n}\n  all: llama-server ${size}\nmodels:\n  m:\n    cmd: ${all}\n",
		{ m: 2048 },
	],
	[
		"macros in a circle",
		"macros:\n  a: ${b}\n  b: ${a}\nmodels:\n  m:\n    cmd: ${a} -c 4096\n",
		{ m: 4096 },
	],
	["an unknown macro", model("llama-server -c ${nope}"), {}],
	["an environment variable", model("llama-server -c ${env.CTX}"), {}],
	[
		"an anchored cmd",
		"models:\n  a:\n    cmd: &c llama-server -c 4096\n  b:\n    cmd: *c\n",
		{ a: 4096, b: 4096 },
	],
	[
		"a merge key",
		"x: &x\n  cmd: llama-server -c 4096\nmodels:\n  m:\n    <<: *x\n    ttl: 1\n",
		{ m: 4096 },
	],
	[
		"a duplicate key: the last",
		"models:\n  m:\n    cmd: x -c 1\n    cmd: llama-server -c 4096\n",
		{ m: 4096 },
	],
	[
		"a second document",
		`${model("llama-server -c 4096")}---\nmodels: {n: {cmd: 'x -c 1'}}\n`,
		{ m: 4096 },
	],
])("reads %s", (_name, yaml, sizes) => {
	expect(Object.fromEntries(parseCtxMapFromYaml(yaml))).toEqual(sizes);
});

test("is not fooled by __proto__ as an id", () => {
	const sizes = parseCtxMapFromYaml("models:\n  __proto__:\n    cmd: llama-server -c 4096\n");
	expect([...sizes]).toEqual([["__proto__", 4096]]);
	expect(({} as Record<string, unknown>)["cmd"]).toBeUndefined();
});

test.each([
	["a tab as indentation", "models:\n\tm: x\n"],
	["a quote that never closes", 'models: "x\n'],
	["an alias without an anchor", "models: *nope\n"],
	[
		"aliases that explode",
		`a: &a [x,x]\n${"bcdefgh"
			.split("")
			.map((k, i) => `${k}: &${k} [${`*${"abcdefg"[i]},`.repeat(9)}]`)
			.join("\n")}\n`,
	],
])("refuses %s with the reason", (_name, yaml) => {
	let fault: unknown;
	try {
		parseCtxMapFromYaml(yaml);
	} catch (error) {
		fault = error;
	}
	expect(fault).toBeInstanceOf(AiServerError);
	expect(fault).toMatchObject({
		code: "preset",
		message: expect.stringContaining("not valid YAML: "),
	});
});

test("a broken file is named with its line", () => {
	expect(() => parseCtxMapFromYaml("models:\n  a: 1\n  b: [\n")).toThrow(/line \d+, column \d+/);
});
