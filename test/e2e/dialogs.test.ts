import { execFileSync } from "node:child_process";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { afterEach, expect, test } from "vitest";
import { type Box, type BoxOptions, startBox } from "../../demo/box.ts";
import { DEMO_CONFIG } from "../../demo/home.ts";
import type { Host } from "../../hosts/hosts.ts";
import { HOSTS } from "../support/hosts.ts";
import { type Isolated, isolate } from "../support/pi.ts";
import { findProgram } from "../support/programs.ts";
import { hasTmux, openTerminal, type Terminal } from "../support/terminal.ts";

let box: Box | undefined;
let place: Isolated | undefined;
let terminal: Terminal | undefined;

afterEach(async () => {
	await terminal?.close();
	await box?.close();
	await place?.remove();
});

async function open(host: Host, options: BoxOptions, prepare?: (box: Box) => Promise<void>) {
	const started = await startBox(options);
	box = started;
	await prepare?.(started);
	place = await isolate();
	terminal = await openTerminal(host, started, place);
	return { ...terminal, box: started };
}

const IS_HERE = hasTmux("dialogs.test.ts");

test.runIf(IS_HERE).each(HOSTS)(
	"pi %s lists models and sizes, asks before a change, and shows a config in colours",
	async (host) => {
		const { submit, choose, shows, styled, box } = await open(host, { watchConfig: true });
		const upToTheQuestion = async (): Promise<void> => {
			await submit("/ai-server-ctx");
			await shows(/Context size of which model\?/);
			await choose("small-talk-1B  (stopped, 65536 tokens)");
			await shows(/Context size of small-talk-1B\?/);
			await choose("32k");
			await shows(/Context of small-talk-1B: 65536 → 32768\?[\s\S]*^ *\+ cmd: .* -c 32768/m);
		};
		await upToTheQuestion();
		await choose("No");
		await shows("Nothing was changed");
		expect(await readFile(box.configFile, "utf8")).toBe(DEMO_CONFIG);
		await upToTheQuestion();
		await choose("Yes");
		await shows(/small-talk-1B is ready with 32768 tokens of context/);
		expect(box.swap.states()["small-talk-1B"]).toBe("ready");

		await submit("/ai-server-preset small-talk-1B");
		await shows(/^ *cmd: \$\{server\} .* -c 32768 --reasoning off/m);
		const line = (await styled()).split("\n").findLast((text) => text.includes("-c 32768")) ?? "";
		const colourOf = (text: string): string | undefined =>
			new RegExp(`\\u001b\\[([\\d;]+)m[^\\u001b]*${text}`).exec(line)?.[1];
		expect(colourOf("cmd")).toMatch(/^(?:38;[25];[\d;]+)$/);
		expect(colourOf("-c 32768")).toMatch(/^(?:38;[25];[\d;]+|39)$/);
		expect(colourOf("cmd")).not.toBe(colourOf("-c 32768"));
	},
);

const hasKeygen = findProgram("ssh-keygen") !== undefined;

test.runIf(IS_HERE && hasKeygen).each(HOSTS)(
	"pi %s asks about an unknown host key, and for the passphrase of an encrypted key",
	async (host) => {
		const { submit, choose, shows, type, press, box } = await open(host, {}, async (fresh) => {
			await fresh.ssh.writeClientFiles(fresh.home, "none");
			const key = join(fresh.home, ".ssh", "id_ed25519");
			const words = ["-q", "-p", "-a", "1", "-P", "", "-N", "open sesame", "-f", key];
			execFileSync("ssh-keygen", words);
		});
		const knownHosts = (): Promise<string> => readFile(join(box.home, ".ssh/known_hosts"), "utf8");
		await submit("/ai-server-preset small-talk-1B");
		await shows(/Trust the host key of \[127\.0\.0\.1\]:\d+\?[\s\S]*SHA256:/);
		await choose("No");
		await shows(/Error: .*host key/i);
		expect(await knownHosts()).toBe("");

		await submit("/ai-server-preset small-talk-1B");
		await shows(/Trust the host key of/);
		await choose("Yes");
		await shows(/Passphrase for \S+id_ed25519/);
		expect(await knownHosts()).toMatch(/^\[127\.0\.0\.1\]:\d+ ssh-ed25519 /);
		await type("wrong");
		await press("Enter");
		await shows(/Wrong\. Passphrase for \S+id_ed25519, once\s+more/);
		await type("open sesame");
		await press("Enter");
		await shows(/^ *cmd: \$\{server\} .* -c 65536 --reasoning off/m);
		expect(box.ssh.logins()).toBe(1);
	},
);

test.runIf(IS_HERE).each(HOSTS)(
	"pi %s counts the seconds of a load; Escape stops waiting, and the load if that is wanted",
	async (host) => {
		const { submit, choose, shows, press, box } = await open(host, { loadMs: 600_000 });
		const upToTheQuestion = async (): Promise<void> => {
			await submit("/ai-server-load small-talk-1B");
			await shows(/Loading small-talk-1B \([1-9]\d* s, escape stops waiting\)/);
			await press("Escape");
			await shows(/Cancel loading small-talk-1B\?[\s\S]*the server is still loading it/);
		};
		await upToTheQuestion();
		await choose("No");
		await shows(/Stopped waiting; the server is still loading small-talk-1B/);
		expect(box.swap.states()["small-talk-1B"]).toBe("starting");
		await upToTheQuestion();
		await choose("Yes");
		await shows(/Cancelled loading small-talk-1B/);
		expect([box.swap.states()["small-talk-1B"], box.swap.starts()]).toEqual(["stopped", 1]);
	},
);
