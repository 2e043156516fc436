import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { askOpenSsh, findRoute, runSshClient } from "../../../../lib/ssh/openssh/proxy-jump.ts";
import {
	type HostQuery,
	type LocalUser,
	plainSettings,
} from "../../../../lib/ssh/openssh/settings.ts";
import { parseSshTarget } from "../../../../lib/ssh/openssh/target.ts";
import { temporary } from "../../../support/ssh-rig.ts";

const LOCAL: LocalUser = { home: "/home/me", accountHome: "/home/me", name: "me", env: {} };

/** The route to a target, where `jumps` has the ProxyJump of each host. */
async function way(
	target: string,
	jumps: Readonly<Record<string, string>>,
): Promise<readonly string[]> {
	const route = await findRoute(parseSshTarget(target), async (query) => {
		const config = jumps[query.host]?.split(",") ?? [];
		const override = query.jumps ?? [];
		return { ...plainSettings(query, LOCAL), proxyJump: override.length > 0 ? override : config };
	});
	return route.map(({ user, host, port }) => `${user}@${host}:${port}`);
}

test.each<readonly [string, Readonly<Record<string, string>>, string]>([
	["box", {}, "me@box:22"],
	["demo@box:2222", { box: "a" }, "me@a:22 demo@box:2222"],
	["box", { box: "x@a:1,ssh://y@b:2,[::1]:3" }, "x@a:1 y@b:2 me@::1:3 me@box:22"],
	["box", { box: "a", a: "b" }, "me@b:22 me@a:22 me@box:22"],
	// A jump host with others in front of it is reached through them, whatever is in its config.
	["box", { box: "a,b", b: "c" }, "me@a:22 me@b:22 me@box:22"],
	["box", { box: "a,b", a: "c" }, "me@c:22 me@a:22 me@b:22 me@box:22"],
])("the way to %s with %o", async (target, jumps, route) => {
	expect((await way(target, jumps)).join(" ")).toBe(route);
});

test.each<readonly [Readonly<Record<string, string>>]>([
	[{ box: "box" }],
	[{ box: "a", a: "box" }],
	[{ box: "a,b", a: "c", c: "box" }],
])("a ProxyJump loop is reported: %o", async (jumps) => {
	await expect(way("box", jumps)).rejects.toMatchObject({
		code: "settings",
		message: expect.stringMatching(/^ProxyJump loop: .* > box$/),
		hint: expect.stringContaining("ProxyJump"),
	});
});

test.each(["-oProxyCommand=x", "a b", "a;b", ""])(
	"a jump host named %j is refused",
	async (jump) => {
		await expect(way("box", { box: `${jump},b` })).rejects.toMatchObject({
			code: "settings",
			message: expect.stringMatching(/ is not an SSH target$/),
		});
	},
);

/** The arguments of ssh and the result, for a home that is not the account's. */
async function asked(home: string, accountHome = "/home/me"): Promise<readonly string[]> {
	let seen: readonly string[] = [];
	const query: HostQuery = { user: undefined, host: "box", port: undefined };
	const runSsh = async (args: readonly string[]): Promise<string> => {
		seen = args;
		return "hostname box\n";
	};
	const options = { runSsh, deadlineMs: 1000, onMissing: () => undefined };
	await askOpenSsh(query, { ...LOCAL, home, accountHome }, options);
	return seen;
}

test("the config of the given home counts, whatever ssh takes for the home", async () => {
	const home = await temporary();
	expect(await asked(home, home)).toEqual(["-T", "-G", "--", "box"]);
	expect(await asked(home)).toEqual(["-T", "-G", "-F", "none", "--", "box"]);
	await mkdir(join(home, ".ssh"));
	await writeFile(join(home, ".ssh", "config"), "");
	expect(await asked(home)).toEqual(["-T", "-G", "-F", join(home, ".ssh", "config"), "--", "box"]);
});

test("without an ssh client the target alone counts, and that is noted", async () => {
	let missing = 0;
	const query: HostQuery = { user: undefined, host: "box", port: undefined };
	const options = { runSsh: async () => undefined, deadlineMs: 1000, onMissing: () => missing++ };
	expect(await askOpenSsh(query, LOCAL, options)).toEqual(plainSettings(query, LOCAL));
	expect(missing).toBe(1);
});

/** Puts a program named ssh in front of the PATH for one call. */
async function withSsh<T>(script: string | undefined, call: () => Promise<T>): Promise<T> {
	const folder = await temporary();
	if (script !== undefined) {
		await writeFile(join(folder, "ssh"), `#!/bin/sh\n${script}\n`, { mode: 0o755 });
	}
	const path = process.env["PATH"];
	process.env["PATH"] = folder;
	try {
		return await call();
	} finally {
		process.env["PATH"] = path;
	}
}

test("the ssh client gets its arguments as they are, and no shell sees them", async () => {
	const args = ["-G", "--", "$(reboot)", "a;b", "a b", "*"];
	const printed = await withSsh('for a in "$@"; do echo "<$a>"; done', () =>
		runSshClient(args, 10_000),
	);
	expect(printed).toBe(args.map((arg) => `<${arg}>\n`).join(""));
});

test("a missing ssh client is no error", async () => {
	expect(await withSsh(undefined, () => runSshClient(["-G"], 1000))).toBeUndefined();
});

test("what the ssh client reports about its config is quoted", async () => {
	const script =
		"echo warning >&2; echo 'config line 3: Bad configuration option: nonsense' >&2; exit 255";
	await expect(
		withSsh(script, () => runSshClient(["-G", "--", "box"], 1000)),
	).rejects.toMatchObject({
		code: "ssh",
		message: "The ssh client rejects its config: config line 3: Bad configuration option: nonsense",
		hint: "Try: ssh -G box",
	});
});

test("an ssh client that hangs is given up", async () => {
	await expect(
		withSsh("exec /bin/sleep 60", () => runSshClient(["-G"], 100)),
	).rejects.toMatchObject({
		code: "timeout",
		message: "ssh -G took longer than 0.1 s",
	});
});
