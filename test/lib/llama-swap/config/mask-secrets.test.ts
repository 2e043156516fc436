import { expect, test } from "vitest";
import { setPresetKey } from "../../../../lib/llama-swap/config/edit/set-option.ts";
import { modelExcerpt } from "../../../../lib/llama-swap/config/excerpt.ts";
import { highlightYaml } from "../../../../lib/llama-swap/config/highlight.ts";
import { maskChanges, maskSecrets } from "../../../../lib/llama-swap/config/mask-secrets.ts";

/** Every secret in the table holds this word, so that one that is left shows. */
const S = "hunter2";

test.each<readonly [string, string, string]>([
	["a list of keys", `apiKeys:\n  - ${S}\n  - "${S} b"\n`, "apiKeys:\n  - ***\n  - ***\n"],
	["a flow list", `apiKeys: [${S}, '${S}']\n`, "apiKeys: [***, ***]\n"],
	["a flow list of lines", `apiKeys: [\n  ${S},\n]\n`, "apiKeys: [\n  ***,\n]\n"],
	["a key behind an anchor", `x: &k [${S}]\napiKeys: *k\n`, "x: &k [***]\napiKeys: *k\n"],
	["a peer's key", `peers:\n  p:\n    apiKey: ${S}\n`, "peers:\n  p:\n    apiKey: ***\n"],
	[
		"a key in a block",
		`apiKey: |\n  ${S}\n  ${S}\nttl: 1\n`,
		"apiKey: ***\n  ***\n  ***\nttl: 1\n",
	],
	["a key in two quoted lines", `apiKey: "${S}\n  ${S}"\n`, "apiKey: ***\n  ***\n"],
	["a number", "apiKey: 12345\n", "apiKey: ***\n"],
	["Windows lines", `apiKeys:\r\n  - ${S}\r\n`, "apiKeys:\r\n  - ***\r\n"],
	["an option", `cmd: srv --api-key ${S} -c 4\n`, "cmd: srv --api-key *** -c 4\n"],
	["an option joined", `cmd: srv --api-key=${S} -c 4\n`, "cmd: srv --api-key=*** -c 4\n"],
	["a quoted option", `cmd: srv --api-key "${S} b" -c 4\n`, 'cmd: srv --api-key "***" -c 4\n'],
	[
		"an option in quoted YAML",
		`cmd: "srv --api-key \\"${S} b\\" -c 4"\n`,
		'cmd: "srv --api-key \\"***\\" -c 4"\n',
	],
	[
		"an option of lines",
		`cmd: |\n  srv --api-key\n  ${S}\n  -c 4\n`,
		"cmd: |\n  srv --api-key\n  ***\n  -c 4\n",
	],
	[
		"a continued line",
		`cmd: |\n  srv --api-key \\\n  ${S} -c 4\n`,
		"cmd: |\n  srv --api-key \\\n  *** -c 4\n",
	],
	["a model's token", `cmd: srv --hf-token ${S} -hft ${S}\n`, "cmd: srv --hf-token *** -hft ***\n"],
	[
		"a shell's script",
		`cmd: sh -c "HF_TOKEN=${S} srv --api-key '${S} b'"\n`,
		`cmd: sh -c "HF_TOKEN=*** srv --api-key '***'"\n`,
	],
	[
		"a container's variable",
		`cmd: docker run -e HF_TOKEN=${S} --env=MY_KEY=${S} img\n`,
		"cmd: docker run -e HF_TOKEN=*** --env=MY_KEY=*** img\n",
	],
	[
		"a header",
		`cmd: srv --header "Authorization: Bearer ${S}"\n`,
		'cmd: srv --header "Authorization: Bearer ***"\n',
	],
	[
		"an environment",
		`env:\n  - HF_TOKEN=${S} b\n  - "A_KEY=${S}"\n  - DB_PASSWORD=${S}\n  - S_SECRET=${S}\n  - X=1\n`,
		'env:\n  - HF_TOKEN=***\n  - "A_KEY=***"\n  - DB_PASSWORD=***\n  - S_SECRET=***\n  - X=1\n',
	],
	["a macro by its name", `macros:\n  hf_token: ${S}\n`, "macros:\n  hf_token: ***\n"],
	[
		"a macro by its use",
		`macros:\n  k: ${S}\ncmd: srv --api-key \${k}\n`,
		"macros:\n  k: ***\ncmd: srv --api-key ${k}\n",
	],
	[
		"a macro with options",
		`macros:\n  srv: srv --api-key ${S}\n`,
		"macros:\n  srv: srv --api-key ***\n",
	],
	[
		"a line commented out",
		`# HF_TOKEN=${S}\n# --api-key ${S}\n# apiKey: ${S}\n`,
		"# HF_TOKEN=***\n# --api-key ***\n# apiKey: ***\n",
	],
	[
		"a list commented out",
		`# apiKeys:\n#   - ${S}\n# ttl: 5\n`,
		"# apiKeys:\n#   - ***\n# ttl: 5\n",
	],
	[
		"a comment in a command",
		`cmd: |\n  # --api-key ${S}\n  srv\n`,
		"cmd: |\n  # --api-key ***\n  srv\n",
	],
	[
		"a comment behind",
		`apiKeys:\n  - ${S} # the old token: ${S}\n`,
		"apiKeys:\n  - *** # the old token: ***\n",
	],
	["a file with faults", `apiKeys:\n  - ${S}\n\tbroken: [\n`, "apiKeys:\n  - ***\n\tbroken: [\n"],
])("%s is masked", (_what, yaml, shown) => {
	expect(yaml === "apiKey: 12345\n" || yaml.includes(S)).toBe(true);
	expect(maskSecrets(yaml)).toBe(shown);
});

test.each([
	["a file's name", "cmd: srv --api-key-file /etc/keys --ssl-key-file /etc/key.pem\n"],
	["a macro", "cmd: srv --api-key ${env.API_KEY}\n"],
	["a shell's variable", "cmd: sh -c 'HF_TOKEN=$HF_TOKEN srv'\n"],
	["a variable without a value", "cmd: docker run -e HF_TOKEN img\n"],
	["a name that is none", "env:\n  - LLAMA_ARG_API_KEY_FILE=/etc/keys\n  - MAX_TOKENS=5\n"],
	["numbers of tokens", "setParams:\n  max_tokens: 4096\n"],
	["a model of that name", "models:\n  my-token:\n    cmd: srv -c 4\n"],
	["prose", "# the key to speed is a cache\ndescription: a key, a token and more\n"],
	["nothing", ""],
])("%s stays", (_what, yaml) => {
	expect(maskSecrets(yaml)).toBe(yaml);
});

test("nesting without end leaves the lines", () => {
	const yaml = `cmd: srv --api-key ${S}\nx: ${"[".repeat(20_000)}\n`;
	expect(maskSecrets(yaml)).not.toContain(S);
});

test("long words are not searched again and again", () => {
	const yaml = `# ${"--a-".repeat(100_000)}\n# ${"key ".repeat(100_000)}\ncmd: ${"--a-".repeat(20_000)}\n`;
	expect(maskSecrets(yaml)).toBe(yaml);
});

const CONFIG = `# demo
apiKeys: [${S}]
models:
  m:
    env: [HF_TOKEN=${S}]
    cmd: |
      srv --port \${PORT} --api-key
      ${S} --ctx-size 4096
  n:
    cmd: llama-server --port \${PORT} --api-key ${S}
`;

test("a model's part is found in the masked text, and coloured", () => {
	const block = modelExcerpt(maskSecrets(CONFIG), "m");
	expect(block).toBe(
		"  m:\n    env: [HF_TOKEN=***]\n    cmd: |\n      srv --port ${PORT} --api-key\n      *** --ctx-size 4096",
	);
	const text = highlightYaml(block).map((spans) => spans.map((span) => span.text).join(""));
	expect(text.join("\n")).toBe(block);
});

test.each([
	["m", ["      *** --ctx-size 4096", "      *** --ctx-size 8192"]],
	[
		"n",
		[
			"    cmd: llama-server --port ${PORT} --api-key ***",
			"    cmd: llama-server --port ${PORT} --api-key *** --ctx-size 8192",
		],
	],
])("the lines of an edit of %s are masked by their context", (id, [before, after]) => {
	const { yaml, changes } = setPresetKey(CONFIG, id, "ctx-size", 8192);
	expect(maskChanges(CONFIG, yaml, changes)).toMatchObject([{ before, after }]);
});

test("lines that an edit adds count", () => {
	const before = `m:\n  cmd: |\n    srv --api-key ${S}\nn: --api-key ${S} -c 1\n`;
	const after = `m:\n  cmd: |\n    srv --api-key ${S}\n    -c 2\nn: --api-key ${S} -c 2\n`;
	const changes = [
		{ line: 4, before: undefined, after: "    -c 2" },
		{ line: 5, before: `n: --api-key ${S} -c 1`, after: `n: --api-key ${S} -c 2` },
	];
	expect(maskChanges(before, after, changes)).toEqual([
		changes[0],
		{ line: 5, before: "n: --api-key *** -c 1", after: "n: --api-key *** -c 2" },
	]);
});
