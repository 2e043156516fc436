import { expect, test } from "vitest";
import { AiServerError } from "../../../../lib/errors.ts";
import { modelExcerpt } from "../../../../lib/llama-swap/config/excerpt.ts";

const BOX = `# the box
models:
  # about a
  # (two lines)
  a: &a
    cmd: |
      x
      # not this
      -c 1

    # ttl: 5

  # about b
  "b":
    cmd: 'y' # z
    aliases: [bee]

# at the margin
  c: {cmd: z}
  d: *a
  e:
    cmd: >-
      last
# after all
other: 1
`;

test.each([
	["a", BOX.slice(BOX.indexOf("  # about a"), BOX.indexOf("\n\n  # about b"))],
	["b", BOX.slice(BOX.indexOf("  # about b"), BOX.indexOf("\n\n# at"))],
	["bee", BOX.slice(BOX.indexOf("  # about b"), BOX.indexOf("\n\n# at"))],
	["c", "# at the margin\n  c: {cmd: z}"],
	["d", "  d: *a"],
	["e", "  e:\n    cmd: >-\n      last"],
])("shows %s as it is written", (id, text) => {
	expect(modelExcerpt(BOX, id)).toBe(text);
	expect(modelExcerpt(BOX.replaceAll("\n", "\r\n"), id)).toBe(text.replaceAll("\n", "\r\n"));
});

test.each([
	["a flow map", "models: {m: {cmd: x}, n: {cmd: y}}", "n", "n: {cmd: y}"],
	["a byte order mark", "\ufeffmodels:\n  m:\n    cmd: x", "m", "  m:\n    cmd: x"],
	["an empty model", "models:\n  m:\n  n:\n", "m", "  m:"],
	[
		"duplicate keys",
		"models:\n  m:\n    ttl: 1\n    ttl: 2\n",
		"m",
		"  m:\n    ttl: 1\n    ttl: 2",
	],
	["a fault further down", "models:\n  m:\n    cmd: x\nrest: [\n", "m", "  m:\n    cmd: x"],
])("reads %s", (_name, yaml, id, text) => {
	expect(modelExcerpt(yaml, id)).toBe(text);
});

test("a model that is not there is refused with those that are", () => {
	expect(() => modelExcerpt(BOX, "nope")).toThrow(AiServerError);
	expect(() => modelExcerpt(BOX, "nope")).toThrow(/no model nope/);
});
