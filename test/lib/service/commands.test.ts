import { execFileSync } from "node:child_process";
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { describeError } from "../../../lib/errors.ts";
import {
	parseServiceScope,
	parseServiceUnit,
	type ServiceAction,
	type ServiceCall,
	type ServiceScope,
	serviceCommand,
	serviceError,
} from "../../../lib/service/commands.ts";

test.each([
	["user", "user"],
	["system", "system"],
	["openrc", "openrc"],
	[" OpenRC ", "openrc"],
])("the scope %j", (text, scope) => {
	expect(parseServiceScope(text)).toBe(scope);
});

test.each(["", "root", "systemd", "user system"])("no scope: %j", (text) => {
	expect(() => parseServiceScope(text)).toThrow(
		expect.objectContaining({
			code: "settings",
			message: `${JSON.stringify(text)} is not a service scope`,
			hint: "Use user, system or openrc",
			settings: ["serviceScope"],
		}),
	);
});

test.each<readonly [ServiceScope, string, string]>([
	["user", "llama-swap.service", "llama-swap.service"],
	["user", "llama-swap", "llama-swap"],
	["system", "llama-swap@name.service", "llama-swap@name.service"],
	["system", "llama-swap@a@b.service", "llama-swap@a@b.service"],
	["system", "a\\x2db:c_d.service", "a\\x2db:c_d.service"],
	["openrc", "llama-swap", "llama-swap"],
	["openrc", "llama-swap.service", "llama-swap"],
	["openrc", "llama.swap+2", "llama.swap+2"],
])("%s: the unit %s", (scope, text, unit) => {
	expect(parseServiceUnit(scope, text)).toBe(unit);
});

test.each<readonly [ServiceScope, string]>([
	["user", ""],
	["user", "-h"],
	["user", "@name.service"],
	["user", "llama-swap@.service"],
	["system", "llama-swap@"],
	["system", "a b.service"],
	["system", "a/b.service"],
	["system", "llama*.service"],
	["system", "x".repeat(256)],
	["openrc", ".service"],
	["openrc", "llama-swap@name"],
	["openrc", "../net"],
	["openrc", "-h"],
])("%s: no unit is %j", (scope, text) => {
	expect(() => parseServiceUnit(scope, text)).toThrow(
		expect.objectContaining({
			code: "settings",
			message: `${JSON.stringify(text)} is not a service name`,
			settings: ["serviceUnit"],
		}),
	);
	expect(() => serviceCommand(scope, text, "restart")).toThrow("is not a service name");
});

/** A folder with programs that write down how they were called. */
function tools(scripts: Readonly<Record<string, string>>): string {
	const folder = mkdtempSync(join(tmpdir(), "ai-server-service-"));
	onTestFinished(() => rmSync(folder, { recursive: true }));
	for (const [name, script] of Object.entries(scripts)) {
		writeFileSync(join(folder, name), `#!/bin/sh\n${script}\n`);
		chmodSync(join(folder, name), 0o755);
	}
	return folder;
}

const TELL = 'echo "${0##*/} $*"';
const SUDO = 'echo "sudo $1"; shift; exec "$@"';

function run(command: string, folder: string, env: Record<string, string> = {}): string {
	const output = execFileSync("/bin/sh", ["-c", command], {
		env: { PATH: `${folder}:/usr/bin:/bin`, ...env },
		encoding: "utf8",
	});
	return output.trimEnd();
}

test.each<readonly [ServiceScope, ServiceAction, string]>([
	["user", "restart", "systemctl --user restart -- llama-swap@a.service"],
	["user", "is-active", "systemctl --user is-active -- llama-swap@a.service"],
	[
		"user",
		"kill-hup",
		"systemctl --user kill --signal=HUP --kill-who=main -- llama-swap@a.service",
	],
	[
		"user",
		"journal",
		"journalctl --quiet --no-pager --output=cat --lines=20 --user-unit=llama-swap@a.service",
	],
	["system", "restart", "sudo -n\nsystemctl restart -- llama-swap@a.service"],
	["system", "is-active", "systemctl is-active -- llama-swap@a.service"],
	[
		"system",
		"kill-hup",
		"sudo -n\nsystemctl kill --signal=HUP --kill-who=main -- llama-swap@a.service",
	],
	[
		"system",
		"journal",
		"sudo -n\njournalctl --quiet --no-pager --output=cat --lines=20 --unit=llama-swap@a.service",
	],
	["openrc", "restart", "sudo -n\nrc-service llama-swap restart"],
	["openrc", "is-active", "active"],
])("%s: %s", (scope, action, calls) => {
	const folder = tools({ systemctl: TELL, journalctl: TELL, "rc-service": TELL, sudo: SUDO });
	const unit = scope === "openrc" ? "llama-swap" : "llama-swap@a.service";
	expect(run(serviceCommand(scope, unit, action), folder)).toBe(calls);
});

test.each([
	["itself", "/run/llama-swap.pid", "llama-swap", "sudo -n\nkill -HUP 12"],
	[
		"under a supervisor",
		"/run/supervise-llama-swap.pid",
		"supervise-daemo",
		"sudo -n\nllama-swap\nsupervise-daemon llama-swap --signal HUP",
	],
	[
		"under a supervisor with a pid file of its own",
		"/run/llama-swap.pid",
		"supervise-daemo",
		"sudo -n\nllama-swap\nsupervise-daemon llama-swap --signal HUP",
	],
])("OpenRC signals a llama-swap %s", (_how, pidFile, process, calls) => {
	const folder = tools({
		cat: `case "$1" in ${pidFile}) echo 12;; /proc/12/comm) echo ${process};; *) exit 1;; esac`,
		kill: TELL,
		"supervise-daemon": `echo "$RC_SVCNAME"; ${TELL}`,
		sudo: SUDO,
	});
	expect(run(serviceCommand("openrc", "llama-swap", "kill-hup"), folder)).toBe(calls);
});

test("the user's bus is found without a PAM session, and kept with one", () => {
	const folder = tools({ systemctl: 'echo "$XDG_RUNTIME_DIR"' });
	const command = serviceCommand("user", "llama-swap.service", "restart");
	expect(run(command, folder)).toBe(`/run/user/${process.getuid?.()}`);
	expect(run(command, folder, { XDG_RUNTIME_DIR: "/own" })).toBe("/own");
});

test.each<readonly [ServiceScope, string]>([
	["system", "systemctl restart -- llama-swap"],
	["openrc", "rc-service llama-swap restart"],
])("%s: a machine without sudo is asked directly", (scope, call) => {
	const folder = tools({ systemctl: TELL, "rc-service": TELL });
	const command = serviceCommand(scope, "llama-swap", "restart");
	const found = execFileSync("/bin/sh", ["-c", "command -v sudo || true"], { encoding: "utf8" });
	if (found === "") expect(run(command, folder)).toBe(call);
	else expect(command).toContain(`else timeout 60 ${call.split(" ")[0]} `);
});

test("the journal is read without sudo where sudo does not allow it", () => {
	const folder = tools({
		journalctl: TELL,
		sudo: 'echo "sudo: a password is required" >&2; exit 1',
	});
	expect(run(serviceCommand("system", "x.service", "journal"), folder)).toMatch(/^journalctl /);
});

const CALL: ServiceCall = {
	scope: "user",
	unit: "llama-swap.service",
	action: "restart",
	user: "me",
};

test.each<readonly [string, Partial<ServiceCall>, number | undefined, string, RegExp, RegExp]>([
	[
		"no such unit",
		{},
		5,
		"Failed to restart llama-swap.service: Unit llama-swap.service not found.\n",
		/^The service llama-swap\.service does not exist among the user services of the SSH login \(exit code 5: Failed to restart .* not found\.\)$/,
		/^Check unit and scope$/,
	],
	[
		"no such unit to signal",
		{ scope: "system", action: "kill-hup" },
		1,
		"Failed to kill unit llama-swap.service: Unit llama-swap.service not loaded.\n",
		/^The service llama-swap\.service does not exist among the system services/,
		/scope/,
	],
	[
		"no such OpenRC service",
		{ scope: "openrc", unit: "llama-swap" },
		1,
		" * rc-service: service `llama-swap' does not exist\n",
		/^The service llama-swap does not exist in OpenRC/,
		/unit/,
	],
	[
		"sudo asks for a password",
		{ scope: "system" },
		1,
		"sudo: a password is required\n",
		/^Restarting llama-swap\.service needs root, and me has no permission \(exit code 1: sudo: a password is required\)$/,
		/^Add with visudo: me ALL=\(root\) NOPASSWD: \/usr\/bin\/systemctl restart -- llama-swap\.service, \/usr\/bin\/systemctl kill --signal\\=HUP --kill-who\\=main -- llama-swap\.service$/,
	],
	[
		"sudo does not know the user",
		{ scope: "system", unit: "a:b\\x2dc@d.service" },
		1,
		"me is not in the sudoers file.  This incident will be reported.\n",
		/ needs root, and me has no permission /,
		/restart -- a\\:b\\\\x2dc@d\.service,/,
	],
	[
		"polkit asks",
		{ scope: "system" },
		1,
		"Failed to restart llama-swap.service: Interactive authentication required.\n",
		/ needs root, and me has no permission /,
		/visudo/,
	],
	[
		"OpenRC requires root",
		{ scope: "openrc", unit: "llama-swap" },
		1,
		" * llama-swap: superuser access required\n",
		/ needs root, and me has no permission /,
		/NOPASSWD: \/sbin\/rc-service llama-swap restart$/,
	],
	[
		"OpenRC's process is root's",
		{ scope: "openrc", unit: "llama-swap", action: "kill-hup" },
		1,
		"sh: kill: (12) - Operation not permitted\n",
		/^Signalling llama-swap needs root, and me has no permission/,
		/restart the service instead/,
	],
	[
		"no bus",
		{},
		1,
		"Failed to connect to bus: No medium found\n",
		/^systemd does not run for me without a login session \(exit code 1: Failed to connect to bus/,
		/^Run once on the server: sudo loginctl enable-linger me$/,
	],
	[
		"no bus, in the words of a newer systemd",
		{},
		1,
		"Failed to connect to user scope bus via local transport: $DBUS_SESSION_BUS_ADDRESS and $XDG_RUNTIME_DIR not defined (consider using --machine=<user>@.host --user to connect to bus of other user)\n",
		/^systemd does not run for me/,
		/enable-linger/,
	],
	[
		"a machine without systemd",
		{ scope: "system" },
		1,
		"System has not been booted with systemd as init system (PID 1). Can't operate.\nFailed to connect to bus: Host is down\n",
		/^systemctl or sudo is not available on the server /,
		/^Set the service scope to user or openrc$/,
	],
	[
		"no systemctl",
		{},
		127,
		"timeout: failed to run command 'systemctl': No such file or directory\n",
		/^systemctl is not available on the server /,
		/^Set the service scope to system or openrc$/,
	],
	[
		"no rc-service",
		{ scope: "openrc", unit: "llama-swap" },
		1,
		"sudo: rc-service: command not found\n",
		/^rc-service is not available on the server /,
		/to user or system$/,
	],
	[
		"a service that does not start",
		{},
		1,
		"Job for llama-swap.service failed because the control process exited with error code.\n",
		/^Restarting llama-swap\.service failed \(exit code 1: Job for llama-swap\.service failed because/,
		/log/,
	],
	[
		"too slow",
		{},
		124,
		"",
		/^Restarting llama-swap\.service did not end within 60 s \(exit code 124\)$/,
		/./,
	],
	["a silent failure", {}, 3, "", /^Restarting llama-swap\.service failed \(exit code 3\)$/, /log/],
	[
		"a cut",
		{},
		undefined,
		"",
		/^Restarting llama-swap\.service was interrupted \(no exit code\)$/,
		/./,
	],
	[
		"control characters",
		{ action: "journal" },
		1,
		"\u001b[31mred\u001b[0m\u0007\nnext",
		/^Reading the log of llama-swap\.service failed \(exit code 1: red next\)$/,
		/./,
	],
])("in words: %s", (_what, call, code, stderr, message, hint) => {
	const error = serviceError({ code, stderr }, { ...CALL, ...call });
	expect(error.code).toBe("ssh");
	expect(error.message).toMatch(message);
	expect(error.hint).toMatch(hint);
	expect(describeError(error)).not.toMatch(/\n/);
});
