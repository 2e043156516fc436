import { expect, test } from "vitest";
import { serverRig, settingsOf } from "../support/session-rig.ts";

test("nothing is opened before its first use, and http only once", async () => {
	const { server, log } = serverRig();
	expect(log).toEqual([]);
	await server.admin.listModels();
	await server.admin.listRunning();
	expect(log).toEqual(["open http://127.0.0.1:9", "GET /v1/models", "GET /running"]);
});

test("the value carries the id, the names and the settings", () => {
	const settings = settingsOf();
	const { server } = serverRig(settings);
	expect([server.id, server.settings]).toEqual(["ai-server", settings]);
	expect(server.names.command("load")).toBe("/ai-server-load");
});

test("closing ends what was opened, and what is under way hears of it", async () => {
	const { server, log } = serverRig(settingsOf({ AI_SERVER_SSH_HOST: "demo@box" }));
	await server.admin.listModels();
	await server.admin.readPreset().catch(() => undefined);
	expect(server.closed.aborted).toBe(false);
	await server.close();
	expect(server.closed.aborted).toBe(true);
	expect(log).toEqual([
		"open http://127.0.0.1:9",
		"GET /v1/models",
		"open box",
		"close ssh",
		"close http",
	]);
});

test.each([
	["AI_SERVER_URL", "nonsense", "listModels"],
	["AI_SERVER_SSH_HOST", "a b", "readPreset"],
	["AI_SERVER_SERVICE_UNIT", "a b", "restart"],
	["AI_SERVER_SERVICE_SCOPE", "everything", "reloadBySignal"],
] as const)("an unusable %s is the error of what needs it", async (name, value, method) => {
	const settings = settingsOf({ AI_SERVER_SSH_HOST: "demo@box", [name]: value });
	expect(settings.problems).toHaveLength(1);
	const { server, log } = serverRig(settings);
	await expect(server.admin[method]()).rejects.toBe(settings.problems[0]);
	expect(log).toEqual([]);
});

test("without SSH the list does without the config file, and a command reports why", async () => {
	const { server, log } = serverRig();
	const { models, warnings } = await server.catalog.refresh();
	expect([models.map(({ id }) => id), warnings]).toEqual([["m"], []]);
	expect(log.some((line) => line.includes("ssh"))).toBe(false);
	await expect(server.admin.readPreset()).rejects.toMatchObject({
		code: "settings",
		settings: ["sshHost"],
	});
});
