import { expect, test } from "vitest";
import { bridgeTools, needsBridges } from "../../../../lib/chat/remedies/alternation.ts";

const roles = (...names: readonly string[]): { messages: { role: string }[] } => ({
	messages: names.map((role) => ({ role })),
});
const rolesOf = (request: Readonly<Record<string, unknown>>): readonly string[] =>
	(request["messages"] as readonly { role: string }[]).map(({ role }) => role);

test("an answer stands between a result and the user's next message", () => {
	const request = roles("user", "assistant", "tool", "tool", "user", "assistant", "tool", "user");
	expect(rolesOf(bridgeTools(request)).join(" ")).toBe(
		"user assistant tool tool assistant user assistant tool assistant user",
	);
	const plain = roles("user", "assistant", "tool", "assistant");
	expect(bridgeTools(plain)).toBe(plain);
});

test.each([
	["Jinja Exception: conversation roles must alternate user/assistant", true],
	["After the optional system message, roles must alternate", true],
	["The temperature must be at most 2", false],
])("%s", (message, expected) => {
	const refused = { status: 500, message, body: "" };
	expect(needsBridges({ ...refused, request: roles("assistant", "tool", "user") })).toBe(expected);
	expect(needsBridges({ ...refused, request: roles("user", "user") })).toBe(false);
});
