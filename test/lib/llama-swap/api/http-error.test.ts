import { expect, test } from "vitest";
import { ENVIRONMENT_NAMES } from "../../../../config.ts";
import { describeError } from "../../../../lib/errors.ts";
import { type Asked, statusError } from "../../../../lib/llama-swap/api/http-error.ts";

const list: Asked = { what: "the model list", keySent: false };
const load: Asked = { what: "loading tiny", modelId: "tiny", keySent: true };

test.each<[number, string, Asked, string]>([
	[401, "", list, "The server requires an API key. Set one (AI_SERVER_API_KEY)"],
	[401, "", load, "The server refused the API key. Check the key (AI_SERVER_API_KEY)"],
	[
		404,
		"404 page not found",
		list,
		"The server has no such page for the model list. Check the URL, and the paths if you set any (AI_SERVER_URL, AI_SERVER_..._PATH)",
	],
	[
		404,
		'{"src":"llama-swap","error":"model not found"}',
		load,
		"The server does not know the model tiny. List the models again: /ai-server-refresh",
	],
	[
		301,
		"",
		{ ...list, location: "https://b/" },
		"The server redirects the model list to https://b/. Set the URL to the address it ends at; redirects are not followed (AI_SERVER_URL)",
	],
	[
		400,
		"Client sent an HTTP request to an HTTPS server.",
		list,
		"The server speaks TLS on this port. Write the URL with https:// (AI_SERVER_URL)",
	],
	[
		421,
		"",
		list,
		"The proxy does not serve this host name. Use the name in the proxy's certificate, not an IP address, in the URL (AI_SERVER_URL)",
	],
	[
		429,
		"Too many requests",
		load,
		"HTTP 429 for loading tiny: Too many requests. The model is busy",
	],
	[
		429,
		"slow down",
		list,
		"HTTP 429 for the model list: slow down. The server or its proxy limits requests; try again in a moment",
	],
	[
		403,
		"<html><title>403 Forbidden</title></html>",
		list,
		"The proxy refuses access to the model list (HTTP 403). Check the access rules of the proxy for this client",
	],
	[
		401,
		"",
		{ ...list, challenge: 'Basic realm="box"' },
		"The proxy asks for a user name and a password, which ai-server does not send. Let the proxy accept the client certificate or an API key instead",
	],
	[
		401,
		"",
		{ ...list, challenge: "Bearer" },
		"The server requires an API key. Set one (AI_SERVER_API_KEY)",
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
	const error = statusError(status, body, asked);
	expect(describeError(error, ENVIRONMENT_NAMES)).toContain(line);
	expect(error).toMatchObject({ code: "http", status });
});

test.each([
	['{"src":"llama-swap","error":"unspecific error: it exited"}', "it exited"],
	["the error: unspecific error: x", "the error: unspecific error: x"],
	["", undefined],
])("of the body %j the server's own words are kept", (body, said) => {
	expect(statusError(500, body, load).said).toBe(said);
});

test("a long body is cut", () => {
	expect(statusError(500, "x".repeat(5000), list).message.length).toBeLessThan(400);
});
