import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { createImportInTurn } from "../../lib/import-in-turn.ts";
import { ROOT } from "../support/pi.ts";

test("one import waits for the other, also for one that fails", async () => {
	const importInTurn = createImportInTurn();
	const gate = Promise.withResolvers<string>();
	const log: string[] = [];
	const first = importInTurn(() => {
		log.push("first");
		return gate.promise;
	});
	const second = importInTurn(async () => {
		log.push("second");
		return 2;
	});
	await new Promise((resolve) => setImmediate(resolve));
	expect(log).toEqual(["first"]);
	gate.reject(new Error("not there"));
	await expect(first).rejects.toThrow("not there");
	expect(await second).toBe(2);
	expect(log).toEqual(["first", "second"]);
});

test("no code of the extension is imported out of turn", () => {
	const files = [
		...readdirSync(ROOT).filter((name) => name.endsWith(".ts")),
		...["lib", "commands", "provider"].flatMap((folder) =>
			readdirSync(join(ROOT, folder), { recursive: true, encoding: "utf8" })
				.filter((name) => name.endsWith(".ts"))
				.map((name) => join(folder, name)),
		),
	];
	const escaped = files.flatMap((file) => {
		const code = readFileSync(join(ROOT, file), "utf8").replace(/`importInTurn[^`]*`/g, "");
		const own =
			code.match(/(?<!importInTurn\(\s*\(\) =>\s*)(?<!typeof )import\("\.[^"]*"\)/g) ?? [];
		return own.map((found) => `${file}: ${found}`);
	});
	expect(files.length).toBeGreaterThan(100);
	expect(escaped).toEqual([]);
});
