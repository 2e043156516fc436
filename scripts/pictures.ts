// npm run pictures: docs/pictures/*.svg, from the real pi in a real terminal on the demo's box.
// Needs tmux, which gives pi its pseudo-terminal and reads the screen.
import { mkdir, realpath, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { type Box, startBox } from "../demo/box.ts";
import { cliPath, HOSTS } from "../hosts/hosts.ts";
import { parseScreen, type Screen, screenText } from "./screen.ts";
import { renderSvg } from "./svg.ts";
import { openTmux, type Tmux } from "./tmux.ts";

const ROOT = fileURLToPath(new URL("..", import.meta.url));
const FOLDER = join(ROOT, "docs/pictures");
const MODEL = "Qwen_Qwen3.6-35B-A3B-Q8_0";
const COLUMNS = 100;
/** Longer than pi leaves a spinner as it is. */
const STILL_MS = 400;
const PATIENCE_MS = 30_000;

interface Scene {
	readonly name: string;
	readonly title: string;
	readonly rows: number;
	/** Brings the screen about, step by step. */
	play(stage: Stage): Promise<void>;
	/** What must be on the screen in the end. */
	readonly shows: RegExp;
	/** In the first row of the picture; the whole screen without it. */
	readonly from?: RegExp;
}

/** A terminal with pi, and what a scene does with it. */
interface Stage extends Tmux {
	/** Types a command once pi completes commands, and leaves it there. */
	command(text: string): Promise<void>;
	ask(question: string): Promise<void>;
	/** Asks and waits for the answer, after which the model is loaded. */
	greet(): Promise<void>;
}

const RULE = /^─+$/;

const SCENES: readonly Scene[] = [
	{
		name: "chat",
		title: "pi on a model of your own server",
		rows: 27,
		play: ({ ask }) => ask("Which files are here?"),
		// pi rounds how long a command took; a machine that is busy might say 0.1 s.
		shows: /Took 0\.0s[\s\S]*The tool answered with 3 lines/,
	},
	{
		name: "status",
		title: "/ai-server-status",
		rows: 22,
		async play({ greet, command, press }) {
			await greet();
			await command("/ai-server-status");
			await press("Enter");
		},
		shows: /ready +262144 +server[\s\S]*Note: Context window unknown/,
	},
	{
		name: "completion",
		title: "/ai-server-load",
		rows: 22,
		async play({ greet, command, type }) {
			await greet();
			await command("/ai-server-load");
			await type(" ");
		},
		shows: /→ \S+ +stopped, \d+ tokens[\s\S]* ready, 262144 tokens/,
		from: RULE,
	},
	{
		name: "ctx",
		title: "/ai-server-ctx small-talk-1B 32k",
		rows: 22,
		async play({ command, type, press }) {
			await command("/ai-server-ctx");
			await type(" small-talk-1B 32k");
			await press("Escape"); // closes the popup, so that Enter submits
			await press("Enter");
		},
		shows: /65536 → 32768\?[\s\S]*→ Yes/,
		from: RULE,
	},
];

// Ctrl-C ends the next wait, so that the terminal and the server are tidied up as always.
const stop = new AbortController();
process.once("SIGINT", () => stop.abort());

await drawAll().catch((error: unknown) => {
	console.error(error instanceof Error ? error.message : error);
	process.exitCode = 1;
});

async function drawAll(): Promise<void> {
	await mkdir(FOLDER, { recursive: true });
	for (const scene of SCENES) {
		const path = join(FOLDER, `${scene.name}.svg`);
		const screen = crop(await perform(scene), scene.from);
		await writeFile(path, renderSvg(screen, { title: scene.title, columns: COLUMNS }));
		console.log(path);
	}
}

/** Plays a scene on a server and a home of its own; what is on the screen in the end. */
async function perform(scene: Scene): Promise<Screen> {
	const box = await startBox();
	try {
		const tmux = await openTmux({ columns: COLUMNS, rows: scene.rows, ...(await furnish(box)) });
		try {
			await until(tmux.text, /\(auto\)/);
			await scene.play(toStage(tmux));
			return parseScreen(await atRest(tmux, scene.shows));
		} finally {
			await tmux.close();
		}
	} finally {
		await box.close();
	}
}

/** The home of a user who has installed the extension, with a small project in it. */
async function furnish(
	box: Box,
): Promise<{ cwd: string; env: Record<string, string>; command: string[] }> {
	const home = await realpath(box.home);
	const agentDir = join(home, ".pi/agent");
	const cwd = join(home, "project");
	for (const folder of [cwd, join(agentDir, "extensions"), join(agentDir, "bin")]) {
		await mkdir(folder, { recursive: true });
	}
	await symlink(ROOT, join(agentDir, "extensions/ai-server"));
	const settings = { theme: "dark", quietStartup: true };
	await writeFile(join(agentDir, "settings.json"), JSON.stringify(settings));
	// No scene needs them, but pi would warn where they are not installed.
	for (const tool of ["fd", "rg"]) await writeFile(join(agentDir, "bin", tool), "");
	for (const file of ["README.md", "hello.py", "notes.md"]) await writeFile(join(cwd, file), "");
	const flags = ["-ns", "-np", "-nc", "--no-themes", "--no-session"];
	return {
		cwd,
		command: [process.execPath, cliPath(HOSTS[0]), ...flags, "--model", `ai-server/${MODEL}`],
		env: {
			PATH: process.env["PATH"] ?? "",
			HOME: home,
			LANG: "C.UTF-8",
			COLORTERM: "truecolor",
			PI_CODING_AGENT_DIR: agentDir,
			PI_OFFLINE: "1",
			PI_SKIP_VERSION_CHECK: "1",
			PI_TELEMETRY: "0",
			AI_SERVER_URL: box.url,
			AI_SERVER_CERTS_DIR: box.certsDir,
			AI_SERVER_SSH_HOST: box.sshHost,
		},
	};
}

function toStage(tmux: Tmux): Stage {
	const ask = async (question: string): Promise<void> => {
		await tmux.type(question);
		await tmux.press("Enter");
	};
	return {
		...tmux,
		ask,
		async greet() {
			await ask("Hello, who is there?");
			await until(tmux.text, /with a client certificate\./);
		},
		async command(text) {
			// Right after the start pi takes keys but completes nothing yet.
			const slash = async (): Promise<string> => {
				const screen = await tmux.text();
				if (screen.includes("→ ")) return screen;
				await tmux.press("C-u");
				await tmux.type("/");
				return "";
			};
			await until(slash, /→ /);
			await tmux.type(text.slice(1));
			await until(tmux.text, new RegExp(`→ ${text.slice(1)}`));
		},
	};
}

/** Waits for a screen that shows it and has stopped to change. */
async function atRest({ text, styled }: Tmux, shows: RegExp): Promise<string> {
	await until(text, shows);
	for (let before = ""; ; await still()) {
		const screen = await styled();
		if (screen === before) return screen;
		before = screen;
	}
}

async function until(look: () => Promise<string>, shows: RegExp): Promise<void> {
	const end = performance.now() + PATIENCE_MS;
	for (let screen = ""; !shows.test(screen); screen = await look()) {
		if (performance.now() > end) throw new Error(`No ${shows} on the screen:\n${screen}`);
		await still();
	}
}

function still(): Promise<void> {
	return sleep(STILL_MS, undefined, { signal: stop.signal });
}

/** Without the empty rows around, and without the rows above the one where the picture begins. */
function crop(screen: Screen, from: RegExp | undefined): Screen {
	const isContent = (row: Screen[number]): boolean =>
		row.some(({ text, style }) => text.trim() !== "" || style.bg !== undefined);
	const begins = (row: Screen[number]): boolean =>
		from === undefined ? isContent(row) : from.test(screenText([row]));
	return screen.slice(Math.max(0, screen.findIndex(begins)), screen.findLastIndex(isContent) + 1);
}
