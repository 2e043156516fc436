import { expect, test } from "vitest";
import { ageNote } from "../../discovery/warnings.ts";
import { fallbackDiscovery } from "../../discovery.ts";

const MINUTE = 60_000;

test.each([
	[MINUTE, "a minute"],
	[30 * MINUTE, "30 minutes"],
	[5 * 60 * MINUTE, "5 hours"],
	[72 * 60 * MINUTE, "3 days"],
])("%i ms are %s", (elapsed, words) => {
	const kept = { ...fallbackDiscovery(), source: "cache", seenAt: 0 } as const;
	expect(ageNote(kept, elapsed)).toBe(`The list as it was ${words} ago`);
});

test("the built-in list has no age", () => {
	expect(ageNote(fallbackDiscovery(), 0)).toBe("Built-in list; the server was never reached");
});
