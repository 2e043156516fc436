import { expect, test } from "vitest";
import { AiServerError } from "../../lib/errors.ts";
import { adminRig, sent } from "../support/admin-rig.ts";

test.each([
	['{"version":"v250","commit":"x"}', "v250"],
	['{"version":5}', undefined],
	["404 page not found", undefined],
])("the version in %s", async (body, version) => {
	const { admin, asked } = adminRig({ answers: () => ({ body }) });
	expect([await admin.version(), sent(asked)]).toEqual([version, ["GET /api/version"]]);
});

test("a version that cannot be had is unknown, and an abort is an abort", async () => {
	const { admin } = adminRig({ answers: () => new AiServerError("network", "gone") });
	expect(await admin.version()).toBeUndefined();
	const reason = new Error("stopped");
	await expect(admin.version(AbortSignal.abort(reason))).rejects.toBe(reason);
});

test.each([401, 403, 404])(
	"a restart is over with any answer of llama-swap, %i too",
	async (status) => {
		const { admin, asked } = adminRig({ exec: () => ({}), answers: () => ({ status }) });
		await admin.restart();
		expect(sent(asked)).toEqual(["GET /health"]);
	},
);

test("a proxy without llama-swap behind it is no such answer", async () => {
	const statuses = [502, 503, 200];
	const { admin, asked } = adminRig({
		exec: () => ({}),
		answers: () => ({ status: statuses.shift() ?? 200 }),
	});
	await admin.restart();
	expect(asked).toHaveLength(3);
});

test("a reload is one command, a restart is over when the server answers", async () => {
	const { admin, asked, executed } = adminRig({ exec: () => ({}) });
	await admin.reloadBySignal();
	expect(executed).toEqual([expect.stringContaining("kill")]);
	await admin.restart();
	expect(executed[1]).toContain("restart");
	expect(sent(asked)).toEqual(["GET /health"]);
});
