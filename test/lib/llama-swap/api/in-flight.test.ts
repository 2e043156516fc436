import { expect, test } from "vitest";
import type { JsonRecord } from "../../../../lib/json.ts";
import { type InFlight, nextInFlight } from "../../../../lib/llama-swap/api/in-flight.ts";

const after = (...changes: readonly JsonRecord[]): InFlight | undefined =>
	changes.reduce<InFlight | undefined>((known, data) => nextInFlight(known, data), undefined);
const request = (id: string, model: string): JsonRecord => ({ id, model });

test.each<[string, readonly JsonRecord[], number, readonly (readonly [string, number])[]]>([
	["a number (v192)", [{ total: 2 }], 2, []],
	[
		"a list (v235)",
		[{ requests: [request("1", "a"), request("2", "a"), request("3", "b")] }],
		3,
		[
			["a", 2],
			["b", 1],
		],
	],
	["an empty list (v235)", [{ requests: [] }], 0, []],
	["an empty snapshot (v240)", [{ operation: "snapshot" }], 0, []],
	[
		"a new request",
		[{ operation: "snapshot" }, { operation: "upsert", request: request("1", "a") }],
		1,
		[["a", 1]],
	],
	[
		"the same request again",
		[
			{ operation: "snapshot", requests: [request("1", "a")] },
			{ operation: "upsert", request: request("1", "a") },
		],
		1,
		[["a", 1]],
	],
	[
		"an end",
		[
			{ operation: "snapshot", requests: [request("1", "a"), request("2", "b")] },
			{ operation: "remove", id: "1" },
		],
		1,
		[["b", 1]],
	],
])("%s", (_name, changes, total, byModel) => {
	expect(after(...changes)).toMatchObject({ total, byModel: new Map(byModel) });
});

test.each<[string, readonly JsonRecord[]]>([
	["a change of an unknown list", [{ operation: "upsert", request: request("1", "a") }]],
	["an end in an unknown list", [{ operation: "remove", id: "1" }]],
	["an operation of a later version", [{ operation: "pause" }]],
	["something else", [{ other: 1 }]],
	["a request without an id", [{ operation: "snapshot" }, { operation: "upsert", request: {} }]],
])("%s is not understood", (_name, changes) => {
	expect(after(...changes)).toBeUndefined();
});

test("what a request reports of itself", () => {
	const known = after({
		requests: [
			{
				id: 8,
				model: "slow",
				req_path: "/v1/chat/completions",
				timestamp: "2026-11-21T02:41:55.919818495Z",
				elapsed_ms: 250,
				resp_bytes: 0,
				remote_ip: "192.0.2.7",
				req_headers: { "User-Agent": "curl/8" },
			},
		],
	});
	expect(known?.requests).toEqual([
		{
			id: "8",
			model: "slow",
			path: "/v1/chat/completions",
			startedAt: Date.UTC(2026, 10, 21, 2, 41, 55, 919),
			elapsedMs: 250,
			responseBytes: 0,
			clientAddress: "192.0.2.7",
			userAgent: "curl/8",
		},
	]);
});
