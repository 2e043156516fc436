import { expect, test } from "vitest";
import {
	isLoadFailure,
	wordFailure,
	wordStatus,
	wordStreamFault,
} from "../../../lib/chat/error-text.ts";
import { AiServerError } from "../../../lib/errors.ts";

/** Without the joiners that keep pi from reading status numbers out of longer ones. */
const seen = (text: string): string => text.replaceAll("\u2060", "");

test.each<[number, string, string]>([
	[400, '{"error":{"message":"bad field"}}', "400: bad field"],
	[400, '{"detail":"bad field"}', "400: bad field"],
	[400, "plain words", "400: plain words"],
	[400, "", "400: the server said nothing more"],
	[
		404,
		'{"error":"model not found"}',
		"The server does not know the model m (model not found). Run /ai-server-refresh",
	],
	[
		404,
		"404 page not found",
		"The server has no chat here (404 page not found). Check AI_SERVER_URL",
	],
	[404, "", "The server has no chat here (404). Check AI_SERVER_URL"],
	[401, "", "The server wants another API key (401). Check AI_SERVER_API_KEY"],
	[
		403,
		'{"detail":"Invalid API key"}',
		"The server wants another API key (Invalid API key). Check AI_SERVER_API_KEY",
	],
	[429, "", "429: the server said nothing more"],
	[500, '{"error":{"message":"Compute error.","code":500}}', "500: Compute error."],
	[502, "", "502: the proxy answers, but llama-swap or the model behind it does not"],
	[502, "dial tcp: refused", "502: dial tcp: refused"],
	[503, '{"error":{"message":"Loading model"}}', "503: Loading model"],
	[
		500,
		'{"error":{"message":"image input is not supported"}}',
		"The model's server cannot take this request: image input is not supported. Go back before it with /tree, or give the model its mmproj file",
	],
	// llama-swap's own 500 is no fault of the request.
	[500, '{"src":"llama-swap","error":"template of the day"}', "500: template of the day"],
	[301, "", "The server redirects the chat elsewhere. Set AI_SERVER_URL to the address it ends at"],
])("%i with %j", (status, body, words) => {
	expect(seen(wordStatus(status, body, "m", undefined))).toBe(words);
});

test("the words of a server cannot move the cursor", () => {
	expect(wordStatus(400, '{"error":"a\\u001b[2Jb\\u202ec"}', "m", undefined)).not.toMatch(
		/[\u001b\u202e]/,
	);
	const fault = { message: "a\u001b[2Jb", type: undefined, code: undefined, fromProxy: false };
	expect(wordStreamFault(fault, "m", undefined)).toBe("Server error: ab");
});

test.each<[number, string, boolean]>([
	[
		500,
		'{"src":"llama-swap","error":"unspecific error: upstream command exited prematurely"}',
		true,
	],
	[502, "unable to start process: exit status 1", true],
	[500, '{"error":{"message":"Compute error."}}', false],
	[404, "failed to load", false],
	[500, "", false],
])("whether %i with %j is a failed load: %s", (status, body, is) => {
	expect(isLoadFailure(status, body)).toBe(is);
});

test("a failed load with and without its log", () => {
	const body = "unable to start process: exit status 1";
	const look = "Look at the model's log on the server";
	expect(wordStatus(502, body, "m", undefined)).toBe(
		`The model m could not be loaded (${body}). ${look}`,
	);
	expect(wordStatus(502, body, "m", "")).toBe(`The model m could not be loaded (${body}). ${look}`);
	expect(wordStatus(502, body, "m", "out of memory")).toBe(
		`The model m could not be loaded (${body}). Its log says: out of memory`,
	);
});

test.each([
	["network", "Connection error: gone. Try"],
	["timeout", "gone. Try"],
	["tls", "gone. Try"],
	["settings", "gone. Try"],
	["protocol", "gone. Try"],
] as const)("a fault of kind %s", (code, words) => {
	expect(wordFailure(new AiServerError(code, "gone", { hint: "Try" }))).toBe(words);
});

test("what is thrown otherwise is told in one line", () => {
	expect(wordFailure(new TypeError("two\nlines"))).toBe("two lines");
	expect(wordFailure("text")).toBe("text");
});
