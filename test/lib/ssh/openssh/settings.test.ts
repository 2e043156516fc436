import { expect, test } from "vitest";
import {
	type HostQuery,
	type LocalUser,
	parseSettings,
	plainSettings,
	settingsArguments,
} from "../../../../lib/ssh/openssh/settings.ts";

const LOCAL: LocalUser = {
	home: "/home/me",
	accountHome: "/home/me",
	name: "me",
	env: { SSH_AUTH_SOCK: "/run/agent", OTHER: "/run/other", KEYS: "/keys" },
};
const QUERY: HostQuery = { user: undefined, host: "box", port: undefined };

/** What OpenSSH 9.2 printed for a host without any config, as far as it matters. */
const PRINTED = [
	"host box",
	"user root",
	"hostname box",
	"port 22",
	"hashknownhosts no",
	"identitiesonly no",
	"identityfile ~/.ssh/id_rsa",
	"identityfile ~/.ssh/id_ed25519",
	"globalknownhostsfile /etc/ssh/ssh_known_hosts /etc/ssh/ssh_known_hosts2",
	"userknownhostsfile /home/me/.ssh/known_hosts /home/me/.ssh/known_hosts2",
];

/** PRINTED with some settings in place of its own. */
function printed(...lines: readonly string[]): string {
	const keys = new Set(lines.map((line) => line.split(" ")[0]));
	const others = PRINTED.filter((line) => !keys.has(line.split(" ")[0]));
	return [...lines, ...others, ""].join("\n");
}

test.each<readonly [HostQuery, string | undefined, string]>([
	[QUERY, undefined, "-T -G -- box"],
	[QUERY, "/h/.ssh/config", "-T -G -F /h/.ssh/config -- box"],
	[{ user: "demo", host: "::1", port: 22 }, undefined, "-T -G -l demo -p 22 -- ::1"],
	[{ ...QUERY, jumps: ["a@b:1", "c"] }, undefined, "-T -G -J a@b:1,c -- box"],
	[{ ...QUERY, jumps: [] }, undefined, "-T -G -- box"],
])("asks ssh about %o", (query, config, line) => {
	expect(settingsArguments(query, config).join(" ")).toBe(line);
});

test("reads what ssh prints for a host that is in no config", () => {
	expect(parseSettings(printed(), QUERY, LOCAL)).toEqual({
		user: "root",
		host: "box",
		port: 22,
		hostKeyAlias: undefined,
		identityFiles: ["/home/me/.ssh/id_rsa", "/home/me/.ssh/id_ed25519"],
		identitiesOnly: false,
		agent: "/run/agent",
		proxyJump: [],
		hashKnownHosts: false,
		userKnownHosts: ["/home/me/.ssh/known_hosts", "/home/me/.ssh/known_hosts2"],
		globalKnownHosts: ["/etc/ssh/ssh_known_hosts", "/etc/ssh/ssh_known_hosts2"],
	});
});

test.each<readonly [string, object]>([
	["hostname Box.Example", { host: "Box.Example" }],
	["hostname fe80::1%eth0", { host: "fe80::1%eth0" }],
	["user demo", { user: "demo" }],
	["port 2222", { port: 2222 }],
	["hostkeyalias boxy", { hostKeyAlias: "boxy" }],
	["hostkeyalias [boxy]:2222", { hostKeyAlias: "[boxy]:2222" }],
	["hashknownhosts yes", { hashKnownHosts: true }],
	["identitiesonly yes", { identitiesOnly: true }],
	["identityfile none", { identityFiles: [] }],
	["identityfile /with space/key", { identityFiles: ["/with space/key"] }],
	["identityfile %d/k-%h-%p-%r-%u-%%-%Z", { identityFiles: ["/home/me/k-box-22-root-me-%-%Z"] }],
	["identityfile ${KEYS}/k", { identityFiles: ["/keys/k"] }],
	["identityfile ~other/k", { identityFiles: ["~other/k"] }],
	["identityagent none", { agent: undefined }],
	["identityagent SSH_AUTH_SOCK", { agent: "/run/agent" }],
	["identityagent $OTHER", { agent: "/run/other" }],
	["identityagent $UNSET", { agent: undefined }],
	["identityagent ~/agent", { agent: "/home/me/agent" }],
	["identityagent /run/mine", { agent: "/run/mine" }],
	["proxyjump none", { proxyJump: [] }],
	["proxyjump a@b:1,c", { proxyJump: ["a@b:1", "c"] }],
	["proxycommand none", { proxyJump: [] }],
	["userknownhostsfile none", { userKnownHosts: [] }],
	["userknownhostsfile /a b/k /c ~/d", { userKnownHosts: ["/a b/k", "/c", "/home/me/d"] }],
	["globalknownhostsfile /dev/null", { globalKnownHosts: ["/dev/null"] }],
])("reads %s", (line, settings) => {
	expect(parseSettings(printed(line), QUERY, LOCAL)).toMatchObject(settings);
	expect(parseSettings(printed(line).replaceAll("\n", "\r\n"), QUERY, LOCAL)).toMatchObject(
		settings,
	);
});

test("without an agent in the environment there is none", () => {
	for (const env of [{}, { SSH_AUTH_SOCK: "" }]) {
		expect(parseSettings(printed(), QUERY, { ...LOCAL, env }).agent).toBeUndefined();
		expect(plainSettings(QUERY, { ...LOCAL, env }).agent).toBeUndefined();
	}
});

test("files of the account's .ssh are those of the given home", () => {
	const local = { ...LOCAL, home: "/tmp/demo" };
	const settings = parseSettings(printed("identityfile /home/me/.sshx/k"), QUERY, local);
	expect(settings.userKnownHosts).toEqual([
		"/tmp/demo/.ssh/known_hosts",
		"/tmp/demo/.ssh/known_hosts2",
	]);
	expect(settings.identityFiles).toEqual(["/home/me/.sshx/k"]);
});

test.each([
	["proxycommand nc %h %p", "ssh", /through a ProxyCommand, which is not supported/],
	["hostname -oProxyCommand=x", "settings", /unusable name: -oProxyCommand=x/],
	["hostname a;b", "settings", /unusable name/],
	["user a b", "settings", /unusable name/],
	["hostkeyalias a'b", "settings", /unusable name/],
	["hostkeyalias -f", "settings", /unusable name/],
])("refuses %s", (line, code, message) => {
	expect(() => parseSettings(printed(line), QUERY, LOCAL)).toThrow(
		expect.objectContaining({ code, message: expect.stringMatching(message) }),
	);
});

test("without an ssh client the target counts, and OpenSSH's usual files", () => {
	expect(plainSettings({ user: "demo", host: "box", port: 2222 }, LOCAL)).toEqual({
		user: "demo",
		host: "box",
		port: 2222,
		hostKeyAlias: undefined,
		identityFiles: ["id_ed25519", "id_ecdsa", "id_rsa"].map((name) => `/home/me/.ssh/${name}`),
		identitiesOnly: false,
		agent: "/run/agent",
		proxyJump: [],
		hashKnownHosts: false,
		userKnownHosts: ["/home/me/.ssh/known_hosts", "/home/me/.ssh/known_hosts2"],
		globalKnownHosts: ["/etc/ssh/ssh_known_hosts", "/etc/ssh/ssh_known_hosts2"],
	});
	expect(plainSettings(QUERY, LOCAL)).toMatchObject({ user: "me", port: 22 });
});
