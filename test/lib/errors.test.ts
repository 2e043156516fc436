import { expect, test } from "vitest";
import { AiServerError, describeError, isAbort } from "../../lib/errors.ts";

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
	const error = new AiServerError("http", "HTTP 502", {
		hint: "Start it",
		setting: "url",
		command: "restart",
		status: 502,
		said: "down",
		cause,
	});
	expect({ ...error, message: error.message, cause: error.cause }).toEqual({
		name: "AiServerError",
		code: "http",
		message: "HTTP 502",
		hint: "Start it",
		settings: ["url"],
		command: "restart",
		status: 502,
		said: "down",
		cause,
	});
});

const NAMES = { setting: (name: string) => `<${name}>`, command: (name: string) => `/box-${name}` };

test.each([
	[{ hint: "Check the URL", setting: "url" }, "Gone. Check the URL (<url>)"],
	[
		{ hint: "Check both", setting: ["serviceUnit", "serviceScope"] },
		"Gone. Check both (<serviceUnit>, <serviceScope>)",
	],
	[
		{ hint: "List the models again", command: "refresh" },
		"Gone. List the models again: /box-refresh",
	],
	[{ hint: "Check <url> there", setting: "url" }, "Gone. Check <url> there"],
	[{ setting: "url" }, "Gone"],
] as const)("the hint %j names what it is about", (facts, line) => {
	expect(describeError(new AiServerError("network", "Gone", facts), NAMES)).toBe(line);
});

test("knows an abort by its name", () => {
	expect(isAbort(AbortSignal.abort().reason)).toBe(true);
	expect(isAbort(AbortSignal.timeout(0).reason ?? new Error("x"))).toBe(false);
});
