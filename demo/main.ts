// `npm run demo [-- pi's arguments]`: opens the real pi on a box of its own, and leaves nothing behind.
import { spawn } from "node:child_process";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { chosenHost, cliPath } from "../hosts/hosts.ts";
import { type Box, startBox } from "./box.ts";

const ROOT = fileURLToPath(new URL("..", import.meta.url));
const HINT = `
A demo of ai-server: pi runs here against a small server that was started for it.
Ask it anything, or try /ai-server-status and /ai-server-load. /quit ends the demo.
`;
const FLAGS = ["-ne", "-e", ROOT, "-ns", "-np", "-nc", "--no-themes", "--no-session"];

const host = chosenHost(process.env);
const args = process.argv.slice(2);
// Ctrl-C reaches pi as well, which decides what it means; the demo ends when pi does. Before pi is
// there, the demo ends at once, but not without tidying up.
const stop = new AbortController();
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) {
	process.on(signal, () => stop.abort(signal));
}
const box = await startBox({ loadMs: 2500, tokenMs: 25 });
const folder = await mkdtemp(join(tmpdir(), "ai-server-demo-"));
const agentDir = join(folder, "agent");
const workspace = join(folder, "workspace");
// pi keeps its caches in the temporary folder.
const temporary = join(folder, "tmp");
try {
	for (const path of [agentDir, workspace, temporary]) await mkdir(path);
	await writeFile(join(workspace, "notes.md"), "# Notes\n\nThis folder belongs to the demo.\n");
	await writeFile(join(workspace, "hello.py"), 'print("hello")\n');
	if (process.stdout.isTTY && !args.some((arg) => arg === "-p" || arg === "--print")) {
		console.log(HINT);
	}
	process.exitCode = stop.signal.aborted ? 1 : await runPi(box);
} finally {
	await box.close();
	await rm(folder, { recursive: true, force: true });
}

async function runPi({ url, certsDir, sshHost, home }: Box): Promise<number> {
	const model = args.includes("--model") ? [] : ["--model", "ai-server/Qwen_Qwen3.6-35B-A3B-Q8_0"];
	const child = spawn(process.execPath, [cliPath(host), ...FLAGS, ...model, ...args], {
		cwd: workspace,
		stdio: "inherit",
		env: {
			...withoutOwn(process.env),
			HOME: home,
			TMPDIR: temporary,
			PI_CODING_AGENT_DIR: agentDir,
			PI_OFFLINE: "1",
			PI_SKIP_VERSION_CHECK: "1",
			PI_TELEMETRY: "0",
			AI_SERVER_URL: url,
			AI_SERVER_CERTS_DIR: certsDir,
			AI_SERVER_SSH_HOST: sshHost,
		},
	});
	stop.signal.addEventListener("abort", () => {
		if (stop.signal.reason !== "SIGINT") child.kill("SIGTERM");
	});
	return new Promise((resolve) => {
		child.once("error", () => resolve(1));
		child.once("close", (code) => resolve(code ?? 1));
	});
}

/** The demo must meet none of the user's own settings, servers or keys. */
function withoutOwn(env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
	const own = /^(?:AI_SERVER_|PI_(?!TIMING))|^SSH_AUTH_SOCK$/;
	return Object.fromEntries(Object.entries(env).filter(([name]) => !own.test(name)));
}
