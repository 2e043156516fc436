import { execFile } from "node:child_process";
import { randomUUID } from "node:crypto";
import { promisify } from "node:util";

const run = promisify(execFile);

export interface TmuxOptions {
	readonly cwd: string;
	/** All that the program knows of its surroundings, but for TERM. */
	readonly env: Readonly<Record<string, string>>;
	readonly command: readonly string[];
	readonly columns: number;
	readonly rows: number;
}

/** A program in its own pseudo-terminal, run by a tmux that reads no user's settings. */
export interface Tmux {
	/** What is on the screen, as text. */
	text(): Promise<string>;
	/** The same with SGR sequences, blanks at the ends of lines included. */
	styled(): Promise<string>;
	type(text: string): Promise<void>;
	/** A key by tmux's name for it, such as `Enter` or `C-u`. */
	press(key: string): Promise<void>;
	close(): Promise<void>;
}

/** Rejects where there is no tmux, with what to install. */
export async function openTmux(options: TmuxOptions): Promise<Tmux> {
	const { cwd, env, command, columns, rows } = options;
	const server = ["-u", "-L", `ai-server-${randomUUID()}`, "-f", "/dev/null"];
	const tmux = async (...args: readonly string[]): Promise<string> =>
		(await run("tmux", [...server, ...args])).stdout;
	await run("tmux", ["-V"]).catch((error: unknown) => {
		throw new Error("This needs tmux (Debian: apt-get install tmux)", { cause: error });
	});
	const settings = Object.entries(env).map(([name, value]) => `${name}=${value}`);
	// Without the variables of tmux itself: pi would warn of its settings.
	const program = ["env", "-i", "TERM=screen-256color", ...settings, ...command];
	const size = ["-x", String(columns), "-y", String(rows)];
	await tmux("new-session", "-d", "-s", "pi", "-c", cwd, ...size, ...program);
	return {
		text: () => tmux("capture-pane", "-p", "-t", "pi"),
		styled: () => tmux("capture-pane", "-e", "-N", "-p", "-t", "pi"),
		type: async (text) => void (await tmux("send-keys", "-t", "pi", "-l", text)),
		press: async (key) => void (await tmux("send-keys", "-t", "pi", key)),
		close: async () => void (await tmux("kill-server").catch(() => "")),
	};
}
