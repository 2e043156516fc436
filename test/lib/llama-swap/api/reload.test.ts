import { expect, test } from "vitest";
import { reloadMethod } from "../../../../lib/llama-swap/api/reload.ts";

test.each([
	["v205", "signal"],
	["v250", "signal"],
	["205", "signal"],
	["v204", "restart"],
	["v94", "restart"],
	["local_a1b2c3", "restart"],
	["v250-dirty", "restart"],
	["", "restart"],
	[undefined, "restart"],
])("llama-swap %s reads its config by a %s", (version, method) => {
	expect(reloadMethod(version)).toBe(method);
});
