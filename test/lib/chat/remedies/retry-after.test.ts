import { expect, test } from "vitest";
import { waitAskedFor } from "../../../../lib/chat/remedies/retry-after.ts";

const NOW = Date.parse("2026-11-28T12:00:00Z");

test.each<[number, string | undefined, number | undefined]>([
	[429, "2", 2000],
	[503, "1.5", 1500],
	[429, "0", 500],
	[503, "Sat, 28 Nov 2026 12:00:07 GMT", 7000],
	[503, "Sat, 28 Nov 2026 11:00:00 GMT", 500],
	[429, "60", 60_000],
	[429, "61", undefined],
	[429, "soon", undefined],
	[429, "", undefined],
	[429, undefined, undefined],
	[500, "2", undefined],
	[200, "2", undefined],
])("%i with Retry-After %j", (status, asked, expected) => {
	const headers: Record<string, string> = asked === undefined ? {} : { "retry-after": asked };
	expect(waitAskedFor({ status, headers }, 60_000, NOW)).toBe(expected);
});
