import {
	access,
	cp,
	mkdir,
	mkdtemp,
	readdir,
	readFile,
	rm,
	symlink,
	writeFile,
} from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { type Box, startBox } from "../../demo/box.ts";
import type { Host } from "../../hosts/hosts.ts";
import { listedModels } from "../support/boxed.ts";
import { block } from "../support/document.ts";
import { HOSTS } from "../support/hosts.ts";
import { ROOT } from "../support/pi.ts";
import { findProgram, type Ran, run } from "../support/programs.ts";
import { hasTmux, openTerminal } from "../support/terminal.ts";
import {
	copyRepository,
	findNpmCache,
	openUserShell,
	type UserShell,
} from "../support/user-shell.ts";

const npmCache = await findNpmCache("install.test.ts");
const git = findProgram("git");
const withNpm = test.skipIf(npmCache === undefined);
const withGit = test.skipIf(npmCache === undefined || git === undefined);

let box: Box;
let folder: string;
beforeEach(async () => {
	box = await startBox();
	folder = await mkdtemp(join(tmpdir(), "ai-server-install-"));
});
afterEach(async () => {
	await box.close();
	await rm(folder, { recursive: true, force: true });
});

const good = ({ code, stdout, stderr }: Ran): string => {
	expect(code, stdout + stderr).toBe(0);
	return stdout;
};
const exists = (path: string): Promise<boolean> =>
	access(path).then(
		() => true,
		() => false,
	);

async function packagesIn({ agentDir }: UserShell): Promise<unknown> {
	const settings = JSON.parse(await readFile(join(agentDir, "settings.json"), "utf8")) as {
		packages?: unknown;
	};
	return settings.packages;
}

/** What the README has a new user type after the installation, against the box. */
async function configureAndChat(shell: UserShell): Promise<string> {
	const configure = (await block("configure"))
		.replace(/(?<=AI_SERVER_URL=)\S+/, box.url)
		.replace("=none", `=${box.sshHost}`);
	good(await shell.run(configure, box.certsDir));
	return chat(shell);
}

async function chat(shell: UserShell): Promise<string> {
	const [list = "", ask = ""] = (await block("check")).trim().split("\n");
	const models = async (): Promise<readonly string[]> =>
		listedModels(good(await shell.run(list, folder))).map(([id = ""]) => id);
	// A start on a busy machine may be over before the list has come; the next one has it.
	await expect.poll(models, { timeout: 60_000 }).toContain("small-talk-1B");
	return good(await shell.run(ask, folder));
}

const HELLO = "Hello from Qwen_Qwen3.6-35B-A3B-Q8_0";

test.each(HOSTS)("pi %s: a folder is installed, used and removed", async (host) => {
	const shell = await openUserShell(host, box);
	const source = join(folder, "ai-server");
	await copyRepository(source);
	await symlink(join(ROOT, "node_modules"), join(source, "node_modules"));
	const before = await readdir(source);

	good(await shell.run(await block("install-folder"), source));
	expect(good(await shell.run("pi list", folder))).toContain(source);
	expect(await configureAndChat(shell)).toContain(HELLO);

	good(await shell.run("pi remove .", source));
	expect(await packagesIn(shell)).toEqual([]);
	expect(listedModels(good(await shell.run("pi --list-models", folder)))).toEqual([]);
	expect(await readdir(source)).toEqual(before);
});

/** A repository with one commit at the address of the README, for git processes of this shell. */
async function publish(): Promise<{
	readonly commit: (message: string) => Promise<void>;
	readonly source: string;
	readonly env: Readonly<Record<string, string>>;
}> {
	const source = join(folder, "published");
	await copyRepository(source);
	const config = [
		["user.name", "you"],
		["user.email", "you@localhost"],
		["init.defaultBranch", "main"],
		["protocol.file.allow", "always"],
		[`url.file://${source}.insteadOf`, "https://github.com/you/ai-server"],
	] as const;
	const env = Object.fromEntries([
		["GIT_CONFIG_COUNT", `${config.length}`],
		["GIT_CONFIG_NOSYSTEM", "1"],
		...config.flatMap(([key, value], index) => [
			[`GIT_CONFIG_KEY_${index}`, key],
			[`GIT_CONFIG_VALUE_${index}`, value],
		]),
	]) as Record<string, string>;
	const inSource = async (...args: readonly string[]): Promise<void> => {
		const own = { PATH: process.env["PATH"], HOME: folder, ...env };
		good(await run("git", args, { cwd: source, env: own }));
	};
	const commit = async (message: string): Promise<void> => {
		await inSource("add", "--all");
		await inSource("commit", "--quiet", "--message", message);
	};
	await inSource("init", "--quiet");
	await commit("All there is");
	return { commit, source, env };
}

async function raiseVersion(source: string, version: string): Promise<void> {
	const file = join(source, "package.json");
	const text = await readFile(file, "utf8");
	await writeFile(file, text.replace(/"version": "[^"]+"/, `"version": "${version}"`));
	const log = join(source, "CHANGELOG.md");
	const entry = `## [${version}] - 2027-01-01\n\n- Something that nobody has seen before.\n\n## [`;
	await writeFile(log, (await readFile(log, "utf8")).replace("## [", entry));
}

withGit.each(HOSTS)("pi %s: from git, with its packages; upgraded and removed", async (host) => {
	const { commit, source, env } = await publish();
	const shell = await openUserShell(host, box, { ...env, ...npmCache });
	const clone = join(shell.agentDir, "git", "github.com", "you", "ai-server");
	const versionIn = async (place: string): Promise<string> =>
		(JSON.parse(await readFile(join(place, "package.json"), "utf8")) as { version: string })
			.version;

	good(await shell.run(await block("install-git"), folder));
	const installed = await readdir(join(clone, "node_modules"));
	expect(installed).toEqual(
		expect.arrayContaining(["eventsource-parser", "ssh2", "undici", "yaml"]),
	);
	expect(installed).not.toContain("@earendil-works");
	expect(installed).not.toContain("vitest");
	expect(await configureAndChat(shell)).toContain(HELLO);

	await raiseVersion(source, "9.1.0");
	await commit("The next version");
	// Offline, pi would skip the update. Git and npm stay on this machine by their own settings.
	good(await shell.run(await block("upgrade-git"), folder, { PI_OFFLINE: "" }));
	expect(await versionIn(clone)).toBe("9.1.0");
	expect(await chat(shell)).toContain(HELLO);

	good(await shell.run(await block("remove-git"), folder));
	expect(await packagesIn(shell)).toEqual([]);
	expect(await exists(clone)).toBe(false);
	expect(listedModels(good(await shell.run("pi --list-models", folder)))).toEqual([]);
	const left = await readdir(shell.agentDir);
	expect(left).toEqual(expect.arrayContaining(["ai-server", "certs"]));
});

/** A second server, as a provider that pi itself knows how to reach. */
async function addOtherProvider({ agentDir }: UserShell, { url }: Box): Promise<void> {
	const models = [{ id: "small-talk-1B" }];
	const other = { baseUrl: `${url}/v1`, api: "openai-completions", apiKey: "none", models };
	await mkdir(agentDir, { recursive: true });
	await writeFile(join(agentDir, "models.json"), JSON.stringify({ providers: { other } }));
}

withNpm.each(HOSTS)(
	"pi %s: a copy without its packages harms nothing, and works after what it says",
	async (host) => {
		const shell = await openUserShell(host, box, npmCache);
		const plain = await startBox({ tls: false });
		try {
			await addOtherProvider(shell, plain);
			const copy = join(shell.agentDir, "extensions", "ai-server");
			await copyRepository(copy);
			const other = "pi --no-session --model other/small-talk-1B -p 'Say hello'";
			expect(good(await shell.run(other, folder))).toContain("Hello from small-talk-1B");

			const { code, stderr } = await shell.run("pi --no-session -p /ai-server-status", folder);
			expect(code).toBe(1);
			const told = stderr.split("\n").find((line) => line.startsWith("Error: "));
			const [, command = ""] =
				/packages of ai-server are not installed\. Run: (.+)$/.exec(told ?? "") ?? [];
			good(await shell.run(command, folder));
			expect(await configureAndChat(shell)).toContain(HELLO);
		} finally {
			await plain.close();
		}
	},
);

withNpm.each(HOSTS)("pi %s: a copy made as the README says", async (host) => {
	const shell = await openUserShell(host, box, npmCache);
	const source = join(folder, "ai-server");
	await copyRepository(source);
	good(await shell.run(await block("install-copy"), source));
	expect(await configureAndChat(shell)).toContain(HELLO);
});

/** The hosts that show a package's changelog. */
const SHOWING: readonly Host[] = ["1.6.0"];

test.runIf(hasTmux("install.test.ts: the changelog")).each(HOSTS)(
	"pi %s after an upgrade: the new part of the changelog, where the README says so",
	async (host) => {
		const shell = await openUserShell(host, box);
		const source = join(folder, "ai-server");
		await copyRepository(source);
		await symlink(join(ROOT, "node_modules"), join(source, "node_modules"));
		good(await shell.run("pi install .", source));
		await mkdir(join(shell.agentDir, "certs"));
		await cp(box.certsDir, join(shell.agentDir, "certs"), { recursive: true });
		const place = { agentDir: shell.agentDir, cwd: folder };

		const first = await openTerminal(host, box, place, ["--no-session"]);
		await first.shows("Qwen_Qwen3.6");
		expect(await first.screen()).not.toContain("nobody has seen before");
		await first.close();

		await raiseVersion(source, "9.1.0");
		const second = await openTerminal(host, box, place, ["--no-session"]);
		await second.shows("Qwen_Qwen3.6");
		const shown = SHOWING.includes(host);
		if (shown) await second.shows("nobody has seen before");
		else expect(await second.screen()).not.toContain("nobody has seen before");
		await second.close();
	},
);
