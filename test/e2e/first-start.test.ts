import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterEach, expect, test } from "vitest";
import { type Box, startBox } from "../../demo/box.ts";
import { boxEnv, listedModels } from "../support/boxed.ts";
import { type Delayed, type DelayOptions, delayed } from "../support/delayed.ts";
import { HOSTS } from "../support/hosts.ts";
import { type Isolated, isolate, type PiResult, runPi, startRpc } from "../support/pi.ts";

const open: { close(): Promise<unknown> }[] = [];
afterEach(async () => {
	for (const thing of open.splice(0).toReversed()) await thing.close();
});

interface Rig {
	readonly box: Box;
	readonly ssh: Delayed;
	readonly place: Isolated;
	readonly env: Readonly<Record<string, string>>;
}

/** A box whose SSH is behind a line of its own. */
async function boxed(options: DelayOptions): Promise<Rig> {
	const box = await startBox();
	const place = await isolate();
	const ssh = await delayed(box.ssh.port, options);
	open.push(box, { close: place.remove }, ssh);
	const known = join(box.home, ".ssh", "known_hosts");
	const text = await readFile(known, "utf8");
	await writeFile(known, text.replaceAll(`:${box.ssh.port} `, `:${ssh.port} `));
	const env = { ...boxEnv(box), AI_SERVER_SSH_HOST: `demo@127.0.0.1:${ssh.port}` };
	return { box, ssh, place, env };
}

const window = ({ stdout }: PiResult): string | undefined =>
	listedModels(stdout).find(([id]) => id === "small-talk-1B")?.[1];

const LATE =
	/^Warning: ai-server: The server's config has not come over SSH in time\. Context windows that may be wrong: [^\n]+\n$/;

test.each(HOSTS)(
	"pi %s: the first list has the windows, the second costs nothing",
	async (host) => {
		const { box, ssh, place, env } = await boxed({ roundTripMs: 60 });
		const list = { host, place, env, args: ["--list-models"] };
		const first = await runPi(list);
		expect([window(first), first.stderr]).toEqual(["65.5K", ""]);
		const asked = box.front.seen.length;
		const second = await runPi(list);
		expect([window(second), second.stderr]).toEqual(["65.5K", ""]);
		expect([ssh.connections(), box.front.seen.length]).toEqual([1, asked]);
	},
);

test.each(HOSTS)(
	"pi %s: a list that SSH is too late for says so, and is asked for again",
	async (host) => {
		const { ssh, place, env } = await boxed({ held: true });
		const list = { host, place, env, args: ["--list-models"] };
		const late = await runPi(list);
		expect([window(late), late.code]).toEqual(["32.8K", 0]);
		expect(late.stderr).toMatch(LATE);
		ssh.release();
		const next = await runPi(list);
		expect([window(next), next.stderr]).toEqual(["65.5K", ""]);
	},
);

test.each(HOSTS)("pi %s: so does a printed answer, which is given all the same", async (host) => {
	const { place, env } = await boxed({ held: true });
	const args = ["--no-session", "--model", "ai-server/small-talk-1B", "-p", "Say hello"];
	const { stdout, stderr, code } = await runPi({ host, place, env, args });
	expect([stdout, code]).toEqual([expect.stringContaining("Hello from small-talk-1B"), 0]);
	expect(stderr).toMatch(LATE);
});

test.each(HOSTS)("pi %s: rpc does not wait for SSH, and has what it brings", async (host) => {
	const { ssh, place, env } = await boxed({ held: true });
	const rpc = startRpc({ host, place, env, args: ["--model", "ai-server/small-talk-1B"] });
	const size = async (): Promise<unknown> => {
		const { data } = (await rpc.send({ type: "get_state" })) as {
			data?: { model?: { contextWindow?: number } };
		};
		return data?.model?.contextWindow;
	};
	expect(await size()).toBe(32_768);
	ssh.release();
	await expect.poll(size).toBe(65_536);
	expect(await rpc.close()).toBe(0);
	// What came while it ran is kept.
	const listed = await runPi({ host, place, env, args: ["--list-models"] });
	expect([window(listed), listed.stderr]).toEqual(["65.5K", ""]);
});
