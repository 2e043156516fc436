import { execFileSync } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { serviceCommand } from "../../../lib/service/commands.ts";
import { shellQuote } from "../../../lib/ssh/quote.ts";
import { HOSTILE } from "../../support/hostile.ts";

test("there are at least 40 hostile values", () => {
	expect(new Set(HOSTILE).size).toBeGreaterThanOrEqual(40);
});

/** What is executed shows itself by a file in the working folder. */
function folder(): string {
	const made = mkdtempSync(join(tmpdir(), "ai-server-quote-"));
	onTestFinished(() => rmSync(made, { recursive: true }));
	return made;
}

test.each(HOSTILE.map((value) => [value.slice(0, 50), value]))(
	"%j comes through a shell as it is",
	(_start, value) => {
		const cwd = folder();
		const run = (command: string): string =>
			execFileSync("sh", ["-c", command], { cwd, encoding: "utf8" });
		expect(run(`printf %s ${shellQuote(value)}`)).toBe(value);
		// As sshd does: the login shell reads the command, and that starts another one.
		const inner = `printf %s "$1"`;
		expect(run(`sh -c ${shellQuote(inner)} sh ${shellQuote(value)}`)).toBe(value);
		const nested = `sh -c ${shellQuote(`printf %s ${shellQuote(value)}`)}`;
		expect(run(nested)).toBe(value);
		expect(run(`printf %s a${shellQuote(value)}b`)).toBe(`a${value}b`);
		expect(readdirSync(cwd)).toEqual([]);
	},
);

test("no backslash stands between quotes, where fish would read it", () => {
	for (const value of HOSTILE) {
		const quoted = shellQuote(value);
		const parts = quoted.match(/'[^']*'|\\./g) ?? [];
		expect(parts.join("")).toBe(quoted);
		for (const part of parts) if (part.startsWith("'")) expect(part).not.toContain("\\");
	}
	expect(shellQuote("a\\b'c")).toBe(`'a'\\\\'b'\\''c'`);
	expect(shellQuote("")).toBe("''");
});

test("a NUL is refused", () => {
	expect(() => shellQuote("a\0b")).toThrow('"a\\u0000b" contains a NUL character');
});

const SCOPES = ["user", "system", "openrc"] as const;
const ACTIONS = ["restart", "is-active", "journal", "kill-hup"] as const;

test("a hostile unit never gets into a command", () => {
	for (const value of HOSTILE) {
		for (const scope of SCOPES) {
			for (const action of ACTIONS) {
				expect(() => serviceCommand(scope, value, action)).toThrow("is not a service name");
			}
		}
	}
});

test.each(SCOPES)("a unit reaches the tools of scope %s as one word", (scope) => {
	const cwd = folder();
	const unit = scope === "openrc" ? "llama-swap.a+b" : "a\\x2db:c@d\\x2fe.service";
	const tool = '#!/bin/sh\nfor word do printf "<%s>" "$word" >>"$LOG"; done\n';
	for (const name of ["systemctl", "rc-service", "journalctl"]) {
		execFileSync("sh", ["-c", `cat >"$1"; chmod +x "$1"`, "sh", join(cwd, name)], { input: tool });
	}
	const sudo = '#!/bin/sh\nshift; exec "$@"\n';
	execFileSync("sh", ["-c", `cat >"$1"; chmod +x "$1"`, "sh", join(cwd, "sudo")], { input: sudo });
	const log = join(cwd, "log");
	const env = { PATH: `${cwd}:${process.env["PATH"]}`, LOG: log };
	const command = serviceCommand(scope, unit, "restart");
	execFileSync("sh", ["-c", command], { env, cwd });
	expect(readFileSync(log, "utf8")).toBe(
		scope === "openrc"
			? `<${unit}><restart>`
			: `${scope === "user" ? "<--user>" : ""}<restart><--><${unit}>`,
	);
});
