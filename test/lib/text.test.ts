import { expect, test } from "vitest";
import { oneLine, plainText } from "../../lib/text.ts";

test.each([
	["a\u001b]0;title\u0007b", "ab"],
	["a\u001b]8;;http://x\u001b\\link", "alink"],
	["tab\tand\nline stay", "tab\tand\nline stay"],
	["nul\u0000 del\u007f c1\u0085", "nul  del  c1 "],
	["ünïcödé 🎉", "ünïcödé 🎉"],
])("strips what could steer a terminal from %j", (text, plain) => {
	expect(plainText(text)).toBe(plain);
});

test("one line has single blanks, and none around it", () => {
	expect(oneLine(" a\n\tb\u001b[1m  c ")).toBe("a b c");
});
