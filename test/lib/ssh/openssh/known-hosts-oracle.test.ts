import { execFile } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, expect, test } from "vitest";
import { createSsh } from "../../../../lib/ssh/connection.ts";
import {
	type HostKeyVerdict,
	type HostName,
	hostKeyAlgorithms,
	judgeHostKey,
	knownHostsLine,
} from "../../../../lib/ssh/openssh/known-hosts.ts";
import {
	findOpenSsh,
	type HostKeyType,
	makeKey,
	type Sshd,
	startSshd,
} from "../../../support/sshd.ts";

// `ssh` itself decides what a known_hosts file means: each row is given to it and to our code.

type Kind = HostKeyVerdict["kind"];
type Keys = Readonly<Record<HostKeyType, string>>;

const TYPES = ["ed25519", "ecdsa", "rsa"] as const;

const run = promisify(execFile);
const HOST_KEYS: Readonly<Record<HostKeyType, readonly string[]>> = {
	ed25519: ["ssh-ed25519"],
	ecdsa: ["ecdsa-sha2-nistp256"],
	rsa: ["rsa-sha2-512", "rsa-sha2-256"],
};

const found = await findOpenSsh();
const real = test.skipIf(found === undefined);
let folder: string;
let server: Sshd;
let stranger: Keys;
let own: Keys;

beforeAll(async () => {
	if (found === undefined) return;
	folder = await mkdtemp(join(tmpdir(), "ai-server-oracle-"));
	server = await startSshd(found.sshd, { hostKeys: TYPES });
	const all = async (keyOf: (type: HostKeyType) => Promise<string>): Promise<Keys> => {
		const [ed25519, ecdsa, rsa] = await Promise.all(TYPES.map(keyOf));
		return { ed25519: ed25519 ?? "", ecdsa: ecdsa ?? "", rsa: rsa ?? "" };
	};
	own = await all((type) => server.hostKey(type));
	stranger = await all((type) => makeKey(join(folder, `stranger_${type}`), { type }));
});

afterAll(async () => {
	await server?.close();
	if (folder !== undefined) await rm(folder, { recursive: true, force: true });
});

function blob(key: string): Buffer {
	return Buffer.from(key.split(" ")[1] ?? "", "base64");
}

/** Fills in a table's text: E, C, R are the server's keys, e, c, r a stranger's; #name# is hashed. */
function fill(text: string, port: number): string {
	const keys: Readonly<Record<string, string>> = {
		E: own.ed25519,
		C: own.ecdsa,
		R: own.rsa,
		e: stranger.ed25519,
		c: stranger.ecdsa,
		r: stranger.rsa,
	};
	return text
		.replaceAll("PORT", String(port))
		.replace(/#(.*?)#/g, (_whole, name: string) => hashed(name))
		.replace(/<(\w)>/g, (_whole, key: string) => keys[key] ?? "");
}

function hashed(alias: string): string {
	const line = knownHostsLine({ host: "", port: 22, alias }, blob(own.ed25519), true);
	return line.split(" ")[0] ?? "";
}

/** The verdict of a strict ssh that cannot ask. It never logs in. */
async function askSsh(args: readonly string[], files: readonly string[]): Promise<Kind> {
	const options = [
		...["BatchMode=yes", "StrictHostKeyChecking=yes", "UpdateHostKeys=no", "LogLevel=INFO"],
		...["PreferredAuthentications=none", `UserKnownHostsFile=${files.join(" ")}`],
		// The quickest: what is looked at comes after it.
		...["GlobalKnownHostsFile=none", "KexAlgorithms=curve25519-sha256"],
	];
	const asked = run("ssh", [
		...["-F", "none", ...options.flatMap((option) => ["-o", option])],
		...args,
		"true",
	]);
	const { stderr } = await asked.then(
		() => ({ stderr: "logged in" }),
		(error: { readonly stderr: string }) => error,
	);
	if (stderr.includes("REVOKED HOST KEY")) return "revoked";
	if (stderr.includes("IDENTIFICATION HAS CHANGED")) return "changed";
	if (/No \S+ host key is known/.test(stderr)) return "unknown";
	if (stderr.includes("Permission denied")) return "ok";
	throw new Error(`unexpected output of ssh: ${stderr}`);
}

/** Ours, for a server that has these keys and takes the first algorithm that it can. */
function judge(texts: readonly string[], host: HostName, types: readonly HostKeyType[]): Kind {
	const files = texts.map((text, index) => ({ path: String(index), text }));
	const type = hostKeyAlgorithms(files, host)
		.map((algorithm) => types.find((one) => HOST_KEYS[one].includes(algorithm)))
		.find((one) => one !== undefined);
	return judgeHostKey(files, host, blob(own[type ?? "ed25519"])).kind;
}

const BOX: HostName = { host: "box", port: 22 };
const ODD: HostName = { host: "box", port: 2222 };
const ALIAS: HostName = { host: "box", port: 2222, alias: "boxy" };

const ROWS: readonly (readonly [Kind, HostName, string, readonly HostKeyType[]])[] = [
	["unknown", BOX, "", TYPES],
	// The plain name, and port 22.
	["ok", BOX, "box <E>", TYPES],
	["ok", BOX, "other,BOX,third <E>", TYPES],
	["ok", { host: "Box", port: 22 }, "box <E>", TYPES],
	["ok", { host: "::1", port: 22 }, "::1 <E>", TYPES],
	["unknown", BOX, "boxes <E>", TYPES],
	["unknown", BOX, "[box]:22 <E>", TYPES],
	["unknown", BOX, "[box]:2222 <E>", TYPES],
	["changed", BOX, "box <e>", TYPES],
	["ok", BOX, "box <e>\nbox <E>", TYPES],
	["ok", BOX, "box <E>\nbox <e>", TYPES],
	// Another port.
	["ok", ODD, "[box]:2222 <E>", TYPES],
	["ok", ODD, "[BOX]:2222 <E>", TYPES],
	["ok", { host: "::1", port: 2222 }, "[::1]:2222 <E>", TYPES],
	["ok", ODD, "box <E>", TYPES],
	["unknown", ODD, "box <e>", TYPES],
	["unknown", ODD, "box:2222 <E>", TYPES],
	["unknown", ODD, "[box]:2223 <E>", TYPES],
	["changed", ODD, "[box]:2222 <e>", TYPES],
	["changed", ODD, "[box]:2222 <e>\nbox <E>", TYPES],
	["changed", ODD, "[box]:2222 <r>\nbox <E>", TYPES],
	["unknown", ODD, "box <R>", TYPES],
	// Several types: which one the server is asked for.
	["ok", BOX, "box <R>", TYPES],
	["ok", BOX, "box <C>", TYPES],
	["ok", BOX, "box <R>\nbox <c>\nbox <E>", TYPES],
	["changed", BOX, "box <R>\nbox <e>", TYPES],
	["changed", BOX, "box <R>\nbox <c>", TYPES],
	["changed", BOX, "box <r>", TYPES],
	// A server that has not all of them.
	["changed", ODD, "[box]:2222 <r>\nbox <E>", ["ed25519"]],
	["changed", ODD, "[box]:2222 <r>\nbox <e>", ["ed25519"]],
	["unknown", ODD, "box <R>", ["ed25519", "ecdsa"]],
	["changed", BOX, "box <R>", ["ed25519", "ecdsa"]],
	["changed", BOX, "box <E>\nbox <R>", ["ecdsa", "rsa"]],
	["ok", BOX, "box <C>\nbox <R>", ["rsa"]],
	// Hashed names.
	["ok", BOX, "#box# <E>", TYPES],
	["ok", ODD, "#[box]:2222# <E>", TYPES],
	["ok", ODD, "#box# <E>", TYPES],
	["changed", ODD, "#[box]:2222# <e>", TYPES],
	["unknown", BOX, "#other# <E>", TYPES],
	["unknown", BOX, "|1|short|hash <E>", TYPES],
	["unknown", BOX, "|1| <E>", TYPES],
	// Wildcards and negation.
	["ok", BOX, "* <E>", TYPES],
	["ok", BOX, "b*x <E>", TYPES],
	["ok", BOX, "bo? <E>", TYPES],
	["unknown", BOX, "box? <E>", TYPES],
	["ok", ODD, "[box]:* <E>", TYPES],
	["ok", ODD, "* <E>", TYPES],
	["changed", ODD, "* <e>", TYPES],
	["ok", { host: "a.lan", port: 22 }, "*.lan <E>", TYPES],
	["unknown", { host: "axlan", port: 22 }, "a.lan <E>", TYPES],
	["unknown", BOX, "*,!box <E>", TYPES],
	["unknown", BOX, "!box,* <E>", TYPES],
	["unknown", BOX, "!other <E>", TYPES],
	["ok", BOX, "*,!other <E>", TYPES],
	["unknown", BOX, "*,!BOX <E>", TYPES],
	// Markers.
	["revoked", BOX, "@revoked box <E>", TYPES],
	["revoked", BOX, "box <E>\n@revoked box <E>", TYPES],
	["revoked", BOX, "@revoked * <E>\nbox <E>", TYPES],
	["revoked", ODD, "[box]:2222 <E>\n@revoked * <E>", TYPES],
	["ok", ODD, "[box]:2222 <E>\n@revoked box <E>", TYPES],
	["revoked", ODD, "@revoked box <E>", TYPES],
	["ok", BOX, "@revoked box <e>\nbox <E>", TYPES],
	["ok", BOX, "@revoked box <R>\nbox <E>", TYPES],
	["unknown", BOX, "@revoked box <e>", TYPES],
	["unknown", BOX, "@revoked other <E>", TYPES],
	["unknown", BOX, "@cert-authority box <E>", TYPES],
	["ok", BOX, "@cert-authority box <e>\nbox <E>", TYPES],
	["ok", ODD, "@cert-authority [box]:2222 <e>\nbox <E>", TYPES],
	["unknown", BOX, "@new-marker box <E>", TYPES],
	// HostKeyAlias: no port, and no second look.
	["ok", ALIAS, "boxy <E>", TYPES],
	["ok", ALIAS, "#boxy# <E>", TYPES],
	["changed", ALIAS, "boxy <e>", TYPES],
	["unknown", ALIAS, "[boxy]:2222 <E>\n[box]:2222 <E>\nbox <E>", TYPES],
	// The form of a line.
	["ok", BOX, "box <E>\r\n", TYPES],
	["ok", BOX, " \tbox\t <E>\ta comment of words", TYPES],
	["unknown", BOX, "# box <E>", TYPES],
	["ok", BOX, "nonsense\nbox\nbox ssh-ed25519\nbox ssh-ed25519 !!!!\n\nbox <E>", TYPES],
	["unknown", BOX, "box ssh-ed25519 AAAA", TYPES],
	["unknown", BOX, "box 1024 35 123456789", TYPES],
];

real.each(ROWS)("as ssh does: %s for %o and %j", async (kind, host, row, types) => {
	const text = `${fill(row, host.port)}\n`;
	const file = join(folder, "known_hosts");
	await writeFile(file, text);
	const alias = host.alias === undefined ? [] : ["-o", `HostKeyAlias=${host.alias}`];
	const offered = types.flatMap((type) => HOST_KEYS[type]).join(",");
	const command = `${server.command} -o HostKeyAlgorithms=${offered}`;
	const args = ["-o", `ProxyCommand=${command}`, ...alias, "-p", String(host.port)];
	expect(await askSsh([...args, "--", host.host], [file])).toBe(kind);
	expect(judge([text], host, types)).toBe(kind);
});

// A wrong "ok" would log in and reach the missing key; a wrong refusal would name the host key.
real.each<readonly [Kind, string, string]>([
	["unknown", "", ""],
	["ok", "[127.0.0.1]:PORT <E>", ""],
	["ok", "", "[127.0.0.1]:PORT <E>"],
	["ok", "#[127.0.0.1]:PORT# <E>", ""],
	["ok", "[127.0.0.1]:PORT <e>", "[127.0.0.1]:PORT <E>"],
	["ok", "[127.0.0.1]:PORT <R>", ""],
	["ok", "127.0.0.1 <E>", ""],
	["unknown", "127.0.0.1 <R>", ""],
	["changed", "[127.0.0.1]:PORT <R>", "[127.0.0.1]:PORT <e>"],
	["changed", "[127.0.0.*]:* <e>", ""],
	["revoked", "[127.0.0.1]:PORT <E>", "@revoked * <E>"],
	["unknown", "@cert-authority * <E>", ""],
])("as ssh does over the network: %s for %j and %j", async (kind, first, second) => {
	const { port, user } = server;
	const home = await mkdtemp(join(folder, "home-"));
	const files = ["one", "two"].map((name) => join(home, name));
	for (const [index, text] of [first, second].entries()) {
		await writeFile(files[index] ?? "", `${fill(text, port)}\n`);
	}
	expect(await askSsh(["-p", String(port), "--", "127.0.0.1"], files)).toBe(kind);
	const ssh = createSsh({
		target: { user, host: "127.0.0.1", port },
		home,
		env: {},
		localUser: user,
		runSsh: async () => `userknownhostsfile ${files.join(" ")}\nuser ${user}\nport ${port}\n`,
	});
	const words: Readonly<Record<Kind, RegExp>> = {
		ok: /^The SSH server refused the login of .* \(no key to offer\)$/,
		unknown: /^The host key of .* is unknown: /,
		changed: /^The host key of .* has changed: /,
		revoked: /^The host key of .* is revoked: /,
	};
	await expect(ssh.exec("true")).rejects.toThrow(words[kind]);
	ssh.close();
});
