import { expect, test } from "vitest";
import {
	ChatError,
	draftFailure,
	draftStatus,
	draftStreamError,
	isLoadFailure,
} from "../../../../lib/chat/errors/error-text.ts";
import { fullText } from "../../../../lib/chat/errors/verdict.ts";
import { AiServerError, type Names } from "../../../../lib/errors.ts";

const NAMES: Names = { setting: (setting) => `$${setting}`, command: (name) => `/${name}` };
const status = (code: number, body: string, log?: string): string =>
	fullText(draftStatus(code, body, "m", { log }), NAMES);

test.each<[number, string, string]>([
	[400, '{"error":{"message":"bad field"}}', "400: bad field"],
	[400, '{"detail":"bad field"}', "400: bad field"],
	[400, "plain words", "400: plain words"],
	[400, "", "400: the server gave no reason"],
	[
		404,
		'{"error":"model not found"}',
		"The server does not know the model m (model not found). List the models again: /refresh",
	],
	[
		404,
		"404 page not found",
		"The server has no chat API at this URL (404 page not found). Check the URL ($url)",
	],
	[404, "", "The server has no chat API at this URL (404). Check the URL ($url)"],
	[401, "", "The server rejected the API key (401). Check the API key ($apiKey)"],
	[
		403,
		'{"detail":"Invalid API key"}',
		"The server rejected the API key (Invalid API key). Check the API key ($apiKey)",
	],
	[413, "", "413: the request is too large (context_length_exceeded)"],
	[413, "body limit", "413: body limit (context_length_exceeded)"],
	[
		421,
		"",
		"The proxy does not serve this host name (421). Use the name in its certificate ($url)",
	],
	[429, "", "429: the server gave no reason"],
	[500, '{"error":{"message":"Compute error.","code":500}}', "500: Compute error."],
	[502, "", "502: the proxy answers, but llama-swap or the model behind it does not"],
	[502, "dial tcp: refused", "502: dial tcp: refused"],
	[503, '{"error":{"message":"Loading model"}}', "503: Loading model"],
	[
		500,
		'{"error":{"message":"image input is not supported"}}',
		"The model's server rejected this request: image input is not supported. Go back before it with /tree, or give the model its mmproj file",
	],
	// llama-swap's own 500 is not about the request.
	[500, '{"src":"llama-swap","error":"template of the day"}', "500: template of the day"],
	[
		301,
		"",
		"The server redirects chat requests (301). Set the URL to the address that it redirects to ($url)",
	],
])("%i with %j", (code, body, words) => {
	expect(status(code, body)).toBe(words);
});

test.each(['{"error":"a\\u001b[2Jb\\u202ec"}', '{"error":"a\\u200bb\\u2060c\\ufeffd\\u00ade"}'])(
	"nothing invisible of a server's message is shown: %s",
	(body) => {
		expect(status(400, body)).not.toMatch(/[\p{Control}\p{Format}]/u);
	},
);

test.each<[string, string | number | undefined, string]>([
	["a\u001b[2Jb", undefined, "Server error: ab"],
	["slot crashed", 500, "500: slot crashed"],
	["no", "bad_request", "Server error: no"],
	[
		"Context size has been exceeded.",
		500,
		"Context size has been exceeded. (context_length_exceeded)",
	],
])("in a stream: %j with code %s", (message, code, words) => {
	const error = { message, type: undefined, code, fromProxy: false };
	expect(fullText(draftStreamError(error, "m", undefined))).toBe(words);
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
])("whether %i with %j is a failed load: %s", (code, body, is) => {
	expect(isLoadFailure(code, body)).toBe(is);
});

test("a failed load with and without its log", () => {
	const body = "unable to start process: exit status 1";
	const failed = `The model m could not be loaded (${body}).`;
	expect(status(502, body)).toBe(`${failed} Check the model's log on the server`);
	expect(status(502, body, "")).toBe(`${failed} Check the model's log on the server`);
	expect(status(502, body, "out of memory")).toBe(`${failed} Its log: out of memory`);
});

test.each([
	["network", "Connection error: gone. Try ($url)"],
	["timeout", "gone. Try ($url)"],
	["tls", "gone. Try ($url)"],
	["settings", "gone. Try ($url)"],
	["protocol", "gone. Try ($url)"],
] as const)("an error of kind %s", (code, words) => {
	const error = new AiServerError(code, "gone", { hint: "Try", setting: "url" });
	expect(fullText(draftFailure(error), NAMES)).toBe(words);
});

test("what is thrown otherwise is one line", () => {
	expect(fullText(draftFailure(new TypeError("two\nlines")))).toBe("two lines");
	expect(fullText(draftFailure("text"))).toBe("text");
	expect(fullText(draftFailure(new ChatError("two\nlines")))).toBe("two lines");
});
