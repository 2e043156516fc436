import { spawnSync } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { type Admin, createAdmin } from "../../../admin.ts";
import { loadSettings } from "../../../config.ts";
import { AiServerError } from "../../../lib/errors.ts";
import type { Http } from "../../../lib/http/types.ts";
import { setPresetKey } from "../../../lib/llama-swap/config/edit/set-option.ts";
import { NoSftpError } from "../../../lib/ssh/errors.ts";
import { shellQuote } from "../../../lib/ssh/quote.ts";
import type { Ssh } from "../../../lib/ssh/types.ts";
import { parseContextSize } from "../../../ui/context-size.ts";
import { HOSTILE } from "../../support/hostile.ts";

interface Machine {
	readonly ssh: Ssh;
	/** The words of every program that a command started, its name first. */
	started(): readonly (readonly string[])[];
	/** What lies in the home besides the programs: what a value made the shell do. */
	traces(): readonly string[];
}

const PROGRAMS = ["sh", "sudo", "timeout", "systemctl", "journalctl", "rc-service"];
/** How many words, then the words, each with a NUL behind it. */
const RECORDER = `#!/bin/sh\nprintf '%s\\0' "$(($# + 1))" "\${0##*/}" "$@" >>"$LOG"\n`;

/** A server without SFTP, where the real /bin/sh reads every command and finds only recorders. */
function machine(): Machine {
	const home = mkdtempSync(join(tmpdir(), "ai-server-words-"));
	onTestFinished(() => rmSync(home, { recursive: true }));
	const [bin, cwd] = [mkdtempSync(join(home, "bin-")), mkdtempSync(join(home, "cwd-"))];
	for (const name of PROGRAMS) writeFileSync(join(bin, name), RECORDER, { mode: 0o755 });
	const log = join(home, "log");
	writeFileSync(log, "");
	const env = { LOG: log, HOME: cwd, PATH: `${bin}:${process.env["PATH"]}` };
	const noSftp = (): Promise<never> => Promise.reject(new NoSftpError(new Error("no subsystem")));
	return {
		ssh: {
			target: "box",
			readFile: noSftp,
			readRange: noSftp,
			withSftp: noSftp,
			exec: async (command) => {
				const { status, stdout, stderr } = spawnSync("/bin/sh", ["-c", command], { cwd, env });
				const texts = { stdout: String(stdout), stderr: String(stderr) };
				return { code: status ?? undefined, signal: undefined, ...texts };
			},
			close: () => undefined,
		},
		started: () => {
			const words = readFileSync(log, "utf8").split("\0").slice(0, -1);
			const calls: string[][] = [];
			while (words.length > 0) calls.push(words.splice(0, Number(words.shift())));
			return calls;
		},
		traces: () => readdirSync(cwd),
	};
}

function adminOf(
	ssh: Ssh,
	{ configPath = "config.yaml", unit = "llama-swap.service" } = {},
): Admin {
	const http: Http = {
		request: () => Promise.reject(new AiServerError("network", "nothing listens", { hint: "" })),
		close: async () => undefined,
	};
	const { routes } = loadSettings({}, "/home/me");
	const service = () => ({ scope: "user", unit, user: "demo" }) as const;
	return createAdmin({
		routes,
		configPath,
		http,
		ssh,
		service,
		keySent: false,
	});
}

const TABLE = HOSTILE.map((value) => [value.slice(0, 50), value] as const);

test("the recorder keeps words apart, the empty one too", async () => {
	const { ssh, started, traces } = machine();
	await ssh.exec(`sh -c ${shellQuote("a b")} '' ${shellQuote("c\nd")}; touch trace`);
	expect(started()).toEqual([["sh", "-c", "a b", "", "c\nd"]]);
	expect(traces()).toEqual(["trace"]);
});

test.each(TABLE)("a path %j reaches no command at all", async (_start, value) => {
	const { ssh, started, traces } = machine();
	const admin = adminOf(ssh, { configPath: value });
	await expect(admin.readPreset()).rejects.toBeInstanceOf(NoSftpError);
	await expect(admin.writePreset("old", "new")).rejects.toBeInstanceOf(NoSftpError);
	expect([started(), traces()]).toEqual([[], []]);
});

test.each(TABLE)("a unit %j is refused before any shell", async (_start, value) => {
	const { ssh, started, traces } = machine();
	const admin = adminOf(ssh, { unit: value });
	for (const act of [admin.restart, admin.reloadBySignal]) {
		await expect(act()).rejects.toMatchObject({ code: "settings" });
	}
	// A setting is trimmed, and an empty one is as good as none.
	const { serviceUnit = "" } = loadSettings({ AI_SERVER_SERVICE_UNIT: value }, "/home/me");
	expect(["", value.trim() || "llama-swap.service"]).toContain(serviceUnit);
	expect(serviceUnit).not.toMatch(/[^\w.\\-]/);
	expect([started(), traces()]).toEqual([[], []]);
});

test.each(TABLE)("an id %j reaches no command at all", async (_start, value) => {
	const { ssh, started, traces } = machine();
	const admin = adminOf(ssh);
	const cmd = `llama-server --port \${PORT} -c 4096 -m ${shellQuote(`${value}.gguf`)}`;
	const yaml = `${JSON.stringify({ models: { [value]: { cmd } } })}\n`;
	const acts = [admin.load, admin.unload, admin.readProps, admin.explainLoad];
	for (const act of acts) await act(value).catch(() => undefined);
	await admin.trainedContext(value, yaml).catch(() => undefined);

	const edited = setPresetKey(yaml, value, "ctx-size", 8192).yaml;
	expect(edited).not.toBe(yaml);
	await expect(admin.writePreset(yaml, edited)).rejects.toBeInstanceOf(NoSftpError);
	expect([started(), traces()]).toEqual([[], []]);
});

test.each(TABLE)("a size %j is none", (_start, value) => {
	expect(parseContextSize(value)).toBeUndefined();
	expect(parseContextSize(`64k${value}`)).toBe(value === "" ? 65_536 : undefined);
});
