import { expect, test } from "vitest";
import { parseErrorBody } from "../../lib/error-body.ts";

const OVERFLOW =
	"request (5021 tokens) exceeds the available context size (4096 tokens), try increasing it";

test.each([
	["plain text (up to v217)", "unable to start process: x\n", "unable to start process: x", false],
	[
		"a string (v218 on)",
		'{"src":"llama-swap", "error": "model not found"}',
		"model not found",
		true,
	],
	["a string without a source", '{"error":"Too many requests"}', "Too many requests", false],
	[
		"a string that was never escaped (v218 to v224)",
		'{"src":"llama-swap", "error": "failed: \'{"a":"b"}\'"}',
		'failed: \'{"a":"b"}\'',
		true,
	],
	["text for a browser", "llama-swap: model not found", "model not found", true],
	[
		"an object (after v250)",
		'{"src":"llama-swap","error":{"message":"no","type":"server_error","param":null,"code":"x"}}',
		"no",
		true,
	],
	[
		"llama-server",
		`{"error":{"code":400,"message":"${OVERFLOW}","type":"exceed_context_size_error"}}`,
		OVERFLOW,
		false,
	],
	["llama_cpp.server", '{"detail":"Invalid API key"}', "Invalid API key", false],
	[
		"a validation list",
		'{"detail":[{"loc":["body"],"msg":"bad"}]}',
		'[{"loc":["body"],"msg":"bad"}]',
		false,
	],
	["an object without a message", '{"error":{"why":1}}', '{"why":1}', false],
	["other JSON", '{"status":"x"}', '{"status":"x"}', false],
])("reads %s", (_name, body, message, fromProxy) => {
	expect(parseErrorBody(body)).toMatchObject({ message, fromProxy });
});

test("an empty body says nothing", () => {
	expect(parseErrorBody(" \n")).toBeUndefined();
});
