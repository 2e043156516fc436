import { execFileSync } from "node:child_process";
import { expect } from "vitest";
import type { Box } from "../../demo/box.ts";
import { cliPath, type Host } from "../../hosts/hosts.ts";
import { openTmux } from "../../scripts/tmux.ts";
import { boxEnv } from "./boxed.ts";
import { type Isolated, ROOT } from "./pi.ts";

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
	/** The same with colours, as SGR sequences. */
	styled(): Promise<string>;
	type(text: string): Promise<unknown>;
	press(key: string): Promise<unknown>;
	/** Waits until the screen shows it, for so many milliseconds at most. */
	shows(text: string | RegExp, timeout?: number): Promise<unknown>;
	/** Types a command that pi completes to its end, and submits it. */
	submit(text: string): Promise<void>;
	/** Takes the first entry that begins so from the list on the screen. */
	choose(entry: string): Promise<void>;
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
	const model = ["--model", "ai-server/Qwen_Qwen3.6-35B-A3B-Q8_0"];
	const PATH = process.env["PATH"] ?? "";
	const tmux = await openTmux({
		cwd: place.cwd,
		env: { PATH, ...boxEnv(box), PI_CODING_AGENT_DIR: place.agentDir, PI_OFFLINE: "1" },
		command: [process.execPath, cliPath(host), ...flags, ...model],
		columns: 110,
		rows: 40,
	});
	const { text: screen, styled, type, press, close } = tmux;
	const shows: Terminal["shows"] = (text, timeout = 20_000) =>
		expect.poll(screen, { timeout }).toMatch(text);
	const marked = async (): Promise<string> => /^ *→ (.*)/m.exec(await screen())?.[1] ?? "";
	// Right after the start pi takes keys but completes nothing yet, so the slash is typed again.
	const slash = async (): Promise<string> => {
		const found = await marked();
		if (found !== "") return found;
		await press("C-u");
		await type("/");
		return "";
	};
	return {
		screen,
		styled,
		type,
		press,
		shows,
		close,
		async submit(text) {
			await expect.poll(slash, { interval: 400 }).not.toBe("");
			await type(text.slice(1));
			await shows(text);
			await expect.poll(marked).toContain(text.split(/[/ ]/).at(-1));
			// Escape closes the popup, so that Enter submits; both at once would be another key.
			await press("Escape");
			await expect.poll(marked).toBe("");
			await press("Enter");
		},
		async choose(entry) {
			await expect.poll(marked).not.toBe("");
			for (;;) {
				const at = await marked();
				if (at.startsWith(entry)) break;
				await press("Down");
				await expect.poll(marked).not.toBe(at);
			}
			await press("Enter");
		},
	};
}
