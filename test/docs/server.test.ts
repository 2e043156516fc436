import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdir, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { parse } from "yaml";
import { sizeOptionOf } from "../../lib/llama-server/options.ts";
import { parseCtxMapFromYaml } from "../../lib/llama-swap/config/read.ts";
import { scratch } from "../support/caddy.ts";
import { block, tableRows } from "../support/document.ts";
import { findProgram, run } from "../support/programs.ts";
import { readRecords } from "../support/records.ts";

let place: Awaited<ReturnType<typeof scratch>>;
beforeEach(async () => {
	place = await scratch();
});
afterEach(() => place.remove());

/** The errors of llama-swap's loader (internal/config/load.go) that a config of this kind can have. */
function errorsOf(text: string): readonly string[] {
	const known = /^(?:globalTTL|healthCheckTimeout|models|groups|macros|hooks|logLevel|startPort)$/;
	const config = parse(text) as { models: Record<string, { cmd: string; proxy?: string }> };
	const errors = Object.keys(config).filter((key) => !known.test(key));
	for (const [id, { cmd, proxy = "http://localhost:${PORT}" }] of Object.entries(config.models)) {
		if (proxy.includes("${PORT}") && !cmd.includes("${PORT}")) {
			errors.push(`model ${id}: proxy uses \${PORT} but cmd does not`);
		}
		const macros = [...cmd.matchAll(/\$\{([^}]*)\}/g)].map(([, name]) => name);
		errors.push(...macros.filter((name) => name !== "PORT").map((name) => `unknown macro ${name}`));
		if (/[~|&;<>`]|\$(?!\{)/.test(cmd)) errors.push(`model ${id}: cmd needs a shell`);
	}
	return errors;
}

test("the config is one that llama-swap loads, with the original's two models", async () => {
	const config = await block("config");
	expect(errorsOf(config)).toEqual([]);
	expect([...parseCtxMapFromYaml(config)]).toEqual([
		["Qwen_Qwen3.6-35B-A3B-Q8_0", 262_144],
		["MiniMax-M2.7-IQ3_XXS", 131_072],
	]);
	const original = config.replaceAll(/ +--port \$\{PORT\}\n/g, "");
	expect(errorsOf(original)).toEqual([
		"model Qwen_Qwen3.6-35B-A3B-Q8_0: proxy uses ${PORT} but cmd does not",
		"model MiniMax-M2.7-IQ3_XXS: proxy uses ${PORT} but cmd does not",
	]);
});

test("the README's short config is a part of the complete one", async () => {
	const [short, full] = [await block("config-short"), await block("config")];
	expect(errorsOf(short)).toEqual([]);
	const lines = short.split("\n").map((line) => line.trim());
	expect(lines.filter((line) => !full.includes(line))).toEqual([]);
	expect([...parseCtxMapFromYaml(short)]).toEqual([["MiniMax-M2.7-IQ3_XXS", 131_072]]);
});

const llamaSwap = findProgram("llama-swap");
test.skipIf(llamaSwap === undefined)("a real llama-swap starts with it", async () => {
	const file = join(place.folder, "config.yaml");
	await writeFile(file, await block("config"));
	const port = await freePort();
	const args = ["-config", file, "-listen", `127.0.0.1:${port}`];
	const child = spawn(llamaSwap ?? "", args, { cwd: place.folder, stdio: "ignore" });
	const ended = once(child, "close");
	const ids = async (): Promise<readonly string[]> => {
		const response = await fetch(`http://127.0.0.1:${port}/v1/models`);
		return ((await response.json()) as { data: { id: string }[] }).data.map(({ id }) => id);
	};
	await expect.poll(ids).toEqual(["MiniMax-M2.7-IQ3_XXS", "Qwen_Qwen3.6-35B-A3B-Q8_0"]);
	child.kill();
	await ended;
});

/** llama-swap's usage text, the same from v230 on. */
const FLAGS = /^-(?:config|config-dir|listen|tls-cert-file|tls-key-file|version|watch-config)$/;

test.each(["user-unit", "template-unit", "openrc"])(
	"%s starts llama-swap with flags it has",
	async (name) => {
		const text = await block(name);
		const [, command = ""] = /(?:ExecStart=\/\S+|command_args=") ?(.*?)"?$/m.exec(text) ?? [];
		const flags = command.split(/\s+/).filter((word) => word.startsWith("-"));
		expect(flags.toSorted()).toEqual(["-config", "-listen"]);
		expect(flags.every((flag) => FLAGS.test(flag))).toBe(true);
		expect(text).toContain("127.0.0.1:8080");
		expect(text).not.toContain("0.0.0.0");
	},
);

const analyze = findProgram("systemd-analyze");
test.skipIf(analyze === undefined).each([
	["user-unit", "llama-swap.service", ["--user"]],
	["template-unit", "llama-swap@.service", []],
])("systemd accepts %s", async (name, file, scope) => {
	const check = async (text: string): Promise<readonly string[]> => {
		const path = join(place.folder, file);
		await writeFile(path, text.replace("/usr/local/bin/llama-swap", "/bin/sh"));
		const env = { ...process.env, XDG_RUNTIME_DIR: place.folder };
		const { stderr } = await run(analyze ?? "", ["verify", ...scope, path], { env });
		// It looks at the machine's own units as well.
		return stderr.split("\n").filter((line) => line.includes("llama-swap"));
	};
	const unit = await block(name);
	expect(await check(unit)).toEqual([]);
	const wrong = unit.replace("infinity", "unlimited");
	expect(await check(wrong)).toEqual([expect.stringContaining("Failed to parse")]);
});

test("a user unit leaves the user as it is", async () => {
	expect(await block("user-unit")).not.toMatch(/^(?:User|Group)=|network/m);
});

test("the OpenRC script is a shell script that reloads with SIGHUP", async () => {
	const bin = join(place.folder, "bin");
	await mkdir(bin);
	const echo = '#!/bin/sh\necho "$(basename "$0") $*"\n';
	for (const name of ["ebegin", "eend", "checkpath", "use", "start-stop-daemon"]) {
		await writeFile(join(bin, name), echo, { mode: 0o755 });
	}
	const script = `RC_SVCNAME=llama-swap\n${await block("openrc")}\ndepend\nstart_pre\nreload\n`;
	const env = { PATH: `${bin}:${process.env["PATH"]}` };
	const { code, stdout, stderr } = await run("sh", ["-eu", "-c", script], { env });
	expect([code, stderr]).toEqual([0, ""]);
	expect(stdout.split("\n")).toEqual([
		"use net",
		"checkpath --file --owner ai-server:ai-server --mode 0640 /var/log/llama-swap.log",
		"ebegin Reloading the config of llama-swap",
		"start-stop-daemon --signal HUP --pidfile /run/llama-swap.pid",
		"eend 0",
		"",
	]);
});

test.each([
	["POST /api/models/unload", "unload-all", '{"msg":"ok"}'],
	["POST /api/models/unload/<id>", "unload-one", "OK"],
	["GET /health", "health", "OK"],
	["GET /upstream/<id>/health", "upstream-health-warm", '{"status":"ok"}'],
])("the API table has the answer of llama-swap to %s", async (route, id, answer) => {
	const rows = await tableRows("docs/server.md", "## HTTP API");
	const row = rows.find(([cell]) => cell === `\`${route}\``);
	expect(row?.[1]).toContain(`\`${answer}\``);
	const { exchanges } = await readRecords("llama-swap-v250");
	const recorded = exchanges.find((exchange) => exchange.id === id);
	expect(recorded?.body.trim()).toBe(answer);
	expect(recorded?.request.method).toBe(route.split(" ")[0]);
});

test("the options of the servers are those that an edit changes or adds", async () => {
	const rows = await tableRows("docs/context-window.md", "## Options");
	expect(rows.length).toBeGreaterThan(5);
	for (const [servers = "", option = ""] of rows) {
		for (const [, server = ""] of servers.matchAll(/`([^`]+)`/g)) {
			expect(`\`${sizeOptionOf(server)}\``, server).toBe(option);
		}
	}
});

function freePort(): Promise<number> {
	const { promise, resolve } = Promise.withResolvers<number>();
	const server = createServer().listen(0, "127.0.0.1", () => {
		const address = server.address();
		const port = typeof address === "object" && address !== null ? address.port : 0;
		server.close(() => resolve(port));
	});
	return promise;
}
