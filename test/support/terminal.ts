import { execFile, execFileSync } from "node:child_process";
import { promisify } from "node:util";
import { expect } from "vitest";
import type { Box } from "../../demo/box.ts";
import { cliPath, type Host } from "../../hosts/hosts.ts";
import { boxEnv } from "./boxed.ts";
import { type Isolated, ROOT } from "./pi.ts";

const run = promisify(execFile);

/** Whether tmux is here; says on the console why `file` is skipped where it is not. */
export function hasTmux(file: string): boolean {
	try {
		execFileSync("tmux", ["-V"], { stdio: "ignore" });
		return true;
	} catch {
		console.warn(`${file} is skipped: there is no tmux here (Debian: apt-get install tmux)`);
		return false;
	}
}

/** The real pi on a screen of 110 columns and 40 rows, with the box as its only server. */
export interface Terminal {
	screen(): Promise<string>;
	type(text: string): Promise<unknown>;
	press(key: string): Promise<unknown>;
	/** Waits until the screen shows it, for so many milliseconds at most. */
	shows(text: string | RegExp, timeout?: number): Promise<unknown>;
	close(): Promise<void>;
}

const OWN = ["-ne", "-e", ROOT, "-ns", "-np", "-nc", "--no-themes", "--no-session"];

/** `flags` are pi's own; by default they load the repository and nothing of the agent dir. */
export async function openTerminal(
	host: Host,
	box: Box,
	place: Pick<Isolated, "agentDir" | "cwd">,
	flags: readonly string[] = OWN,
): Promise<Terminal> {
	const socket = `ai-server-${process.pid}-${box.front.port}`;
	const tmux = async (...args: readonly string[]): Promise<string> =>
		(await run("tmux", ["-L", socket, "-f", "/dev/null", ...args])).stdout;
	const env = { ...boxEnv(box), PI_CODING_AGENT_DIR: place.agentDir, PI_OFFLINE: "1" };
	const settings = Object.entries(env).map(([name, value]) => `${name}=${value}`);
	const model = ["--model", "ai-server/Qwen_Qwen3.6-35B-A3B-Q8_0"];
	const command = ["env", ...settings, process.execPath, cliPath(host), ...flags, ...model];
	const size = ["-x", "110", "-y", "40"];
	await tmux("new-session", "-d", "-s", "pi", "-c", place.cwd, ...size, ...command);
	const screen = (): Promise<string> => tmux("capture-pane", "-p", "-t", "pi");
	return {
		screen,
		type: (text) => tmux("send-keys", "-t", "pi", "-l", text),
		press: (key) => tmux("send-keys", "-t", "pi", key),
		shows: (text, timeout = 20_000) => expect.poll(screen, { timeout }).toMatch(text),
		close: async () => void (await tmux("kill-server").catch(() => "")),
	};
}
