import { expect, test } from "vitest";
import { parseJson, recordOf } from "../../../../lib/json.ts";
import { type Activity, readActivity } from "../../../../lib/llama-swap/api/activity.ts";
import { readRecords } from "../../../support/records.ts";

async function recorded(era: string, path: string): Promise<readonly Activity[]> {
	const { exchanges } = await readRecords(`llama-swap-${era}`);
	const bodies = exchanges.filter(
		({ status, request }) => status === 200 && request.path.split("?")[0] === path,
	);
	return bodies.flatMap(({ body }) => {
		const parsed = parseJson(body);
		const list: unknown = Array.isArray(parsed) ? parsed : recordOf(parsed)?.["data"];
		return Array.isArray(list) ? list.flatMap((entry) => readActivity(entry) ?? []) : [];
	});
}

test.each([
	["v217", "/api/metrics"],
	["v250", "/api/metrics/activity"],
])("%s: what %s has measured", async (era, path) => {
	const entries = await recorded(era, path);
	const answered = entries.filter(
		({ status, outputTokens = 0 }) => status === 200 && outputTokens > 0,
	);
	expect(answered.length).toBeGreaterThan(0);
	for (const { model, endedAt, durationMs, path: asked } of answered) {
		expect([typeof model, typeof durationMs, typeof asked]).toEqual(["string", "number", "string"]);
		expect(new Date(endedAt ?? 0).getUTCFullYear()).toBe(2026);
	}
});

test("-1 is no number, and what is no entry is left out", () => {
	const tokens = { input_tokens: -1, output_tokens: 5, tokens_per_second: -1 };
	expect(readActivity({ id: 0, tokens, duration_ms: 12, timestamp: "yesterday" })).toEqual({
		id: 0,
		outputTokens: 5,
		durationMs: 12,
		hasCapture: false,
	});
	expect([readActivity({}), readActivity(5), readActivity({ id: "1" })]).toEqual([
		undefined,
		undefined,
		undefined,
	]);
});
