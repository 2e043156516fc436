import { expect, test } from "vitest";
import { describeError } from "../../../../lib/errors.ts";
import { type Asked, statusFault } from "../../../../lib/llama-swap/api/http-error.ts";

const list: Asked = { what: "the model list", keySent: false };
const load: Asked = { what: "loading tiny", modelId: "tiny", keySent: true };

test.each<[number, string, Asked, string]>([
	[401, "", list, "The server wants an API key. Set AI_SERVER_API_KEY"],
	[401, "", load, "The server refused the API key. Check AI_SERVER_API_KEY"],
	[
		404,
		"404 page not found",
		list,
		"The server has no such page for the model list. Check AI_SERVER_URL",
	],
	[
		404,
		'{"src":"llama-swap","error":"model not found"}',
		load,
		"The server does not know the model tiny. Run /ai-server-refresh",
	],
	[
		301,
		"",
		{ ...list, location: "https://b/" },
		"The server redirects the model list to https://b/. Set AI_SERVER_URL",
	],
	[
		400,
		"Client sent an HTTP request to an HTTPS server.",
		list,
		"The server speaks TLS on this port. Write AI_SERVER_URL with https://",
	],
	[421, "", list, "The proxy does not serve this host name. AI_SERVER_URL must use the name"],
	[
		429,
		"Too many requests",
		load,
		"HTTP 429 for loading tiny: Too many requests. The model is busy",
	],
	[
		502,
		"",
		list,
		"The proxy answers, but llama-swap behind it does not (HTTP 502). Start llama-swap",
	],
	[
		502,
		"unable to start process: x",
		load,
		"HTTP 502 for loading tiny: unable to start process: x",
	],
	[
		500,
		'{"src":"llama-swap","error":"unspecific error: upstream command exited prematurely"}',
		load,
		"HTTP 500 for loading tiny: upstream command exited prematurely",
	],
	[503, "", list, "HTTP 503 for the model list"],
])("status %i with body %j", (status, body, asked, line) => {
	const fault = statusFault(status, body, asked);
	expect(describeError(fault)).toContain(line);
	expect(fault).toMatchObject({ code: "http", status });
});

test.each([
	['{"src":"llama-swap","error":"unspecific error: it exited"}', "it exited"],
	["the error: unspecific error: x", "the error: unspecific error: x"],
	["", undefined],
])("of the body %j the server's own words are kept", (body, said) => {
	expect(statusFault(500, body, load).said).toBe(said);
});

test("a long body is cut", () => {
	expect(statusFault(500, "x".repeat(5000), list).message.length).toBeLessThan(400);
});
