import { execFile } from "node:child_process";
import { cp, mkdir, readFile, symlink } from "node:fs/promises";
import { dirname, join } from "node:path";
import { promisify } from "node:util";
import { afterEach, beforeEach, expect, test } from "vitest";
import { type Box, startBox } from "../../demo/box.ts";
import { boxEnv } from "../support/boxed.ts";
import { HOSTS } from "../support/hosts.ts";
import { listWhenKnown } from "../support/listing.ts";
import { type Isolated, isolate, ROOT, runPi, startRpc } from "../support/pi.ts";

let box: Box;
let place: Isolated;
beforeEach(async () => {
	box = await startBox();
	place = await isolate();
});
afterEach(async () => {
	await box.close();
	await place.remove();
});

async function packedFiles(): Promise<readonly string[]> {
	const args = ["pack", "--dry-run", "--json", "--ignore-scripts", "--loglevel=error"];
	const { stdout } = await promisify(execFile)("npm", args, { cwd: ROOT });
	const parsed = JSON.parse(stdout) as unknown;
	const [report] = Object.values(parsed as Record<string, { files: { path: string }[] }>);
	return (report?.files ?? []).map(({ path }) => path).toSorted();
}

/** What a user gets who copies the packed files, with or without their packages. */
async function copyPacked(folder: string, modules: boolean): Promise<void> {
	for (const path of await packedFiles()) {
		await mkdir(dirname(join(folder, path)), { recursive: true });
		await cp(join(ROOT, path), join(folder, path));
	}
	if (modules) await symlink(join(ROOT, "node_modules"), join(folder, "node_modules"));
}

test("the package holds what runs, and nothing else", async () => {
	const files = await packedFiles();
	const own =
		/^(?:(?:index|config|messages|stream|admin|discovery)\.ts|(?:lib|commands|session|ui|discovery|admin|messages|stream)\/.+\.ts|package\.json|README\.md|CHANGELOG\.md|LICENSE)$/;
	expect(files.filter((path) => !own.test(path))).toEqual([]);
	expect(files).toContain("lib/http/client.ts");
	const { dependencies } = JSON.parse(await readFile(join(ROOT, "package.json"), "utf8")) as {
		dependencies: object;
	};
	expect(Object.keys(dependencies)).toEqual(["eventsource-parser", "ssh2", "undici", "yaml"]);
});

test.each(HOSTS)("pi %s loads the packed files from its extensions folder", async (host) => {
	await copyPacked(join(place.agentDir, "extensions", "ai-server"), true);
	const options = { host, place, env: boxEnv(box), extension: null, discover: true };
	expect(await listWhenKnown(options)).toHaveLength(4);
	const args = ["--no-session", "--model", "ai-server/small-talk-1B", "-p", "Say hello"];
	expect((await runPi({ ...options, args })).stdout).toContain("Hello from small-talk-1B");
});

test.each(HOSTS)("pi %s starts without the packages, and says what to run", async (host) => {
	const folder = join(place.folder, "copied");
	await copyPacked(folder, false);
	const rpc = startRpc({ host, place, env: boxEnv(box), extension: folder });
	await expect.poll(() => rpc.notices()).toHaveLength(1);
	expect(rpc.notices()[0]).toBe(
		`ai-server: The npm packages of ai-server are not installed. Run: npm install --omit=dev --prefix ${folder}. Built-in list; the server was never reached`,
	);
	await rpc.close();
});
