import { expect, test } from "vitest";
import { modelPath } from "../../../../lib/llama-swap/api/paths.ts";

test.each([
	["tiny", "/upstream/tiny/health"],
	["author/model:q4", "/upstream/author/model%3Aq4/health"],
	["a b?c#d%e", "/upstream/a%20b%3Fc%23d%25e/health"],
	["$&", "/upstream/%24%26/health"],
	["../../etc", "/upstream/../../etc/health"],
])("puts %j into the path", (id, path) => {
	expect(modelPath("/upstream/<id>/health", id)).toBe(path);
});
