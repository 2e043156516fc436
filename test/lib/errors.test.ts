import { expect, test } from "vitest";
import { AiServerError, describeError, isAbort } from "../../lib/errors.ts";
import { plainText } from "../../lib/text.ts";

test.each([
	[
		new AiServerError("tls", "The certificate is old.", { hint: "Renew it" }),
		"The certificate is old. Renew it",
	],
	[new AiServerError("http", "HTTP 500"), "HTTP 500"],
	[new Error("first line\n  second"), "first line second"],
	[new TypeError(""), "TypeError"],
	["text", "text"],
	[undefined, "undefined"],
	[new Error("\u001b[31mred\u001b[0m\u0007 and \u202ereversed"), "red and reversed"],
])("describes %o in one line", (error, line) => {
	expect(describeError(error)).toBe(line);
});

test("keeps its facts as data", () => {
	const cause = new Error("socket");
	const error = new AiServerError("http", "HTTP 502", { hint: "Start it", status: 502, cause });
	expect({ ...error, message: error.message, cause: error.cause }).toEqual({
		name: "AiServerError",
		code: "http",
		message: "HTTP 502",
		hint: "Start it",
		status: 502,
		cause,
	});
});

test.each([
	["a\u001b]0;title\u0007b", "ab"],
	["a\u001b]8;;http://x\u001b\\link", "alink"],
	["tab\tand\nline stay", "tab\tand\nline stay"],
	["nul\u0000 del\u007f c1\u0085", "nul  del  c1 "],
	["ünïcödé 🎉", "ünïcödé 🎉"],
])("strips what could steer a terminal from %j", (text, plain) => {
	expect(plainText(text)).toBe(plain);
});

test("knows an abort by its name", () => {
	expect(isAbort(AbortSignal.abort().reason)).toBe(true);
	expect(isAbort(AbortSignal.timeout(0).reason ?? new Error("x"))).toBe(false);
});
