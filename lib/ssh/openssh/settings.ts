import { join } from "node:path";
import { AiServerError } from "../../errors.ts";
import type { SshTarget } from "../types.ts";
import { isHostName, isUserName } from "./target.ts";

/** Where one hop of the route ends. */
export interface Endpoint {
	readonly user: string;
	readonly host: string;
	readonly port: number;
}

/** What OpenSSH would use for one host (ssh_config(5)); paths are absolute. */
export interface HostSettings extends Endpoint {
	/** The name in known_hosts, in place of host and port. */
	readonly hostKeyAlias: string | undefined;
	readonly identityFiles: readonly string[];
	/** Offers no key of the agent but those of identityFiles. */
	readonly identitiesOnly: boolean;
	/** The agent's socket. */
	readonly agent: string | undefined;
	/** The jump hosts, in the order of the route. */
	readonly proxyJump: readonly string[];
	/** New keys are written to the first. */
	readonly userKnownHosts: readonly string[];
	readonly globalKnownHosts: readonly string[];
	readonly hashKnownHosts: boolean;
}

/** What `ssh -G` is asked for: a target; for a jump host also the jumps before it. */
export interface HostQuery extends SshTarget {
	/** Replaces the config's ProxyJump. */
	readonly jumps?: readonly string[];
}

/** The local user, whose keys and config are used. */
export interface LocalUser {
	/** The home whose .ssh is used. */
	readonly home: string;
	/** The home in the account database: `ssh` ignores $HOME. */
	readonly accountHome: string;
	readonly name: string;
	readonly env: Readonly<Record<string, string | undefined>>;
}

/** Used where no ssh client is installed to report its defaults; the newest kind first. */
const KEY_FILES = ["id_ed25519", "id_ecdsa", "id_rsa"] as const;

/**
 * The arguments that make `ssh` print the settings of a host and do nothing else. `config` replaces
 * the user's and the system's file.
 */
export function settingsArguments(query: HostQuery, config: string | undefined): readonly string[] {
	const { user, host, port, jumps = [] } = query;
	return [
		"-T",
		"-G",
		...(config === undefined ? [] : ["-F", config]),
		...(user === undefined ? [] : ["-l", user]),
		...(port === undefined ? [] : ["-p", String(port)]),
		...(jumps.length === 0 ? [] : ["-J", jumps.join(",")]),
		"--",
		host,
	];
}

/** Reads what `ssh -G` printed. Throws AiServerError where the config asks for what is not supported. */
export function parseSettings(printed: string, query: HostQuery, local: LocalUser): HostSettings {
	const values = new Map<string, string[]>();
	for (const line of printed.split(/\r?\n/)) {
		const [, key, value] = /^(\S+) (.*)$/.exec(line) ?? [];
		if (key === undefined || value === undefined) continue;
		values.set(key, [...(values.get(key) ?? []), value]);
	}
	const one = (key: string): string | undefined => values.get(key)?.[0];
	const some = (key: string): string | undefined => (one(key) === "none" ? undefined : one(key));

	if (some("proxycommand") !== undefined) {
		throw new AiServerError(
			"ssh",
			`The ssh config reaches ${query.host} through a ProxyCommand, which is not supported`,
			{ hint: "Use ProxyJump in ~/.ssh/config" },
		);
	}
	const host = one("hostname") ?? query.host;
	const user = one("user") ?? query.user ?? local.name;
	const hostKeyAlias = some("hostkeyalias");
	for (const [name, fits] of [
		[host, isHostName(host)],
		[user, isUserName(user)],
		[hostKeyAlias, hostKeyAlias === undefined || /^[^\s'\\-][^\s'\\]*$/.test(hostKeyAlias)],
	] as const) {
		if (!fits) {
			throw new AiServerError(
				"settings",
				`The ssh config gives ${query.host} an unusable name: ${name}`,
				{
					hint: "Check HostName, User and HostKeyAlias in ~/.ssh/config",
				},
			);
		}
	}
	const endpoint = { user, host, port: Number(one("port") ?? query.port ?? 22) };
	const path = (text: string): string => expandPath(text, endpoint, local);
	return {
		...endpoint,
		hostKeyAlias,
		identityFiles: (values.get("identityfile") ?? []).filter((file) => file !== "none").map(path),
		identitiesOnly: one("identitiesonly") === "yes",
		agent: agentOf(one("identityagent"), path, local.env),
		proxyJump: some("proxyjump")?.split(",") ?? [],
		userKnownHosts: splitPaths(some("userknownhostsfile")).map(path),
		globalKnownHosts: splitPaths(some("globalknownhostsfile")).map(path),
		hashKnownHosts: one("hashknownhosts") === "yes",
	};
}

/** Used where no ssh client is installed: the target, and OpenSSH's usual files. */
export function plainSettings(query: HostQuery, local: LocalUser): HostSettings {
	const folder = join(local.home, ".ssh");
	return {
		user: query.user ?? local.name,
		host: query.host,
		port: query.port ?? 22,
		hostKeyAlias: undefined,
		identityFiles: KEY_FILES.map((name) => join(folder, name)),
		identitiesOnly: false,
		agent: agentOf(undefined, (text) => text, local.env),
		proxyJump: query.jumps ?? [],
		userKnownHosts: ["known_hosts", "known_hosts2"].map((name) => join(folder, name)),
		globalKnownHosts: ["/etc/ssh/ssh_known_hosts", "/etc/ssh/ssh_known_hosts2"],
		hashKnownHosts: false,
	};
}

function agentOf(
	value: string | undefined,
	path: (text: string) => string,
	env: LocalUser["env"],
): string | undefined {
	if (value === "none") return undefined;
	const isUsual = value === undefined || value === "SSH_AUTH_SOCK";
	const variable = isUsual ? "SSH_AUTH_SOCK" : /^\$(\w+)$/.exec(value)?.[1];
	const socket = variable === undefined ? path(value ?? "") : env[variable];
	return socket === "" ? undefined : socket;
}

/** `ssh -G` prints several paths on one line without quotes; each begins with a root or "~". */
function splitPaths(text: string | undefined): readonly string[] {
	return text?.split(/ (?=[/~]|[A-Za-z]:[\\/])/) ?? [];
}

/** `ssh -G` leaves "~", %-tokens and ${VARIABLES} of some settings as they are (ssh_config(5), TOKENS). */
function expandPath(text: string, { user, host, port }: Endpoint, local: LocalUser): string {
	const { home, accountHome, name, env } = local;
	const tokens = new Map(
		Object.entries({ "%": "%", d: home, h: host, p: String(port), r: user, u: name }),
	);
	const path = text
		.replace(/^~(?=\/|$)/, () => home)
		.replace(/\$\{(\w+)\}/g, (_whole, variable: string) => env[variable] ?? "")
		.replace(/%(.)/g, (whole, token: string) => tokens.get(token) ?? whole);
	const folder = join(accountHome, ".ssh", "/");
	return path.startsWith(folder) ? join(home, ".ssh", path.slice(folder.length)) : path;
}
