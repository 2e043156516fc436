import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { AiServerError } from "../../../../../lib/errors.ts";
import { setPresetKey } from "../../../../../lib/llama-swap/config/edit/set-option.ts";

const model = (cmd: string, more = ""): string => `models:\n  m:\n    cmd: ${cmd}\n${more}`;
const crlf = (text: string): string => text.replaceAll("\n", "\r\n");

/** The new text is the old one with one part of it replaced. */
function expectReplaced(yaml: string, part: string, by: string, value: number) {
	const at = yaml.indexOf(part);
	expect(at, `the test's own ${part}`).toBeGreaterThanOrEqual(0);
	const edit = setPresetKey(yaml, "m", "ctx-size", value);
	expect(edit.yaml).toBe(yaml.slice(0, at) + by + yaml.slice(at + part.length));
	return edit;
}

test.each<[string, string]>([
	["the readme's block", model("|\n      llama-server\n      --ctx-size 1111\n      --temp 0.7\n")],
	["-c", model("llama-server -c 1111")],
	["=", model("llama-server --ctx-size=1111")],
	["a number on its own line", model("|\n      llama-server\n      --ctx-size\n      1111\n")],
	["backslash lines", model("|\n      llama-server \\\n      --ctx-size \\\n      1111 \\\n")],
	["tabs between words", model("|\n      llama-server\t--ctx-size\t1111\n")],
	["an indentation indicator", model("|2\n      llama-server\n        --ctx-size 1111\n")],
	["a chomping indicator", model("|-\n      llama-server\n      --ctx-size 1111\n\n")],
	["a quoted number", model('|\n      llama-server --ctx-size "1111"\n')],
	["a number in single quotes", model("llama-server --ctx-size '1111'")],
	["a quoted flag", model('llama-server "--ctx-size" 1111')],
	["a look-alike", model("llama-server --ctx-size-draft 5 -c 1111 --ctx-size-draft 5")],
	["both flags: the last wins", model("llama-server --ctx-size 5 -c 1111")],
	["both flags the other way", model("llama-server -c 5 --ctx-size 1111")],
	["a flag in a later quoted prompt", model(`llama-server -c 1111 --prompt "and --ctx-size 5"`)],
	["a number in an earlier prompt", model(`llama-server --prompt "use -c 5 here" -c 1111`)],
	["a comment line in the block", model("|\n      llama-server\n      -c 1111\n      # -c 5\n")],
	["a comment line before", model("|\n      # -c 5\n      llama-server\n      -c 1111\n")],
	["an inline # that is no comment", model("|\n      llama-server # -c 1111\n")],
	["a quoted id", `models:\n  "m":\n    cmd: x -c 1111\n`],
	["a tag", model("!!str llama-server -c 1111")],
	["YAML 1.1", `%YAML 1.1\n---\n${model("llama-server -c 1111")}`],
	["an unused anchor", model("&x llama-server -c 1111")],
	["a merge with its own cmd", `d: &d\n  ttl: 5\n${model("x -c 1111", "    <<: *d\n")}`],
	["comments behind keys", `models: # all\n  m: # one\n    cmd: x -c 1111 # size\n`],
	["a folded block", model(">\n      llama-server\n      --ctx-size 1111\n      --temp 1\n")],
	["a folded block, stripped", model(">-\n      llama-server\n      --ctx-size\n      1111\n")],
	["a folded block, kept", model(">+\n      llama-server\n        -c 1111\n\n\n")],
	["double quotes over lines", model('"llama-server\n      -c 1111\n      --temp 1"')],
	["double quotes with an escaped line", model('"llama-server \\\n      -c 1111"')],
	["escapes before the number", model('"\\u00e9\\x41\\n\\U0001F600 -c 1111 \\"-c 5\\""')],
	["single quotes with a quote", model("'llama-server --k ''a b'' -c 1111'")],
	["plain text over lines", model("llama-server\n      --ctx-size\n      1111\n      --temp 1")],
	["CRLF", crlf(model("|\n      llama-server\n      -c 1111\n\n    ttl: 5\n"))],
	["CRLF, folded", crlf(model(">\n      llama-server\n      -c 1111\n"))],
	["CRLF, double-quoted over lines", crlf(model('"llama-server\n      -c 1111"'))],
	["a byte order mark", `\ufeff${model("x -c 1111")}`],
	["a byte order mark and CRLF", `\ufeff${crlf(model("|\n      x\n      -c 1111\n"))}`],
	["no final newline", model("x -c 1111").trimEnd()],
	["a block without final newline", model("|\n      x\n      -c 1111")],
	["flow maps", `models: {m: {cmd: x -c 1111, aliases: [a, b]}}`],
	["flow maps over lines", `models: {\n  m: {\n    cmd: "x -c 1111"\n  }\n}\n`],
	["odd indentation", `models:\n     m:\n            cmd: x -c 1111\n            ttl:   5\n`],
	["blank lines at the block's end", model("|\n      x\n      -c 1111\n\n\n    ttl: 5\n")],
	["text that is not ASCII", `models:\n  é:\n    cmd: ü\n  m:\n    cmd: "é😀 -c 1111"\n`],
	["unindented sequences", model("x -c 1111", "    aliases:\n    -   a\n    -    b\n")],
	["a model macro", model("x -c ${n}", "    macros:\n      n: 1111\n")],
	["a model macro as text", model("x -c ${n}", `    macros: {n: "1111"}\n`)],
	[
		"a model macro over a global one",
		`macros: {n: 5}\n${model("x -c ${n}", "    macros: {n: 1111}\n")}`,
	],
	["a global macro of one user", `macros:\n  n: 1111 # size\n${model("x -c ${n}")}`],
	["a macro that holds the flag", `macros:\n  s: --ctx-size 1111 --temp 1\n${model("x ${s}")}`],
	["a macro in a macro", `macros:\n  n: 1111\n  s: -c ${"${n}"}\n${model("x ${s}")}`],
	["a macro that holds all", `macros:\n  a: |\n    x\n    -c 1111\n${model("${a}")}`],
	["an anchor of one user", `d: &c x -c 1111\n${model("*c")}`],
	["an anchored macro", `d: &n 1111\nmacros:\n  n: *n\n${model("x -c ${n}")}`],
	["a shell script", model("bash -c 'llama-server -c 1111'")],
	["a shell script that goes on", model(`sh -lc "cd /m && exec llama-server -c 1111 | tee -c 5"`)],
	["a container", model("docker run --rm -c 5 img -m a -c 1111")],
	["a script over lines", model(`|\n      sh -c 'llama-server -c 1111\n      wait'\n`)],
	["a container that runs already", model("docker exec box run.sh -c 1111")],
	["a launcher", model("taskset -c 5 llama-server -c 1111")],
	["a launcher behind another", model("nice -n 5 numactl -C 5 /opt/llama-server -c 1111")],
])("replaces nothing but the digits: %s", (_name, yaml) => {
	const edit = expectReplaced(yaml, "1111", "262144", 262144);
	expect(edit).toMatchObject({ id: "m", before: 1111, after: 262144, kept: [], left: [] });
	expect(edit.changes).toHaveLength(1);
	expect(edit.changes[0]?.before?.replace("1111", "262144")).toBe(edit.changes[0]?.after);
});

test.each<[string, string, number, number | undefined]>([
	["srv -c 8k", "8k", 8192, 8],
	["srv -c 0", "0", 8192, 0],
	["srv -c 8192", "8192", 0, 8192],
	["vllm serve m --max-model-len 16k", "16k", 8192, 16_000],
	["vllm serve m --max-model-len auto", "auto", 8192, undefined],
	["vllm serve m --max_model_len=-1", "-1", 8192, undefined],
])("sets the size in %s", (cmd, part, value, before) => {
	const edit = expectReplaced(model(`|\n      ${cmd}\n`), part, String(value), value);
	expect(edit).toMatchObject({ before, after: value });
});

test.each(["131_072", "0400000", "0x20000", "0b100000000000000000"])(
	"a macro that is written %s is replaced as a whole",
	(written) => {
		const yaml = `macros:\n  n: ${written} # size\n${model("x -c ${n}", "    metadata:\n      ctx: ${n}\n")}`;
		const edit = expectReplaced(yaml, written, "8192", 8192);
		expect(edit).toMatchObject({ before: 131_072, after: 8192, kept: ["metadata.ctx"], left: [] });
	},
);

test.each<[string, string, string, string]>([
	[
		"a block",
		model("|\n      llama-server\n      --temp 1\n"),
		"--temp 1",
		"\n      --ctx-size 512",
	],
	[
		"a block's trailing blank lines",
		model("|\n      llama-server\n\n\n    ttl: 1\n"),
		"llama-server",
		"\n      --ctx-size 512",
	],
	[
		"a block's deeper last line",
		model("|\n      llama-server\n        -m y\n"),
		"-m y",
		"\n        --ctx-size 512",
	],
	["a stripped block", model("|-\n      llama-server"), "llama-server", "\n      --ctx-size 512"],
	[
		"a folded block",
		model(">\n      llama-server\n      -m y\n"),
		"-m y",
		"\n      --ctx-size 512",
	],
	[
		"CRLF",
		crlf(model("|\n      llama-server\n      -m y\n\n    ttl: 1\n")),
		"-m y",
		"\r\n      --ctx-size 512",
	],
	[
		"a CRLF block at the file's end",
		crlf(model("|\n      llama-server")),
		"llama-server",
		"\r\n      --ctx-size 512",
	],
	[
		"blanks at the line's end",
		model("|\n      llama-server  \n"),
		"llama-server  ",
		"\n      --ctx-size 512",
	],
	[
		"a backslash at the end",
		model("|\n      llama-server \\\n      -m y \\\n"),
		"-m y \\",
		"\n      --ctx-size 512",
	],
	[
		"a comment at the end",
		model("|\n      llama-server\n      # -c 5\n"),
		"# -c 5",
		"\n      --ctx-size 512",
	],
	["plain text", model("llama-server -m y # note"), "-m y", " --ctx-size 512"],
	["plain text over lines", model("llama-server\n      -m y"), "-m y", " --ctx-size 512"],
	["double quotes", model('"llama-server -m y"'), "-m y", " --ctx-size 512"],
	["single quotes", model("'llama-server -m ''y z'''"), "''y z''", " --ctx-size 512"],
	[
		"double quotes, a backslash in the text",
		model('"llama-server -m y \\\\"'),
		"-m y ",
		"--ctx-size 512 ",
	],
	["a flow map", "models: {m: {cmd: llama-server -m y}}", "-m y", " --ctx-size 512"],
	[
		"only a macro",
		`macros: {a: 'llama-server -m y'}\n${model("${a}")}`,
		"cmd: ${a}",
		" --ctx-size 512",
	],
	["an anchor of one user", `d: &c llama-server -m y\n${model("*c")}`, "-m y", " --ctx-size 512"],
	[
		"a look-alike",
		model("llama-server --ctx-size-draft 5"),
		"--ctx-size-draft 5",
		" --ctx-size 512",
	],
	[
		"a container's own -c",
		model("docker run --rm -c 5 llama.cpp:server -m y"),
		"-m y",
		" --ctx-size 512",
	],
	["a launcher's own -c", model("taskset -c 5 llama-server"), "llama-server", " --ctx-size 512"],
	["a flag in a prompt", model(`llama-server -p "-c 5"`), `"-c 5"`, " --ctx-size 512"],
])("adds the flag to %s", (_name, yaml, behind, added) => {
	const at = yaml.lastIndexOf(behind) + behind.length;
	const edit = setPresetKey(yaml, "m", "ctx-size", 512);
	expect(edit.yaml).toBe(yaml.slice(0, at) + added + yaml.slice(at));
	expect(edit.before).toBeUndefined();
});

test("an added line is reported as new, a changed one with both texts", () => {
	const yaml = model("|\n      llama-server\n");
	expect(setPresetKey(yaml, "m", "ctx-size", 512).changes).toEqual([
		{ line: 5, before: undefined, after: "      --ctx-size 512" },
	]);
	expect(setPresetKey(crlf(model("x -c 5")), "m", "ctx-size", 512).changes).toEqual([
		{ line: 3, before: "    cmd: x -c 5", after: "    cmd: x -c 512" },
	]);
});

test("the model's own statements of the size change along", () => {
	const yaml = model(
		"x -c 4096 -b 4096",
		"    capabilities:\n      context: 4096\n    metadata:\n      n_ctx: '4096'\n      ctx: 2048\n      batch: 4096\n",
	);
	const edit = setPresetKey(yaml, "m", "ctx-size", 8192);
	expect(edit.yaml).toBe(
		yaml
			.replace("-c 4096", "-c 8192")
			.replace("context: 4096", "context: 8192")
			.replace("'4096'", "'8192'"),
	);
	expect(edit.kept).toEqual(["capabilities.context", "metadata.n_ctx"]);
	expect(edit.left).toEqual(["metadata.ctx"]);
	expect(edit.changes.map(({ line }) => line)).toEqual([3, 5, 7]);
});

test("one macro feeds the flag and the statements", () => {
	const yaml = `macros:\n  n: 4096\n${model(
		"x -c ${n}",
		"    description: holds ${n} tokens\n    capabilities:\n      context: ${n}\n    metadata:\n      ctx: ${n}\n      note: n=${n}\n",
	)}`;
	const edit = expectReplaced(yaml, "4096", "8192", 8192);
	expect(edit.kept).toEqual([
		"description",
		"capabilities.context",
		"metadata.ctx",
		"metadata.note",
	]);
});

test("a macro that feeds only a statement of the same size changes along", () => {
	const yaml = `macros:\n  n: 4096\n${model("x -c 4096", "    metadata:\n      ctx: ${n}\n")}`;
	const edit = setPresetKey(yaml, "m", "ctx-size", 8192);
	expect(edit.yaml).toBe(yaml.replaceAll("4096", "8192"));
	expect(edit).toMatchObject({ kept: ["metadata.ctx"], left: [] });
});

test("a statement that others share stays, and is named", () => {
	const yaml = `d: &c {context: 4096}\n${model(
		"x -c 4096",
		"    capabilities: *c\n    metadata:\n      ctx: 4096\n  n:\n    cmd: y\n    capabilities: *c\n",
	)}`;
	const edit = setPresetKey(yaml, "m", "ctx-size", 8192);
	expect(edit.yaml).toBe(yaml.replace("-c 4096", "-c 8192").replace("ctx: 4096", "ctx: 8192"));
	expect(edit).toMatchObject({ kept: ["metadata.ctx"], left: ["capabilities.context"] });
});

test("the value that is there already changes nothing", () => {
	const yaml = model("x -c 4096", "    metadata: {ctx: 2048}\n");
	expect(setPresetKey(yaml, "m", "ctx-size", 4096)).toEqual({
		yaml,
		id: "m",
		before: 4096,
		after: 4096,
		changes: [],
		kept: [],
		left: ["metadata.ctx"],
	});
});

test.each<[string, string, string]>([
	["an alias", model("x -c 5", "    aliases: [other, a]\n"), "a"],
	[
		"a key of setParamsByID",
		model("x -c 5", "    filters: {setParamsByID: {'m:fast': {}}}\n"),
		"m:fast",
	],
	["aliases by anchor", `d: &a [a]\n${model("x -c 5", "    aliases: *a\n")}`, "a"],
])("finds the model by %s", (_name, yaml, id) => {
	expect(setPresetKey(yaml, id, "ctx-size", 6)).toMatchObject({ id: "m", before: 5 });
});

test.each(["123", "1.0", "a/b:c", "__proto__", "constructor", "modèle 😀", "null", "true"])(
	"takes %s as an id",
	(id) => {
		const yaml = `models:\n  ${/[:]/.test(id) ? `"${id}"` : id}:\n    cmd: x -c 5\n  n:\n    cmd: x -c 5\n`;
		expect(setPresetKey(yaml, id, "ctx-size", 6).yaml).toBe(yaml.replace("-c 5", "-c 6"));
	},
);

const shared = (head: string, cmd: string): string =>
	`${head}${model(cmd, `  n:\n    cmd: ${cmd}\n`)}`;

test.each<[string, string, RegExp]>([
	[
		"a shared global macro",
		shared("macros:\n  c: 5\n", "x -c ${c}"),
		/global macro "c".* n .*\(line 2\)/,
	],
	["a shared macro with the flag", shared("macros: {c: -c 5}\n", "x ${c}"), /macro "c".* n /],
	[
		"a macro behind a shared macro",
		shared("macros: {n: 5, c: -c ${n}}\n".replace("-c ${n}", "'-c ${n}'"), "x ${c}"),
		/macro "n".* n /,
	],
	["a shared anchor", shared("d: &c x -c 5\n", "*c"), /anchor "c".* n .*\(line 1\)/],
	["a shared anchor, absent flag", shared("d: &c llama-server\n", "*c"), /anchor "c".* n /],
	[
		"a cmd that another uses",
		model("&c x -c 5", "  n:\n    cmd: *c\n"),
		/anchor "c".* n .*\(line 3\)/,
	],
	[
		"a model that another one is",
		model("x -c 5", "  n: *m\n").replace("m:", "m: &m"),
		/ n .*line 3/,
	],
	[
		"seven users",
		`macros: {c: 5}\nmodels:\n${[..."mabcdefg"].map((id) => `  ${id}: {cmd: "x -c $\{c}"}\n`).join("")}`,
		/a, b, c, d, e and 2 more/,
	],
	[
		"an alias as the model",
		"models:\n  o: &o\n    cmd: x -c 5\n  m: *o\n",
		/m is written as \*o.*\(line 4\)/,
	],
	[
		"a cmd from a merge key",
		`d: &d\n  cmd: x -c 5\n${model("").replace("cmd: ", "<<: *d")}`,
		/merge key.*\(line 2\)/,
	],
	["a list of merge keys", `d: &d {cmd: x -c 5}\nmodels:\n  m:\n    <<: [*d]\n`, /merge key/],
	[
		"a model from a merge key",
		"d: &d {m: {cmd: x -c 5}}\nmodels:\n  <<: *d\n  n: {cmd: y}\n",
		/merge key/,
	],
	["a list as cmd", model("[x, -c, '5']"), /list or a map.*\(line 3\)/],
	["a map as cmd", model("{x: y}"), /list or a map/],
	["a number as cmd", model("5"), /no plain text/],
	["no cmd", "models:\n  m:\n    ttl: 5\n", /m has no cmd \(line 2\)/],
	["an empty model", "models:\n  m:\n", /m has no cmd/],
	["an empty cmd", model('""'), /empty/],
	["an empty block", model("|\n\n    ttl: 5\n"), /empty/],
	["a cmd of comments", model("|\n      # x -c 5\n"), /empty/],
	["a duplicate key", model("x -c 5\n    cmd: x -c 6"), /twice at line 4/],
	["a duplicate model", model("x -c 5", "  m:\n    cmd: y\n"), /twice at line 4/],
	["a tab as indentation", "models:\n\tm:\n\t\tcmd: x -c 5\n", /tab at line 2/],
	["a second document", `${model("x -c 5")}---\na: 1\n`, /second document.* at line 4/],
	["a quote that never closes", model('"x -c 5'), /not valid YAML.* at line \d+/],
	["an alias without an anchor", model("*c"), /\*c has no anchor at line 3/],
	["an empty file", "", /no models/],
	["models: null", "models:\n", /no models/],
	["models as a list", "models: [m]\n", /no models/],
	["an unknown model", "models:\n  a: {cmd: x}\n  b: {cmd: y}\n", /no model m/],
	[
		"the environment in the value",
		model("|\n      x\n      -c ${env.CTX}\n"),
		/environment variable CTX \(line 5\)/,
	],
	[
		"the environment in a macro",
		`macros:\n  n: "$\{env.CTX}"\n${model("x -c ${n}")}`,
		/variable CTX \(line 2\)/,
	],
	["an unknown macro", model("x -c ${nope}"), /macro "nope", which nothing defines/],
	[
		"the env entry",
		model("x", "    env:\n      - A=1\n      - LLAMA_ARG_CTX_SIZE=5\n"),
		/LLAMA_ARG_CTX_SIZE in its env \(line 6\)/,
	],
	[
		"an env entry from a macro",
		`macros: {e: LLAMA_ARG_CTX_SIZE=5}\n${model("x", "    env:\n    - ${e}\n")}`,
		/in its env \(line 6\)/,
	],
	[
		"a variable in the cmd",
		model("env LLAMA_ARG_CTX_SIZE=5 llama-server"),
		/LLAMA_ARG_CTX_SIZE in its cmd/,
	],
	[
		"a macro as a part of the number",
		`macros: {n: 4}\n${model("x -c ${n}096")}`,
		/"4096" is put together/,
	],
	["a macro twice in the number", `macros: {n: 40}\n${model("x -c ${n}${n}")}`, /put together/],
	["a number in two quotes", model(`x -c 40'96'`), /put together/],
	[
		"a macro for another flag too",
		`macros: {n: 5}\n${model("x -c ${n} -b ${n}")}`,
		/more than this option/,
	],
	[
		"a macro for another setting",
		`macros: {n: 5}\n${model("x -c ${n}", "    ttl: ${n}\n")}`,
		/ttl of m/,
	],
	[
		"a macro for the request",
		`macros: {n: 5}\n${model("x -c ${n}", "    filters: {setParams: {max_tokens: '${n}'}}\n")}`,
		/filters\.setParams\.max_tokens/,
	],
	[
		"a macro for a global setting",
		`macros: {n: 5}\nglobalTTL: ${"${n}"}\n${model("x -c ${n}")}`,
		/setting globalTTL/,
	],
	[
		"an anchor at a global setting",
		`startPort: &n 5900\nmacros: {n: *n}\n${model("x -c ${n}")}`,
		/setting startPort/,
	],
	[
		"a flag as value",
		model("llama-server -c --temp 1"),
		/followed by "--temp", which is no number/,
	],
	["a word as value", model("llama-server -c lots"), /"lots", which is no number/],
	["a shell's variable", model("llama-server -c $CTX"), /no number/],
	["no value", model("llama-server -c"), /has no value/],
	["an unknown launcher", model("taskset -c 5 run.sh"), /started by run\.sh, .*\(line 3\)/],
	["a script of two servers", model("sh -c 'llama-server -c 5; llama-server -c 6'"), /unclear/],
	["a script of other commands", model("sh -c 'a -c 5 && b'"), /unclear/],
	["a script without the flag", model("sh -c 'llama-server'"), /shell script without --ctx-size/],
	["an end within quotes", model(`llama-server --prompt "y`), /more than this option/],
	[
		"macros that double one another",
		`macros:\n  b0: xxxxxxxx\n${Array.from({ length: 12 }, (_, at) => `  b${at + 1}: "${`$\{b${at}}`.repeat(9)}"\n`).join("")}${model("x ${b12} -c 5")}`,
		/without end/,
	],
	["a value that holds itself", `a: &a [*a]\n${model("x -c 5")}`, /\*a has no anchor/],
	["a merge that holds itself", "models: {m: &m {<<: *m}}", /\*m has no anchor/],
	[
		"aliases that explode",
		`a0: &a0 [x,x]\n${Array.from({ length: 8 }, (_, at) => `a${at + 1}: &a${at + 1} [${`*a${at},`.repeat(9)}]\n`).join("")}${model("x -c 5")}`,
		/cannot be followed|without end/,
	],
	["endless nesting", "[".repeat(100_000), /YAML|without end/],
	["a huge file", `${model("x -c 5")}${"#".repeat(2 ** 20)}`, /larger than 1 MB/],
])("refuses %s", (_name, yaml, reason) => {
	const fault = refusalOf(() => setPresetKey(yaml, "m", "ctx-size", 512));
	expect(fault.message).toMatch(reason);
	expect(fault.message).not.toContain("\n");
	expect(fault.hint).toBeTruthy();
});

test.each([-1, 1.5, 2 ** 31, Number.NaN, Number.POSITIVE_INFINITY])("refuses %d", (value) => {
	const fault = refusalOf(() => setPresetKey(model("llama-server"), "m", "ctx-size", value));
	expect(fault.message).toContain(`cannot be ${value}`);
	expect(fault.hint).toMatch(/number from 0 to \d+/);
});

interface Case {
	readonly id: string;
	readonly model: string;
	readonly size: number;
	readonly yaml: string;
	/** The new line, or "refuse"; where both are right, the line is what we want. */
	readonly right: string | readonly string[];
	/** What stands neither in the new text nor in the reason of a refusal. */
	readonly never?: string;
	readonly before?: number;
}

/** Edits that came out wrong once. */
const CASES: readonly Case[] = JSON.parse(
	readFileSync(new URL("../../../../fixtures/cases/edits.json", import.meta.url), "utf8"),
);

const edited = (cmd: string, to: string, before?: number): Case => {
	const yaml = `models:\n  m:\n    cmd: ${JSON.stringify(cmd)}\n`;
	const right = `cmd: ${JSON.stringify(to)}`;
	const known = {
		id: `more: ${cmd}`,
		model: "m",
		size: 77_824,
		yaml,
		right,
		never: '" --ctx-size',
	};
	return before === undefined ? known : { ...known, before };
};
const refused = (cmd: string): Case => ({ ...edited(cmd, ""), right: "refuse" });

/** Further ones of each kind. */
const MORE_CASES: readonly Case[] = [
	edited(
		"sudo nice vllm serve m --max-model-len 1000",
		"sudo nice vllm serve m --max-model-len 77824",
	),
	edited("koboldcpp --contextsize 8192", "koboldcpp --contextsize 77824", 8192),
	edited("vllm serve m -p 1", "vllm serve m -p 1 --max-model-len 77824"),
	edited(
		"python3 -m llama_cpp.server --model q",
		"python3 -m llama_cpp.server --model q --n_ctx 77824",
	),
	edited("trtllm-serve m --max_seq_len 16384", "trtllm-serve m --max_seq_len 77824", 16_384),
	edited(
		"lmdeploy serve api_server m --session-len=16384",
		"lmdeploy serve api_server m --session-len=77824",
	),
	edited("./ds4-server --ctx 393216", "./ds4-server --ctx 77824", 393_216),
	edited("python main.py --max-seq-len 32768", "python main.py --max-seq-len 77824", 32_768),
	edited("./serve.sh --ctx-size 4096", "./serve.sh --ctx-size 77824", 4096),
	edited("llama-server --ctx_size=4096", "llama-server --ctx_size=77824", 4096),
	edited(
		"llama-server --ctx-size 1 --ctx_size 2 -c 3 -m q",
		"llama-server --ctx-size 1 --ctx_size 2 -c 77824 -m q",
		3,
	),
	edited(
		"ssh gpu 'cd /opt && exec ./llama-server -c 8192'",
		"ssh gpu 'cd /opt && exec ./llama-server -c 77824'",
	),
	edited(
		"fish -c 'llama-server -c 8192 2>&1 | tee log'",
		"fish -c 'llama-server -c 77824 2>&1 | tee log'",
	),
	edited(
		"sh -c 'while true; do llama-server -c 8192; done'",
		"sh -c 'while true; do llama-server -c 77824; done'",
	),
	edited(
		'cmd.exe /c "C:\\l\\llama-server.exe -c 8192"',
		'cmd.exe /c "C:\\l\\llama-server.exe -c 77824"',
		8192,
	),
	edited(
		"C:\\l\\llama-server.exe -m C:\\m\\q.gguf",
		"C:\\l\\llama-server.exe -m C:\\m\\q.gguf --ctx-size 77824",
	),
	edited(
		"toolbox run -c rocm llama-server -m q",
		"toolbox run -c rocm llama-server -m q --ctx-size 77824",
	),
	refused("python3 -m mlx_lm server --model org/m"),
	refused("mlx_lm.server --model org/m -c 4096"),
	refused("whisper-server -m q.bin --port 1"),
	refused("ollama serve"),
	refused("vllm-wrapper.sh org/m"),
	refused("bash -c './start-llama-server.sh'"),
	refused("sh -c './a.sh -c 5; ./b.sh -c 6'"),
	refused("python serve.py --config c.yaml -c c.yaml"),
	refused("docker run --rm my/image --port 1"),
	refused("docker run -eLLAMA_ARG_CTX_SIZE=8192 llama.cpp:server -m q"),
	refused("toolbox run -c rocm bash -lc 'llama-server -m q'"),
	refused("nix-shell -p llama-cpp --run 'llama-server -m q'"),
	refused("wsl -d Ubuntu ./serve.sh 8080"),
];

test.each([...CASES, ...MORE_CASES])("$id", ({ model: id, size, yaml, right, never, before }) => {
	const [wanted] = [right].flat();
	if (wanted === "refuse") {
		const { message, hint } = refusalOf(() => setPresetKey(yaml, id, "ctx-size", size));
		expect(hint).toBeTruthy();
		if (never !== undefined) expect(message).not.toContain(never);
		return;
	}
	const edit = setPresetKey(yaml, id, "ctx-size", size);
	expect(edit.yaml.split("\n").map((line) => line.trim())).toContain(wanted);
	if (never !== undefined) expect(edit.yaml).not.toContain(never);
	if (before !== undefined) expect(edit.before).toBe(before);
});

test.each([
	["mlx_lm.server --model m", /started by mlx_lm\.server, which has no option for a context size/],
	["./serve-qwen.sh 1", /started by \.\/serve-qwen\.sh, which is not a known server/],
	["sh -c 'llama-server -m q'", /shell script without --ctx-size/],
])("%s is refused with the true reason", (cmd, reason) => {
	expect(refusalOf(() => setPresetKey(model(cmd), "m", "ctx-size", 512)).message).toMatch(reason);
});

function refusalOf(act: () => unknown): AiServerError {
	let fault: unknown;
	try {
		act();
	} catch (error) {
		fault = error;
	}
	if (!(fault instanceof AiServerError)) throw fault ?? new Error("It was not refused");
	expect(fault.code).toBe("config");
	return fault;
}
