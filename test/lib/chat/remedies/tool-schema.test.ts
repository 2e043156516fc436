import { expect, test } from "vitest";
import { culpritsOf, relaxTools } from "../../../../lib/chat/remedies/tool-schema.ts";

const tool = (name: string, properties: object): object => ({
	type: "function",
	function: { name, parameters: { type: "object", properties } },
});
const REQUEST = {
	tools: [
		tool("plain", { a: { type: "string" } }),
		tool("loose", { a: { type: "string", pattern: "\\d+" } }),
		tool("anchored", { a: { type: "string", pattern: "^a$", format: "date" } }),
		tool("long", { pattern: { type: "array", items: { type: "string", maxLength: 99_999 } } }),
	],
};
const blamed = (message: string, status = 400): unknown =>
	culpritsOf({ request: REQUEST, status, message, body: "" }).map(({ tool, keywords }) => [
		tool,
		...keywords,
	]);

test.each<[string, unknown]>([
	["Pattern must start with '^' and end with '$'", [["loose", "pattern"]]],
	["JSON schema conversion failed: Pattern must start with '^'", [["loose", "pattern"]]],
	[
		"Failed to initialize samplers: failed to parse grammar",
		[
			["loose", "pattern"],
			["anchored", "pattern", "format"],
			["long", "maxLength"],
		],
	],
	["Invalid schema for function 'long': maxLength is not permitted", [["long", "maxLength"]]],
	["Invalid schema for function 'anchored'", [["anchored", "pattern", "format"]]],
	["Unsupported format in json schema", [["anchored", "format"]]],
	[
		"Invalid schema for function 'plain'",
		[
			["loose", "pattern"],
			["anchored", "pattern", "format"],
			["long", "maxLength"],
		],
	],
	["The temperature must be at most 2", []],
])("%s", (message, expected) => {
	expect(blamed(message)).toEqual(expected);
});

test("an answer that is none has no culprit", () => {
	expect(
		culpritsOf({ request: {}, status: 400, message: "failed to parse grammar", body: "" }),
	).toEqual([]);
	expect(blamed("failed to parse grammar", 200)).toEqual([]);
});

test("what restricts a text is left out, at any depth; names and data stay", () => {
	const properties = {
		pattern: { type: "string", minLength: 1, pattern: "x", description: "d" },
		list: { type: "array", maxItems: 3, items: { anyOf: [{ format: "uri" }, { type: "null" }] } },
		choice: { enum: [{ pattern: "kept" }], default: { format: "kept" } },
	};
	const request = { tools: [tool("a", properties), tool("b", properties)], model: "m" };
	expect(relaxTools(request, new Set(["a"]))).toEqual({
		model: "m",
		tools: [
			tool("a", {
				pattern: { type: "string", description: "d" },
				list: { type: "array", items: { anyOf: [{}, { type: "null" }] } },
				choice: { enum: [{ pattern: "kept" }], default: { format: "kept" } },
			}),
			tool("b", properties),
		],
	});
	expect(relaxTools(request, new Set())).toBe(request);
});
