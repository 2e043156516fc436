import { cp, mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { basename, delimiter, dirname, join } from "node:path";
import type { Box } from "../../demo/box.ts";
import { cliPath, type Host } from "../../hosts/hosts.ts";
import { ROOT } from "./pi.ts";
import { type Ran, run } from "./programs.ts";

/** Variables that make npm install from its cache, so that no test needs the registry. */
export type NpmCache = Readonly<Record<string, string>>;

/** What `npm ci` of this repository has left in npm's cache; undefined, after a line that says why. */
export async function findNpmCache(file: string): Promise<NpmCache | undefined> {
	const setting = async (name: string): Promise<string> =>
		(await run("npm", ["config", "get", name], { cwd: ROOT })).stdout.trim();
	const cache = {
		npm_config_cache: await setting("cache"),
		npm_config_registry: await setting("registry"),
		npm_config_offline: "true",
		npm_config_update_notifier: "false",
	};
	const folder = await mkdtemp(join(tmpdir(), "ai-server-npm-"));
	try {
		for (const name of ["package.json", "package-lock.json"]) {
			await cp(join(ROOT, name), join(folder, name));
		}
		const env = { PATH: process.env["PATH"], HOME: folder, ...cache };
		const { code } = await run("npm", ["install", "--omit=dev"], { cwd: folder, env });
		if (code === 0) return cache;
		console.warn(`${file}: tests with npm are skipped, its cache lacks packages (run npm ci)`);
		return undefined;
	} finally {
		await rm(folder, { recursive: true, force: true });
	}
}

/** Copies what a clone of this repository would hold. */
export async function copyRepository(to: string): Promise<void> {
	const left = new Set(["node_modules", ".git"]);
	await cp(ROOT, to, { recursive: true, filter: (path) => !left.has(basename(path)) });
}

/** The shell of somebody who has this pi, and whose server is the box. */
export interface UserShell {
	/** `~/.pi/agent`: pi is told of no other. */
	readonly agentDir: string;
	readonly env: Readonly<Record<string, string>>;
	/** Runs a script as `sh -eu` does, in this folder. */
	run(script: string, cwd: string, env?: Readonly<Record<string, string>>): Promise<Ran>;
}

export async function openUserShell(
	host: Host,
	box: Box,
	variables: Readonly<Record<string, string>> = {},
): Promise<UserShell> {
	const bin = join(box.home, "bin");
	await mkdir(bin);
	const pi = `#!/bin/sh\nexec '${process.execPath}' '${cliPath(host)}' "$@"\n`;
	await writeFile(join(bin, "pi"), pi, { mode: 0o755 });
	const shellEnv = {
		PATH: [bin, dirname(process.execPath), process.env["PATH"] ?? ""].join(delimiter),
		HOME: box.home,
		PI_OFFLINE: "1",
		PI_SKIP_VERSION_CHECK: "1",
		PI_TELEMETRY: "0",
		AI_SERVER_URL: box.url,
		AI_SERVER_SSH_HOST: box.sshHost,
		...variables,
	};
	return {
		agentDir: join(box.home, ".pi", "agent"),
		env: shellEnv,
		// With a pipe as its input pi would wait for the end of it.
		run: (script, cwd, env = {}) =>
			run("sh", ["-euc", `exec </dev/null\n${script}`], { cwd, env: { ...shellEnv, ...env } }),
	};
}
