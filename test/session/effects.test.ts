import { mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { createEffects, installed } from "../../session/effects.ts";
import { settingsOf } from "../support/session-rig.ts";

test("each server has a file of its own for its list, in a folder that is made when needed", async () => {
	const root = await mkdtemp(join(tmpdir(), "ai-server-effects-"));
	onTestFinished(() => rm(root, { recursive: true }));
	const never = (): never => {
		throw new Error("no question in this test");
	};
	const effects = createEffects({
		home: "/home/me",
		env: {},
		localUser: "me",
		folder: join(root, "ai-server"),
		processId: 1,
		prompts: { askPassphrase: never, trustHost: never } as never,
	});
	const one = settingsOf();
	const other = settingsOf({ AI_SERVER_URL: "http://127.0.0.1:10" });
	expect(await effects.keptList(one).read()).toBeUndefined();
	expect(await readdir(root)).toEqual([]);
	await effects.keptList(one).write({ of: "one" });
	expect(await effects.keptList(other).read()).toBeUndefined();
	expect(await effects.keptList(one).read()).toEqual({ of: "one" });
	expect(await readdir(join(root, "ai-server"))).toEqual([
		expect.stringMatching(/^models-[0-9a-f]{16}\.json$/),
	]);
});

test("a package that is missing is a line with the command to type", async () => {
	await expect(
		installed(Promise.reject(new Error("Cannot find module 'undici'"))),
	).rejects.toMatchObject({
		code: "settings",
		message: "The npm packages of ai-server are not installed",
		hint: expect.stringMatching(/^Run: npm install --omit=dev --prefix \S/),
	});
	expect(await installed(Promise.resolve(5))).toBe(5);
});
