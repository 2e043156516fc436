import { expect, test } from "vitest";
import { EXTENSIONS } from "../../../../lib/chat/dialect.ts";
import { unknownFields } from "../../../../lib/chat/remedies/unknown-fields.ts";
import { WORDS_FOR_UNKNOWN } from "../../../support/strict.ts";

const REQUEST = {
	model: "m",
	messages: [],
	stream: true,
	tools: [],
	stream_options: {},
	temperature: 1,
	top_k: 20,
	stop: "x",
	...Object.fromEntries(EXTENSIONS.map((name) => [name, 1])),
};
const named = (body: string, status = 400, request: object = REQUEST): readonly string[] =>
	unknownFields({ request: { ...request }, status, message: body, body });

test.each(Object.entries(WORDS_FOR_UNKNOWN))(
	"a field of the user's in the words of %s",
	(_who, word) => {
		const { status = 200, body } = word("top_k");
		expect(named(String(body), status)).toEqual(["top_k"]);
	},
);

test.each(Object.entries(WORDS_FOR_UNKNOWN))(
	"a field of llama.cpp takes the others along: %s",
	(_who, word) => {
		const { status = 200, body } = word("cache_prompt");
		expect([...named(String(body), status)].toSorted()).toEqual([...EXTENSIONS].toSorted());
	},
);

test.each<[string, string, number, readonly string[]]>([
	["Anthropic", "top_k: Extra inputs are not permitted", 400, ["top_k"]],
	["Go", 'json: unknown field "top_k"', 400, ["top_k"]],
	["JSON Schema", "Additional properties are not allowed ('top_k' was unexpected)", 400, ["top_k"]],
	["Cerebras", "body.top_k: property 'body.top_k' is unsupported", 400, ["top_k"]],
	[
		"two",
		"Unrecognized request arguments supplied: top_k, stream_options",
		400,
		["stream_options", "top_k"],
	],
	["a plain word in quotes", "Unknown parameter: 'temperature'.", 400, ["temperature"]],
	["a plain word of a sentence", "Unknown error: please stop", 400, []],
	["a value", "The temperature must be at most 2", 400, []],
	["another status", "property 'top_k' is unsupported", 500, []],
	["what the request cannot go without", "property 'messages' is unsupported", 400, []],
	["a field that was not sent", "property 'min_p' is unsupported", 400, []],
])("%s", (_who, body, status, expected) => {
	expect([...named(body, status)].toSorted()).toEqual(expected);
});
