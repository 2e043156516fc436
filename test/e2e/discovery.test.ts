import { readdir, readFile, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterEach, expect, test } from "vitest";
import { type Box, type BoxOptions, startBox } from "../../demo/box.ts";
import { boxEnv, cacheFolder, listedModels } from "../support/boxed.ts";
import { HOSTS } from "../support/hosts.ts";
import { listWhenKnown } from "../support/listing.ts";
import { type Isolated, isolate, runPi, startRpc } from "../support/pi.ts";

const open: { close(): Promise<unknown> }[] = [];
afterEach(async () => {
	for (const thing of open.splice(0).toReversed()) await thing.close();
});

async function boxed(
	options?: BoxOptions,
): Promise<{ readonly box: Box; readonly place: Isolated }> {
	const box = await startBox(options);
	const place = await isolate();
	open.push(box, { close: place.remove });
	return { box, place };
}

test.each(HOSTS)("pi %s lists the models with the context of the config", async (host) => {
	const { box, place } = await boxed();
	const rows = await listWhenKnown({ host, place, env: boxEnv(box) });
	expect(rows.toSorted()).toEqual([
		["MiniMax-M2.7-IQ3_XXS", "131.1K", "131.1K", "yes", "no"],
		["Qwen_Qwen3.6-35B-A3B-Q8_0", "262.1K", "262.1K", "yes", "no"],
		["mystery-7B", "32.8K", "32.8K", "no", "no"],
		["small-talk-1B", "65.5K", "65.5K", "no", "no"],
	]);
	expect(box.swap.starts()).toBe(0);
});

test.each(HOSTS)("pi %s: a running command's size wins over the config's", async (host) => {
	const { box, place } = await boxed({ tls: false });
	await fetch(`${box.url}/upstream/small-talk-1B/health`);
	const changed = (await readFile(box.configFile, "utf8")).replace("-c 65536", "-c 16384");
	await writeFile(box.configFile, changed); // llama-swap goes on with the old one
	const rows = await listWhenKnown({ host, place, env: boxEnv(box) });
	expect(rows.find(([id]) => id === "small-talk-1B")?.[1]).toBe("65.5K");
});

test.each(HOSTS)(
	"pi %s: no Authorization header unless a key is set, then that one",
	async (host) => {
		const { box, place } = await boxed();
		const args = ["--no-session", "--model", "ai-server/small-talk-1B", "-p", "Say hello"];
		const { stdout, code } = await runPi({ host, place, env: boxEnv(box), args });
		expect([stdout, code]).toEqual([expect.stringContaining("Hello from small-talk-1B"), 0]);
		expect(box.front.seen.map(({ path }) => path)).toContain("/v1/chat/completions");
		expect(box.front.seen.filter(({ headers }) => headers["authorization"] !== undefined)).toEqual(
			[],
		);

		const before = box.front.seen.length;
		const env = { ...boxEnv(box), AI_SERVER_API_KEY: "sk-test" };
		await runPi({ host, place, env, args });
		const sent = box.front.seen.slice(before).map(({ headers }) => headers["authorization"]);
		expect(new Set(sent)).toEqual(new Set(["Bearer sk-test"]));
	},
);

test.each(HOSTS)("pi %s: below a path of the proxy, and over plain http", async (host) => {
	const { box, place } = await boxed({ tls: false, prefix: "/ai" });
	expect(await listWhenKnown({ host, place, env: boxEnv(box) })).toHaveLength(4);
	expect(box.front.seen.every(({ path }) => path.startsWith("/ai/"))).toBe(true);
});

test.each(HOSTS)("pi %s keeps the list for an offline start, for its owner only", async (host) => {
	const { box, place } = await boxed();
	await listWhenKnown({ host, place, env: boxEnv(box) });
	const [file = ""] = await readdir(cacheFolder(place));
	expect((await stat(join(cacheFolder(place), file))).mode & 0o777).toBe(0o600);

	await box.front.close();
	const { stdout } = await runPi({ host, place, env: boxEnv(box), args: ["--list-models"] });
	expect(listedModels(stdout).find(([id]) => id === "small-talk-1B")?.[1]).toBe("65.5K");
	const rpc = startRpc({ host, place, env: boxEnv(box) });
	await expect
		.poll(() => rpc.notices().join("\n"))
		.toMatch(/ai-server: .*The list as it was a minute ago/);
	expect(await rpc.close()).toBe(0);
});

test.each(HOSTS)("pi %s: what SSH brings later replaces the remembered size", async (host) => {
	const { box, place } = await boxed();
	await listWhenKnown({ host, place, env: boxEnv(box) });
	const text = await readFile(box.configFile, "utf8");
	await writeFile(box.configFile, text.replace("-c 65536", "-c 49152"));
	const rpc = startRpc({
		host,
		place,
		env: boxEnv(box),
		args: ["--model", "ai-server/small-talk-1B"],
	});
	const window = async (): Promise<unknown> => {
		const { data } = (await rpc.send({ type: "get_state" })) as {
			data?: { model?: { contextWindow?: number } };
		};
		return data?.model?.contextWindow;
	};
	await expect.poll(window).toBe(49_152);
	await rpc.close();
});

test.each(HOSTS)("pi %s looks again when the kept list is older than ten minutes", async (host) => {
	const { box, place } = await boxed();
	const list = async (): Promise<readonly string[]> => {
		const run = await runPi({ host, place, env: boxEnv(box), args: ["--list-models"] });
		return listedModels(run.stdout).map(([id = ""]) => id);
	};
	await listWhenKnown({ host, place, env: boxEnv(box) });
	const text = await readFile(box.configFile, "utf8");
	await writeFile(box.configFile, `${text}  newcomer:\n    cmd: \${server} -c 4096\n`);
	box.swap.reload();
	expect(await list()).not.toContain("newcomer");
	const [name = ""] = await readdir(cacheFolder(place));
	const file = join(cacheFolder(place), name);
	const kept = JSON.parse(await readFile(file, "utf8")) as { seenAt: number };
	await writeFile(file, JSON.stringify({ ...kept, seenAt: kept.seenAt - 3_600_000 }));
	await expect.poll(list, { timeout: 50_000 }).toContain("newcomer");
});
