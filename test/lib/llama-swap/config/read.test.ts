import { readFileSync } from "node:fs";
import { gunzipSync } from "node:zlib";
import { expect, test } from "vitest";
import { AiServerError } from "../../../../lib/errors.ts";
import { contextWindowOf } from "../../../../lib/llama-server/context-window.ts";
import { parseConfig, parseCtxMapFromYaml } from "../../../../lib/llama-swap/config/read.ts";

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
	[
		"tabs and backslashes",
		model("|\n      llama-server \\\n      --ctx-size\t4096 \\"),
		{ m: 4096 },
	],
	["a quoted number", model("llama-server -c '4096'"), { m: 4096 }],
	["a tag", model("!!str llama-server -c 4096"), { m: 4096 }],
	["a version", `%YAML 1.1\n---\n${model("llama-server -c 4096")}`, { m: 4096 }],
	["a comment behind", model("llama-server -c 4096 # -c 1"), { m: 4096 }],
	["no final newline", "models: {m: {cmd: llama-server -c 4096}}", { m: 4096 }],
	[
		"a multi-line double-quoted cmd",
		model('"llama-server\n      --ctx-size \\\n      4096"'),
		{ m: 4096 },
	],
	[
		"a folded block with blank lines",
		model(">-\n      llama-server\n\n      -c 4096\n\n\n"),
		{ m: 4096 },
	],
	["odd indentation", "models:\n      m:\n       cmd: llama-server -c 4096\n", { m: 4096 }],
	["an escaped letter", model('"llama-server --alias \\u00e9 -c 4096"'), { m: 4096 }],
	["both flags", model("llama-server --ctx-size 1 -c 4096"), { m: 4096 }],
	[
		"a flag in quoted text behind",
		model("llama-server -c 4096 --system-prompt '-c 1'"),
		{ m: 4096 },
	],
	["look-alikes", model("llama-server --ctx-size-draft 1 --no-ctx-size 2"), {}],
	["a comment that a macro brings", "macros: {c: \"x\\n# -c 1\"}\nmodels: {m: {cmd: '${c}'}}", {}],
	[
		"a macro in a comment line",
		'macros: {c: "\\n-c 1"}\nmodels:\n  m:\n    cmd: |\n      s -c 4096\n      # ${c}\n',
		{ m: 4096 },
	],
	["an anchored cmd that nobody uses", model("&c llama-server -c 4096"), { m: 4096 }],
	[
		"an aliased model",
		"models:\n  a: &a {cmd: llama-server -c 4096}\n  b: *a\n",
		{ a: 4096, b: 4096 },
	],
	[
		"merged with a cmd of its own",
		"x: &x {cmd: s -c 1}\nmodels: {m: {cmd: s -c 4096, <<: *x}}\n",
		{ m: 4096 },
	],
	[
		"several merged: the first",
		"x: &x {cmd: s -c 4096}\ny: &y {cmd: s -c 1}\nmodels: {m: {<<: [*x, *y]}}\n",
		{ m: 4096 },
	],
	["a variable in flow style", "models: {m: {cmd: 's -c 4096', env: [${env.A}]}}", { m: 4096 }],
	["a long line", model(`llama-server ${"--x y ".repeat(1400)}-c 4096`), { m: 4096 }],
	["a number above 2^31", model("llama-server -c 2147483648"), {}],
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

const FULL = `
globalTTL: 600
startPort: 9000
macros:
  bin: /opt/llama-server --port \${PORT}
  ctx: 8192
  args: -c \${ctx} --alias \${MODEL_ID}
  loud: true
common: &common
  env: [LLAMA_ARG_N_PARALLEL=2, "KEY=\${env.SECRET}"]
models:
  b:
    <<: *common
    cmd: \${bin} \${args}
    name: " The  B "
    description: |
      about b
    aliases: [bee, 7]
    metadata: {ctx: "\${ctx}", text: "\${ctx} tokens", list: [{deep: "\${loud}"}], port: "\${PORT}"}
    capabilities: {in: [text, image], out: [text], tools: true, context: "\${ctx}"}
    filters: {setParamsByID: {"\${MODEL_ID}:high": {temperature: 1}, b: {}}}
  a/x:y:
    macros: {ctx: 4096}
    cmd: \${bin} \${args} \${unknown}
    unlisted: true
    ttl: 0
    useModelName: other
  1.0: {cmd: s, ttl: -1}
  null: {cmd: s, ttl: \${env.TTL}}
groups:
  small: {swap: false, exclusive: false, members: [b]}
peers:
  east: {proxy: "http://127.0.0.1:1", models: [m, org/n], apiKey: "\${env.PEER}"}
profiles:
  night: {pins: {b: a/x:y, bee: null}}
selectors:
  best: {strategy: warm, targets: [b, m], name: Best}
hooks: {on_startup: {preload: [" bee ", a/x:y, nobody]}}
`;

test("reads a whole config as llama-swap loads it", () => {
	const { models, aliases, routing } = parseConfig(FULL);
	expect([...models.keys()]).toEqual(["b", "a/x:y", "1.0", "null"]);
	expect(models.get("b")).toMatchObject({
		name: "The  B",
		description: "about b",
		// Ports are given out in the order of the ids.
		cmd: "/opt/llama-server --port 9001 -c 8192 --alias b",
		env: ["LLAMA_ARG_N_PARALLEL=2", "KEY=${env.SECRET}"],
		aliases: ["bee", "7"],
		variants: ["b:high"],
		ttl: 600,
		launch: { contextSize: 8192, slots: 2 },
	});
	expect(models.get("a/x:y")).toMatchObject({
		name: undefined,
		cmd: "/opt/llama-server --port 9000 -c 4096 --alias a/x:y ${unknown}",
		ttl: 0,
	});
	expect(models.get("1.0")?.ttl).toBe(600);
	expect(models.get("null")?.ttl).toBe(600);
	expect(Object.fromEntries(aliases)).toEqual({ bee: "b", "7": "b", "b:high": "b" });
	expect(routing).toEqual({
		router: "group",
		groups: [
			{ name: "small", members: ["b"], swap: false, exclusive: false, persistent: false },
			{
				name: "(default)",
				members: ["a/x:y", "1.0", "null"],
				swap: true,
				exclusive: true,
				persistent: false,
			},
		],
	});
});

test.each([
	["nothing", "models: {a: {cmd: s}}", ["(default)"]],
	["groups", "models: {a: {cmd: s}}\ngroups: {g: {members: [a]}}", ["g"]],
	[
		"routing",
		"models: {a: {cmd: s}}\nrouting: {router: {settings: {groups: {g: {members: [a]}}}}}",
		["g"],
	],
])("finds the groups with %s", (_name, yaml, names) => {
	const { routing } = parseConfig(yaml);
	expect(routing.router === "group" && routing.groups.map(({ name }) => name)).toEqual(names);
});

test.each([
	["matrix: {sets: {both: a & b}}"],
	["routing: {router: {use: matrix, settings: {matrix: {sets: {both: a & b}}}}}"],
])("finds the matrix in %s", (yaml) => {
	expect(parseConfig(yaml).routing).toEqual({
		router: "matrix",
		sets: new Map([["both", "a & b"]]),
	});
});

test.each(["llama-swap-v217", "llama-swap-v220", "llama-swap-v250"])(
	"reads every recorded config of %s",
	(name) => {
		const packed = readFileSync(new URL(`../../../fixtures/${name}.jsonl.gz`, import.meta.url));
		const configs = gunzipSync(packed)
			.toString("utf8")
			.trim()
			.split("\n")
			.map((line) => JSON.parse(line) as { kind: string; name: string; text: string })
			// One is there to be refused.
			.filter(({ kind, name }) => kind === "config" && name !== "config-start-bad-yaml.yaml");
		expect(configs.length).toBeGreaterThan(0);
		for (const { text } of configs) expect(parseConfig(text).models).toBeInstanceOf(Map);
	},
);

test("aliases in aliases do not explode", () => {
	const letters = "abcdefghijk".split("");
	const bomb = `a: &a [x,x]\n${letters
		.slice(1)
		.map((key, at) => `${key}: &${key} [${`*${letters[at]},`.repeat(9)}]`)
		.join("\n")}\n`;
	const { models } = parseConfig(`${bomb}models: {m: {cmd: s, metadata: {x: *k}}}`);
	expect(models.get("m")?.cmd).toBe("s");
});

test("macros that double themselves are refused", () => {
	const macros = Array.from({ length: 40 }, (_, at) => `  m${at}: \${m${at + 1}}\${m${at + 1}}\n`);
	expect(() =>
		parseConfig(`macros:\n${macros.join("")}  m40: xx\nmodels: {m: {cmd: "\${m0}"}}`),
	).toThrow("expand without end");
});

test("a file above 1 MB is refused", () => {
	expect(() => parseConfig(`# ${"x".repeat(2 ** 20)}`)).toThrow("larger than 1 MB");
	expect(parseConfig(`# ${"x".repeat(2 ** 20 - 2)}`).models.size).toBe(0);
});

test("a fault that spans lines is told in one", () => {
	expect(() => parseConfig('a: "b\\x\nc"\n')).toThrow(
		/: Invalid escape sequence \\x at line 1, column 6$/,
	);
});

test("an unknown anchor is named with its line", () => {
	expect(() => parseConfig("models:\n  a: *nope\n")).toThrow(
		"*nope has no anchor at line 2, column 6",
	);
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
	["an anchor that contains itself", "models: &m\n  a: *m\n"],
	["an alias before its anchor", "a: *b\nb: &b 1\n"],
	["brackets without end", `models: ${"[".repeat(5000)}`],
])("refuses %s with the reason", (_name, yaml) => {
	let fault: unknown;
	try {
		parseCtxMapFromYaml(yaml);
	} catch (error) {
		fault = error;
	}
	expect(fault).toBeInstanceOf(AiServerError);
	expect(fault).toMatchObject({
		code: "config",
		message: expect.stringContaining("not valid YAML: "),
	});
});

test("a broken file is named with its line", () => {
	expect(() => parseCtxMapFromYaml("models:\n  a: 1\n  b: [\n")).toThrow(/line \d+, column \d+/);
});

interface FileCase {
	readonly id: string;
	readonly file: string;
	readonly model: string;
	readonly window: number | null;
}

const caseText = (name: string): string =>
	readFileSync(new URL(`../../../fixtures/cases/${name}`, import.meta.url), "utf8");
const FILE_CASES = (JSON.parse(caseText("commands.json")) as Partial<FileCase>[]).filter(
	(entry): entry is FileCase => entry.file !== undefined,
);

test.each(FILE_CASES)("$id", ({ file, model: id, window }) => {
	const launch = parseConfig(caseText(file)).models.get(id)?.launch;
	if (launch === undefined) throw new Error(`${file} has no model ${id}`);
	expect(contextWindowOf(launch, 131_072)).toBe(window ?? 131_072);
});

test.each([
	["131_072", 131_072],
	["0x2_0000", 131_072],
	["0400000", 131_072],
	["0o40_0000", 131_072],
	["0b1000", 8],
	["+4096", 4096],
	["089", 89],
	["131072.0", 131_072],
	["1.31072e5", 131_072],
	["1e6", 1], // Go makes "1e+06" of it, and llama.cpp reads the digits
	['"131_072"', 131], // a text, of which llama.cpp reads the digits
])("a macro %s gives the command %i", (written, size) => {
	const yaml = `macros: {n: ${written}}\nmodels: {m: {cmd: "llama-server -c \${n}"}}`;
	expect(parseCtxMapFromYaml(yaml).get("m")).toBe(size);
});

test("numbers of the settings, and texts that look like numbers", () => {
	const { models } = parseConfig(
		"startPort: 9_000\nglobalTTL: 0x3C\nmodels:\n  0x1F: {cmd: 's ${PORT}', aliases: [007, 1_0, 1.0]}\n  yes: {cmd: s, ttl: 1_800}\n",
	);
	expect(models.get("0x1F")).toMatchObject({
		cmd: "s 9000",
		ttl: 60,
		aliases: ["007", "1_0", "1.0"],
	});
	expect(models.get("yes")?.ttl).toBe(1800);
});

test("an error of a broken file does not quote its text", () => {
	const yaml = 'apiKeys:\n  - a\n  "hunter2" "hunter2"\nmodels: {}\n';
	expect(() => parseConfig(yaml)).toThrow(expect.objectContaining({ code: "config" }));
	expect(() => parseConfig(yaml)).not.toThrow(/hunter2/);
});
