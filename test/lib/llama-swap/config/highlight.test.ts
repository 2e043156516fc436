import { expect, test } from "vitest";
import { highlightYaml } from "../../../../lib/llama-swap/config/highlight.ts";

const kindsOf = (yaml: string): readonly string[] =>
	highlightYaml(yaml).map((line) => line.map(({ kind, text }) => `${kind}(${text})`).join(""));

test("a config in its parts", () => {
	expect(
		kindsOf(
			`# box\nmodels:\n  "a": # one\n    cmd: |\n      x\n      # no\n    ttl: 60\n    n: *x`,
		),
	).toEqual([
		"comment(# box)",
		"key(models)plain(:)",
		'plain(  )key("a")plain(:)plain( )comment(# one)',
		"plain(    )key(cmd)plain(:)plain( )plain(|)",
		"string(      x)",
		"comment(      # no)",
		"plain(    )key(ttl)plain(:)plain( )number(60)",
		"plain(    )key(n)plain(:)plain( )plain(*x)",
	]);
});

test.each([
	["numbers", "[1, -0.5, .5, 1e3, 1a, 0x]", ["1", "-0.5", ".5", "1e3"]],
	["flow maps", "{a: 5, 'b': six}", ["5"]],
])("finds the numbers in %s", (_name, yaml, numbers) => {
	const spans = highlightYaml(yaml).flat();
	expect(spans.flatMap(({ kind, text }) => (kind === "number" ? [text] : []))).toEqual(numbers);
});

test.each([
	"",
	"\ufeffa: 1\r\nb: |\r\n  x\r\n\r\n",
	"a: \"x\n  y\\\n  z\"\nb: 'p\n\n  q'\n",
	"%YAML 1.1\n---\na: 1\n...\n---\nb\n",
	'models: "open\n  {[',
	"\tx: y\n}]\n\x02\x18\x1f",
])("loses nothing of %j", (yaml) => {
	const text = highlightYaml(yaml)
		.map((line) => line.map((span) => span.text).join(""))
		.join("\n");
	expect(text).toBe(yaml.replace(/^\ufeff/, "").replaceAll("\r\n", "\n"));
});
