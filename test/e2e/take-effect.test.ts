import { readdir, readFile, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { expect, type TestContext, test } from "vitest";
import { type Box, type BoxOptions, startBox } from "../../demo/box.ts";
import { DEMO_CONFIG } from "../../demo/home.ts";
import type { Host } from "../../hosts/hosts.ts";
import { boxEnv } from "../support/boxed.ts";
import { HOSTS } from "../support/hosts.ts";
import { isolate, type PiResult, type Rpc, runPi, startRpc } from "../support/pi.ts";
import { findOpenSsh, makeKey, type SshdOptions, startSshd } from "../support/sshd.ts";
import { typed } from "../support/typed.ts";

// Most of it is waiting for the server to take a config over, so the tests wait together.
type Scope = Pick<TestContext, "onTestFinished">;

async function boxOf({ onTestFinished }: Scope, options: BoxOptions = {}): Promise<Box> {
	const box = await startBox(options);
	onTestFinished(box.close);
	return box;
}

async function start(
	{ onTestFinished }: Scope,
	host: Host,
	box: Box,
	env: Record<string, string> = {},
): Promise<Rpc> {
	const place = await isolate();
	onTestFinished(place.remove);
	const client = startRpc({ host, place, env: { ...boxEnv(box), ...env } });
	onTestFinished(async () => void (await client.close()));
	return client;
}

async function print(
	{ onTestFinished }: Scope,
	host: Host,
	box: Box,
	command: string,
): Promise<PiResult> {
	const place = await isolate();
	onTestFinished(place.remove);
	return runPi({ host, place, env: boxEnv(box), args: ["--no-session", "-p", command] });
}

const config = (box: Box): Promise<string> => readFile(box.configFile, "utf8");
const SMALLER = DEMO_CONFIG.replace("-c 65536", "-c 32768");
/** What llama-swap does not take, and nobody notices as long as it does not read it again. */
const SPOILT = `${DEMO_CONFIG}  odd-one:\n    cmd: llama-server --port 8080\n`;
const READY = /^small-talk-1B is ready with 32768 tokens of context/;
const CTX = "/ai-server-ctx small-talk-1B 32k";

test.concurrent.for(HOSTS)(
	"pi %s: a config that is rejected is put back, with the reason",
	async (host, scope) => {
		const box = await boxOf(scope, { watchConfig: true });
		await writeFile(box.configFile, SPOILT);
		await expect.poll(box.swap.journal).toContain("failed to reload config");
		const client = await start(scope, host, box);
		await typed(client, CTX, [true]);
		expect(client.notices().at(-1)).toMatch(
			/^llama-swap rejected the config with 32768 tokens for small-talk-1B: failed to reload config: .*odd-one.* The old config was restored$/,
		);
		expect(await config(box)).toBe(SPOILT);
		await typed(client, "/ai-server-load small-talk-1B");
		expect(client.notices().at(-1)).toMatch(/^small-talk-1B is ready/);
	},
);

test.concurrent.for(HOSTS)(
	"pi %s: and so where the server has to be told to read it",
	async (host, scope) => {
		const box = await boxOf(scope);
		await writeFile(box.configFile, SPOILT);
		const client = await start(scope, host, box);
		await typed(client, CTX, [true, true]);
		expect(client.notices().at(-1)).toMatch(
			/^llama-swap rejected the config with 32768 .*odd-one.* The old config was restored$/,
		);
		expect(await config(box)).toBe(SPOILT);
	},
);

test.concurrent.for(HOSTS)(
	"pi %s: a server that watches its config is told nothing",
	async (host, scope) => {
		const box = await boxOf(scope, { watchConfig: true });
		const client = await start(scope, host, box);
		const questions = await typed(client, CTX, [true]);
		expect(client.notices().at(-1)).toMatch(READY);
		expect(questions).toHaveLength(1);
		expect([box.swap.hangUps(), await config(box)]).toEqual([0, SMALLER]);
		expect(box.swap.journal()).not.toMatch(/listening[\s\S]*listening/);
	},
);

test.concurrent.for(HOSTS)(
	"pi %s does without the server's events, when it watches or not",
	async (host, scope) => {
		const blocked = ["/api/events"];
		const watching = await boxOf(scope, { watchConfig: true, blocked });
		const first = await start(scope, host, watching);
		await typed(first, CTX, [true]);
		expect(first.notices().at(-1)).toMatch(READY);
		expect([watching.swap.hangUps(), await config(watching)]).toEqual([0, SMALLER]);

		const told = await boxOf(scope, { blocked });
		const second = await start(scope, host, told);
		const [, question] = await typed(second, CTX, [true, true]);
		expect(question).toMatch(/^Make llama-swap reload its config\? .*does not watch its config/);
		expect(second.notices().at(-1)).toMatch(READY);
		expect([told.swap.hangUps(), await config(told)]).toEqual([1, SMALLER]);
	},
);

test.concurrent.for(HOSTS)(
	"pi %s never signals a llama-swap that would end of it",
	async (host, scope) => {
		const box = await boxOf(scope, { version: 204 });
		const client = await start(scope, host, box);
		const [edit, restart] = await typed(client, CTX, [true, false]);
		expect(edit).toMatch(/^Context of small-talk-1B: 65536 → 32768\?/);
		expect(restart).toMatch(/^Restart llama-swap to reload its config\?/);
		expect(client.notices().at(-1)).toMatch(/not active yet; run \/ai-server-restart/);
		expect([box.swap.hangUps(), await config(box)]).toEqual([0, SMALLER]);

		await typed(client, "/ai-server-ctx small-talk-1B 16k", [true, true]);
		expect(client.notices().at(-1)).toMatch(/^small-talk-1B is ready with 16384 tokens of context/);

		await typed(client, "/ai-server-ctx small-talk-1B 2m", [true, true]);
		expect(client.notices().at(-1)).toMatch(
			/^small-talk-1B does not start with 2097152 tokens: .*out of memory.* The old config was restored and small-talk-1B was loaded again$/,
		);
		expect(await config(box)).toBe(DEMO_CONFIG.replace("-c 65536", "-c 16384"));
		await typed(client, "/ai-server-load small-talk-1B");
		expect(client.notices().at(-1)).toMatch(/^small-talk-1B is ready/);
		expect(box.swap.hangUps()).toBe(0);
		box.swap.hangUp();
		expect(box.swap.states()).toEqual({}); // it would have ended
	},
);

test.concurrent.for(HOSTS)(
	"pi %s in print mode changes a size with --yes only",
	async (host, scope) => {
		const box = await boxOf(scope);
		const refused = await print(scope, host, box, CTX);
		expect([refused.code, refused.stdout]).toEqual([1, ""]);
		expect(refused.stderr).toMatch(/--yes\n$/);
		expect(await config(box)).toBe(DEMO_CONFIG);
		const done = await print(scope, host, box, `${CTX} --yes`);
		expect([done.code, done.stdout]).toEqual([0, expect.stringMatching(READY)]);
		expect([box.swap.hangUps(), await config(box)]).toEqual([1, SMALLER]);
		const failed = await print(scope, host, box, "/ai-server-ctx small-talk-1B 2m --yes");
		expect([failed.code, failed.stdout]).toEqual([1, ""]);
		expect(failed.stderr).toMatch(
			/out of memory.* The old config was restored and small-talk-1B was loaded again\n$/,
		);
		expect(await config(box)).toBe(SMALLER);
	},
);

test.concurrent("a server that does not come back from a restart: its log tells why", async (scope) => {
	// Half a minute of waiting each, so the hosts wait together.
	await Promise.all(
		HOSTS.map(async (host) => {
			const box = await boxOf(scope);
			await writeFile(box.configFile, SPOILT);
			const { code, stdout, stderr } = await print(scope, host, box, "/ai-server-restart --yes");
			expect([code, stdout]).toEqual([1, ""]);
			expect(stderr).toMatch(
				/^Error: llama-swap\.service was restarted, but does not answer after 30 s\. Its log says: .*ERROR failed to load config .*odd-one/m,
			);
			await writeFile(box.configFile, DEMO_CONFIG);
			const mended = await print(scope, host, box, "/ai-server-restart --yes");
			expect(mended.stdout).toMatch(/^llama-swap is back/);
		}),
	);
});

const openSsh = await findOpenSsh();

interface OnSshd {
	readonly box: Box;
	readonly client: Rpc;
}

/** A box whose config is reached through OpenSSH's own sshd, and pi on it. */
async function onSshd(scope: Scope, host: Host, options: SshdOptions): Promise<OnSshd> {
	const box = await boxOf(scope, { watchConfig: true });
	const sshd = await startSshd(openSsh?.sshd ?? "", options);
	scope.onTestFinished(sshd.close);
	const folder = join(box.home, ".ssh");
	await sshd.authorize(await makeKey(join(folder, "id_ecdsa"), { type: "ecdsa" }));
	const known = `[127.0.0.1]:${sshd.port} ${await sshd.hostKey("ed25519")}\n`;
	await writeFile(join(folder, "known_hosts"), known);
	const client = await start(scope, host, box, {
		AI_SERVER_SSH_HOST: `${sshd.user}@127.0.0.1:${sshd.port}`,
		AI_SERVER_PRESET_PATH: box.configFile,
	});
	return { box, client };
}

test.runIf(openSsh !== undefined).concurrent.for(HOSTS)(
	"pi %s reads and writes the config through OpenSSH's server",
	async (host, scope) => {
		const { box, client } = await onSshd(scope, host, {});
		await typed(client, "/ai-server-preset");
		expect(client.notices().at(-1)).toBe(DEMO_CONFIG.trimEnd());
		await typed(client, CTX, [true]);
		expect(client.notices().at(-1)).toMatch(READY);
		expect(await config(box)).toBe(SMALLER);
		const beside = await readdir(dirname(box.configFile));
		const [backup = "", ...more] = beside.filter((name) => name !== "config.yaml");
		expect([backup, more]).toEqual([expect.stringMatching(/^config\.yaml\.bak-/), []]);
		expect(await readFile(join(dirname(box.configFile), backup), "utf8")).toBe(DEMO_CONFIG);

		await typed(client, "/ai-server-ctx small-talk-1B 2m", [true]);
		expect(client.notices().at(-1)).toMatch(
			/out of memory.* The old config was restored and small-talk-1B was loaded again$/,
		);
		expect(await config(box)).toBe(SMALLER);
		expect(box.ssh.logins()).toBe(0);
	},
);

test.runIf(openSsh !== undefined).concurrent.for(HOSTS)(
	"pi %s shows the config where there is no SFTP, but writes nothing and names the line for sshd_config",
	async (host, scope) => {
		const { box, client } = await onSshd(scope, host, { sftp: undefined });
		await typed(client, "/ai-server-preset");
		expect(client.notices().at(-1)).toBe(DEMO_CONFIG.trimEnd());
		await typed(client, CTX, [true]);
		expect(client.notices().at(-1)).toBe(
			"The SSH server offers no SFTP. Add `Subsystem sftp internal-sftp` to sshd_config on the server",
		);
		expect(await config(box)).toBe(DEMO_CONFIG);
		expect(await readdir(dirname(box.configFile))).toEqual(["config.yaml"]);
	},
);
