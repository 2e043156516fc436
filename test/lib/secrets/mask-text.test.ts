import { expect, test } from "vitest";
import { maskText } from "../../../lib/secrets/mask-text.ts";

test.each([
	[
		"unable to start process: start() failed for command 'srv --api-key S -c 4': fork/exec",
		"unable to start process: start() failed for command 'srv --api-key *** -c 4': fork/exec",
	],
	[
		`failed to start command 'docker run -eHF_TOKEN=S img --kw "{}"': no such file`,
		`failed to start command 'docker run -eHF_TOKEN=*** img --kw "{}"': no such file`,
	],
	["dial http://me:S@box:1/: refused", "dial http://me:***@box:1/: refused"],
	["curl: -H 'Authorization: Bearer S' failed", "curl: -H 'Authorization: Bearer ***' failed"],
	['wrong config {"api_key": "S", "n": 5}', 'wrong config {"api_key": "***", "n": 5}'],
])("a quoted command is without secrets: %s", (text, shown) => {
	expect(maskText(text)).toBe(shown);
});

test.each([
	"the request exceeds the available context size (n_prompt_tokens = 9000, n_ctx: 4096)",
	"This model's maximum context length is 4096 tokens: max_tokens=5, token=7",
	"server requires --jinja to use tools, and --api-key to be set",
	"unexpected token: '}' at 5",
	"no secret at all",
	"",
])("other errors stay: %s", (text) => {
	expect(maskText(text)).toBe(text);
});
