import { mkdtemp, readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { createJsonFile } from "../../lib/json-file.ts";

let folder: string;
beforeEach(async () => {
	folder = await mkdtemp(join(tmpdir(), "ai-server-json-"));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

test("writes a private file in a private folder, and reads it back", async () => {
	const path = join(folder, "deep", "list.json");
	const file = createJsonFile(path, 1);
	expect(await file.read()).toBeUndefined();
	await file.write({ a: [1] });
	expect(await file.read()).toEqual({ a: [1] });
	expect((await stat(path)).mode & 0o777).toBe(0o600);
	expect((await stat(join(folder, "deep"))).mode & 0o777).toBe(0o700);
	expect(await readdir(join(folder, "deep"))).toEqual(["list.json"]);
});

test("a file that holds no JSON is as good as none", async () => {
	const path = join(folder, "list.json");
	await writeFile(path, "{");
	expect(await createJsonFile(path, 1).read()).toBeUndefined();
});

test("a write that fails leaves the old file and no rest", async () => {
	const path = join(folder, "list.json");
	const file = createJsonFile(path, 1);
	await file.write("old");
	const circle: Record<string, unknown> = {};
	circle["self"] = circle;
	await expect(file.write(circle)).rejects.toThrow();
	expect(await readFile(path, "utf8")).toBe('"old"');
	expect(await readdir(folder)).toEqual(["list.json"]);
});
