import { expect, test } from "vitest";
import { AiServerError } from "../../lib/errors.ts";
import { adminRig } from "../support/admin-rig.ts";

test("a redirect names where to", async () => {
	const { admin } = adminRig({
		answers: () => ({ status: 302, headers: { location: "https://login/" } }),
	});
	await expect(admin.listModels()).rejects.toThrow("redirects the model list to https://login/");
});

test("an abort and an error of the connection pass through as they are", async () => {
	const error = new AiServerError("network", "gone");
	await expect(adminRig({ answers: () => error }).admin.listModels()).rejects.toBe(error);
	const reason = new Error("stopped");
	const { admin } = adminRig({ answers: () => reason });
	await expect(admin.load("m", AbortSignal.abort(reason))).rejects.toBe(reason);
});
test("a key that is refused is not the same as one that is missing", async () => {
	const answers = () => ({ status: 401 });
	await expect(adminRig({ answers }).admin.listModels()).rejects.toThrow("requires an API key");
	await expect(adminRig({ answers, keySent: true }).admin.listModels()).rejects.toThrow(
		"refused the API key",
	);
});
