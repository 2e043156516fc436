import { type ChildProcess, spawn } from "node:child_process";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { cliPath, type Host } from "../../hosts/hosts.ts";

export const ROOT: string = fileURLToPath(new URL("../..", import.meta.url));

/** A home of its own for one pi: agent dir, working folder, nothing of the user's. */
export interface Isolated {
	readonly folder: string;
	readonly home: string;
	readonly agentDir: string;
	readonly cwd: string;
	remove(): Promise<void>;
}

export async function isolate(): Promise<Isolated> {
	const folder = await mkdtemp(join(tmpdir(), "ai-server-pi-"));
	const [home, agentDir, cwd] = ["home", "agent", "work"].map((name) => join(folder, name)) as [
		string,
		string,
		string,
	];
	for (const path of [home, agentDir, cwd]) await mkdir(path);
	// Retries take 14 s, and what the tests look at is the first error.
	await writeFile(join(agentDir, "settings.json"), '{"retry":{"enabled":false}}');
	const remove = (): Promise<void> => rm(folder, { recursive: true, force: true, maxRetries: 5 });
	return { folder, home, agentDir, cwd, remove };
}

export interface PiRun {
	readonly host: Host;
	readonly place: Isolated;
	/** AI_SERVER_URL and AI_SERVER_SSH_HOST must be among them: the defaults are real machines. */
	readonly env: Readonly<Record<string, string>>;
	readonly args: readonly string[];
	/** The extension's folder; the repository by default, null for none. */
	readonly extension?: string | null;
	/** Also loads what lies in the agent dir's extensions folder. */
	readonly discover?: boolean;
}

export interface PiResult {
	readonly code: number | null;
	readonly stdout: string;
	readonly stderr: string;
	/** Milliseconds from spawn to exit. */
	readonly elapsed: number;
	/** Milliseconds from the last byte on stdout to exit. */
	readonly tail: number;
}

const QUIET = ["-ns", "-np", "-nc", "--no-themes"];

/** Runs pi to its end; stdin is closed. Kills it after a minute. */
export async function runPi(run: PiRun): Promise<PiResult> {
	const started = performance.now();
	const child = spawnPi(run, "ignore");
	let stdout = "";
	let stderr = "";
	let last = started;
	child.stdout?.setEncoding("utf8").on("data", (text: string) => {
		stdout += text;
		last = performance.now();
	});
	child.stderr?.setEncoding("utf8").on("data", (text: string) => {
		stderr += text;
	});
	const code = await new Promise<number | null>((resolve) => child.once("close", resolve));
	const ended = performance.now();
	return { code, stdout, stderr, elapsed: ended - started, tail: ended - last };
}

export function spawnPi(run: PiRun, stdin: "ignore" | "pipe"): ChildProcess {
	const { host, place, env, args, extension = ROOT, discover = false } = run;
	if (env["AI_SERVER_URL"] === undefined || env["AI_SERVER_SSH_HOST"] === undefined) {
		throw new Error("A test must name its own AI_SERVER_URL and AI_SERVER_SSH_HOST");
	}
	const load = [...(discover ? [] : ["-ne"]), ...(extension === null ? [] : ["-e", extension])];
	return spawn(process.execPath, [cliPath(host), ...QUIET, ...load, ...args], {
		cwd: place.cwd,
		stdio: [stdin, "pipe", "pipe"],
		timeout: 60_000,
		killSignal: "SIGKILL",
		env: {
			PATH: process.env["PATH"] ?? "",
			HOME: place.home,
			PI_CODING_AGENT_DIR: place.agentDir,
			PI_OFFLINE: "1",
			PI_SKIP_VERSION_CHECK: "1",
			PI_TELEMETRY: "0",
			AI_SERVER_CERTS_DIR: join(place.home, "no-certs"),
			...env,
		},
	});
}

export type RpcLine = Readonly<Record<string, unknown>> & { readonly type: string };

/** pi in rpc mode: JSON lines both ways. */
export interface Rpc {
	/** Every line so far. */
	readonly lines: readonly RpcLine[];
	/** Sends a command and resolves with its response. */
	send(command: Readonly<Record<string, unknown>>): Promise<RpcLine>;
	/** Answers an extension_ui_request. */
	answer(id: unknown, answer: Readonly<Record<string, unknown>>): void;
	/** Resolves with the first line, past or future, that fits. Rejects when pi ends before. */
	waitFor(fits: (line: RpcLine) => boolean, from?: number): Promise<RpcLine>;
	/** Texts of all notifications so far. */
	notices(): readonly string[];
	/** Closes stdin and resolves with the exit code. */
	close(): Promise<number | null>;
}

export function startRpc(run: Omit<PiRun, "args"> & { readonly args?: readonly string[] }): Rpc {
	const args = ["--mode", "rpc", "--no-session", ...(run.args ?? [])];
	const child = spawnPi({ ...run, args }, "pipe");
	const lines: RpcLine[] = [];
	const waiting = new Set<() => void>();
	let rest = "";
	let stderr = "";
	let ended = false;
	let next = 0;
	const wake = (): void => {
		for (const look of waiting) look();
	};
	child.stdout?.setEncoding("utf8").on("data", (text: string) => {
		const parts = (rest + text).split("\n");
		rest = parts.pop() ?? "";
		lines.push(...parts.filter((part) => part !== "").map((part) => JSON.parse(part) as RpcLine));
		wake();
	});
	child.stderr?.setEncoding("utf8").on("data", (text: string) => {
		stderr += text;
	});
	const exit = new Promise<number | null>((resolve) => {
		child.once("close", (code) => {
			ended = true;
			wake();
			resolve(code);
		});
	});
	const waitFor: Rpc["waitFor"] = (fits, from = 0) =>
		new Promise((resolve, reject) => {
			const look = (): void => {
				const found = lines.slice(from).find(fits);
				if (found === undefined && !ended) return;
				waiting.delete(look);
				if (found !== undefined) resolve(found);
				else reject(new Error(`pi ended before that line came. stderr: ${stderr}`));
			};
			waiting.add(look);
			look();
		});
	return {
		lines,
		send(command) {
			next += 1;
			const id = `test-${next}`;
			child.stdin?.write(`${JSON.stringify({ id, ...command })}\n`);
			return waitFor((line) => line.type === "response" && line["id"] === id);
		},
		answer(id, answer) {
			child.stdin?.write(`${JSON.stringify({ type: "extension_ui_response", id, ...answer })}\n`);
		},
		waitFor,
		notices: () =>
			lines.flatMap((line) =>
				line.type === "extension_ui_request" && line["method"] === "notify"
					? [String(line["message"])]
					: [],
			),
		async close() {
			child.stdin?.end();
			return exit;
		},
	};
}
