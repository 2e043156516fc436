import { readFileSync } from "node:fs";
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
	["a comment behind", `apiKeys:\n  - ${S} # token: ${S}\n`, "apiKeys:\n  - *** # token: ***\n"],
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

interface Case {
	readonly id: string;
	readonly file: string;
	readonly hidden: readonly string[];
	readonly shown: readonly string[];
}

const caseFile = (name: string): string =>
	readFileSync(new URL(`../../../fixtures/cases/${name}`, import.meta.url), "utf8");
const CASES: readonly Case[] = JSON.parse(caseFile("masks.json"));

test.each(CASES)("$id", ({ file, hidden, shown }) => {
	const masked = maskSecrets(caseFile(file));
	expect(hidden.filter((secret) => masked.includes(secret))).toEqual([]);
	expect(shown.filter((text) => !masked.includes(text))).toEqual([]);
});

test.each([
	"cmd: srv --API_KEY @",
	"cmd: srv --api_key=@ -c 4",
	"cmd: vllm serve m --hf_token=@",
	"cmd: x --github-token @ --port 1",
	"cmd: x --db_password @",
	"cmd: docker run -itdeHF_TOKEN=@ img",
	"cmd: docker run -e=HF_TOKEN=@ img",
	"cmd: podman run --env HF_TOKEN=@ img",
	"cmd: docker run --build-arg=NPM_TOKEN=@ img",
	"env: [ALL_PROXY=socks5://me:@@box:1080]",
	"env: ['PGPASSWORD=@', SSHPASS=@]",
	"proxy: https://me:p@ss@@box.example.net/v1",
	"cmd: srv --proxy=http://me:@@box:3128",
	"cmd: srv --hf-repo https://box/m?access_token=@&x=1",
	"cmd: curl --user me:@ http://box",
	"cmd: curl --proxy-user=me:@ http://box",
	"cmd: /usr/bin/curl -sSu me:@ http://box",
	"cmd: curl -ume:@ http://box",
	"cmd: sh -c 'ready && curl -s -u me:@ http://box || true'",
	'cmd: curl -H "Authorization:Basic @"',
	"cmd: 'curl -H \"authorization: token @\" http://box'",
	"cmd: 'curl -H \"X-Api-Key: @\" http://box'",
	"cmd: 'curl --header=X-Auth-Token:@ http://box'",
	"cmd: 'curl -H \"X-Login: Bearer @\" http://box'",
	"cmd: 'curl -H \"Proxy-Authorization: Bearer @\" http://box'",
	"cmd: sshpass -p@ ssh gpu srv",
	"cmd: bash -lc \"sshpass -v -p '@' ssh gpu srv\"",
	"cmd: curl --oauth2-bearer @ http://box",
	"cmd: curl -b session=@ http://box",
	"cmd: wget --http-password @ http://box",
	"cmd: git clone https://oauth2:@@box/x",
	"env: ['CACHE=redis://:@@box/0']",
	"macros: {login: '--hf_token @'}",
	"peers: {p: {filters: {setParams: {api_key: '@'}}}}",
	"#   apiKey: '@'",
	"# - HF_TOKEN=@",
	"# cmd: sshpass -p @ ssh gpu",
	"# proxy: http://me:@@box",
	"# don't forget: llama-server --api_key @ -c 4",
])("no secret shows of %s", (line) => {
	const yaml = `${line.replaceAll("@@", `${S}@`).replace(/@(?![\w.])|(?<=[=:'\s-]p?)@$/g, S)}\n`;
	expect(yaml).toContain(S);
	expect(maskSecrets(yaml)).not.toContain(S);
});

test.each([
	"macros: {pad_token: '<pad>', mask_token: '[MASK]'}",
	"cmd: srv --override-kv tokenizer.ggml.add_bos_token=bool:false --cache-type-k q8_0",
	"metadata: {cost_per_token: 1e-6, license_key: plain, family_token: word}",
	"filters: {setParamsByID: {m: {unique_key: word}}}",
	"cmd: srv --eos_token '<|end|>' --sort-key name --max-token 5",
	"cmd: srv --ssl-key /etc/ssl/a.pem --tls_key ~/keys/a.key",
	"cmd: docker run -u 1000:1000 --user 1000:1000 img",
	"cmd: sudo -u ai:ai srv -p 8080",
	"cmd: ssh -p 22 gpu srv",
	"cmd: srv --url http://box:8080/v1@latest",
	"cmd: srv --system-prompt 'Authorization is granted, bearer of keys'",
	"proxy: http://${user}:${env.PW}@box:8080",
	"description: 'Pass the token: it is the key: you know'",
	"# the token: a word of the vocabulary",
	"# use --api-key to set a key",
	"# basic authorization: see the manual",
	"# sort_key: 10",
])("nothing is hidden of %s", (line) => {
	expect(maskSecrets(`${line}\n`)).toBe(`${line}\n`);
});

test("nesting without end leaves the lines", () => {
	const yaml = `cmd: srv --api-key ${S}\nx: ${"[".repeat(20_000)}\n`;
	expect(maskSecrets(yaml)).not.toContain(S);
});

test("long words are not searched again and again", () => {
	const yaml = `# ${"--a-".repeat(100_000)}\n# ${"key ".repeat(100_000)}\ncmd: ${"--a-".repeat(20_000)}\n`;
	expect(maskSecrets(yaml)).toBe(yaml);
});

test.each([
	["quotes in quotes", (size: number) => `cmd: 'x ${`"a '' b " c \\\\" `.repeat(size)}'\n`],
	["login after login", (size: number) => `cmd: ${"curl -u a: sshpass -p ".repeat(size)}\n`],
	["URLs", (size: number) => `# ${"http://a:b:c".repeat(size)}\n`],
	["headers", (size: number) => `cmd: x ${"Authorization: Basic".repeat(size)}\n`],
	["a long name", (size: number) => `cmd: --${"key_".repeat(size)}=1\n`],
	["names in metadata", (size: number) => `metadata: {${"a_key: b, ".repeat(size)}}\n`],
])("masking %s takes time in proportion", (_what, make) => {
	const time = (size: number): number => {
		const yaml = make(size);
		const started = performance.now();
		maskSecrets(yaml);
		return performance.now() - started;
	};
	time(500);
	const [small, large] = [time(1000), time(16_000)];
	expect(large).toBeLessThan(Math.max(400, small * 16 * 5));
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
