import { execFile } from "node:child_process";
import { access } from "node:fs/promises";
import { join } from "node:path";
import { AiServerError } from "../../errors.ts";
import type { SshTarget } from "../types.ts";
import {
	type HostQuery,
	type HostSettings,
	type LocalUser,
	parseSettings,
	plainSettings,
	settingsArguments,
} from "./settings.ts";
import { describeTarget, parseSshTarget } from "./target.ts";

/** Runs the ssh client and returns its output; undefined when none is installed. */
export type RunSsh = (args: readonly string[], deadlineMs: number) => Promise<string | undefined>;

/** OpenSSH is limited by the number of processes alone. */
const MAX_HOPS = 8;

/** The hosts to log in to, each through the one before it; the target is the last. */
export async function findRoute(
	target: SshTarget,
	lookUp: (query: HostQuery) => Promise<HostSettings>,
): Promise<readonly HostSettings[]> {
	const path: string[] = [];
	const follow = async (query: HostQuery): Promise<readonly HostSettings[]> => {
		path.unshift(describeTarget(query));
		if (path.length > MAX_HOPS) {
			throw new AiServerError("settings", `ProxyJump loop: ${path.join(" > ")}`, {
				hint: "Check ProxyJump in ~/.ssh/config",
			});
		}
		const settings = await lookUp(query);
		// As ssh does it: the last jump host is reached through those before it, else by its own config.
		const last = settings.proxyJump.at(-1);
		if (last === undefined) return [settings];
		const jumps = settings.proxyJump.slice(0, -1);
		const jump = parseSshTarget(last, { hint: "Check ProxyJump in ~/.ssh/config" });
		return [...(await follow({ ...jump, jumps })), settings];
	};
	return follow(target);
}

/** Asks OpenSSH for the settings of a host. `onMissing` is called where no ssh client is installed. */
export async function askOpenSsh(
	query: HostQuery,
	local: LocalUser,
	{ runSsh, deadlineMs, onMissing }: AskOptions,
): Promise<HostSettings> {
	const printed = await runSsh(settingsArguments(query, await configFile(local)), deadlineMs);
	if (printed !== undefined) return parseSettings(printed, query, local);
	onMissing();
	return plainSettings(query, local);
}

export interface AskOptions {
	readonly runSsh: RunSsh;
	readonly deadlineMs: number;
	readonly onMissing: () => void;
}

/** The ssh client of the PATH. No shell, nothing on its stdin. */
export const runSshClient: RunSsh = (args, deadlineMs) =>
	new Promise((resolve, reject) => {
		const settings = { timeout: deadlineMs, windowsHide: true } as const;
		const child = execFile("ssh", args, settings, (error, stdout, stderr) => {
			if (error === null) return resolve(stdout);
			if (error.code === "ENOENT") return resolve(undefined);
			if (error.killed === true) {
				return reject(
					new AiServerError("timeout", `ssh -G took longer than ${deadlineMs / 1000} s`, {
						hint: "Check for a slow Match exec in ~/.ssh/config",
					}),
				);
			}
			const reason = stderr.trim().split("\n").at(-1) || error.message;
			return reject(
				new AiServerError("ssh", `The ssh client rejects its config: ${reason}`, {
					hint: `Try: ssh -G ${args.at(-1)}`,
				}),
			);
		});
		child.stdin?.end();
	});

/**
 * The `-F` for ssh, which looks for its config in the account's home and ignores $HOME. As with any -F,
 * the system's config is then not read.
 */
async function configFile({ home, accountHome }: LocalUser): Promise<string | undefined> {
	if (home === accountHome) return undefined;
	const file = join(home, ".ssh", "config");
	return access(file).then(
		() => file,
		() => "none",
	);
}
