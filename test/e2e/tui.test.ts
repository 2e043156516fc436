import { execFile, execFileSync } from "node:child_process";
import { promisify } from "node:util";
import { afterEach, expect, test } from "vitest";
import { type Box, startBox } from "../../demo/box.ts";
import { cliPath, HOSTS } from "../../hosts/hosts.ts";
import { boxEnv } from "../support/boxed.ts";
import { type Isolated, isolate, ROOT } from "../support/pi.ts";

const run = promisify(execFile);
const hasTmux = ((): boolean => {
	try {
		execFileSync("tmux", ["-V"], { stdio: "ignore" });
		return true;
	} catch {
		console.warn("tui.test.ts is skipped: there is no tmux here (Debian: apt-get install tmux)");
		return false;
	}
})();

let box: Box | undefined;
let place: Isolated | undefined;
let socket = "";
const tmux = async (...args: readonly string[]): Promise<string> =>
	(await run("tmux", ["-L", socket, "-f", "/dev/null", ...args])).stdout;
const screen = (): Promise<string> => tmux("capture-pane", "-p", "-t", "pi");
const type = (text: string): Promise<string> => tmux("send-keys", "-t", "pi", "-l", text);
const press = (key: string): Promise<string> => tmux("send-keys", "-t", "pi", key);

afterEach(async () => {
	await tmux("kill-server").catch(() => "");
	await box?.close();
	await place?.remove();
});

test.runIf(hasTmux).each(HOSTS)(
	"pi %s on a screen: status, completion, load, a streamed turn, unload",
	async (host) => {
		box = await startBox({ tokenMs: 10, loadMs: 500 });
		place = await isolate();
		socket = `ai-server-test-${process.pid}-${host}`;
		const env = { ...boxEnv(box), PI_CODING_AGENT_DIR: place.agentDir, PI_OFFLINE: "1" };
		const settings = Object.entries(env).map(([name, value]) => `${name}=${value}`);
		const flags = ["-ne", "-e", ROOT, "-ns", "-np", "-nc", "--no-themes", "--no-session"];
		const model = ["--model", "ai-server/Qwen_Qwen3.6-35B-A3B-Q8_0"];
		const command = ["env", ...settings, process.execPath, cliPath(host), ...flags, ...model];
		await tmux(
			"new-session",
			"-d",
			"-s",
			"pi",
			"-c",
			place.cwd,
			"-x",
			"110",
			"-y",
			"40",
			...command,
		);
		const shows = (text: string | RegExp): Promise<unknown> => expect.poll(screen).toMatch(text);

		await shows("Qwen_Qwen3.6");
		// Right after the start pi takes keys but completes nothing yet, so the slash is typed again.
		const slash = async (): Promise<string> => {
			const shown = await screen();
			if (shown.includes("→ ")) return shown;
			await press("C-u");
			await type("/");
			return "";
		};
		const begin = async (name: string): Promise<void> => {
			await expect.poll(slash, { interval: 400 }).toContain("→ ");
			await type(name);
		};
		await begin("ai-server-status");
		await shows(/→ ai-server-status/);
		await press("Enter");
		await shows(/small-talk-1B +stopped +65536 +config/);

		await begin("ai-server-load");
		await shows(/→ ai-server-load/);
		await press("Tab");
		await shows(/^\/ai-server-load\s*$/m);
		await type("sm");
		await shows(/→ small-talk-1B +stopped, 65536 tokens/);
		await press("Tab");
		await shows(/\/ai-server-load small-talk-1B/);
		await press("Enter");
		await shows(/small-talk-1B is ready \(\d+ s\)/);

		await type("What is this?");
		await press("Enter");
		await shows(/Without one the server/); // streaming: the end is not there yet
		await shows(/nothing stays when you quit/);

		await type("/ai-server-unload Qwen_Qwen3.6-35B-A3B-Q8_0");
		await press("Escape"); // closes the popup, so that Enter submits
		await press("Enter");
		await shows(/Q8_0 is unloaded/);
		expect(box.swap.states()["Qwen_Qwen3.6-35B-A3B-Q8_0"]).toBe("stopped");
	},
);
