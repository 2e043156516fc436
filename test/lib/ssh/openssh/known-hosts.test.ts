import { createHmac } from "node:crypto";
import { expect, test } from "vitest";
import {
	type HostKeyVerdict,
	type HostName,
	hostKeyAlgorithms,
	judgeHostKey as judge,
	keyFingerprint,
	knownHostsLine,
	nameOf,
} from "../../../../lib/ssh/openssh/known-hosts.ts";

/** A key blob as RFC 4253 has it: the type, then what the type needs. */
function blob(type: string, fill: number): Buffer {
	const field = (bytes: Buffer): Buffer => {
		const length = Buffer.alloc(4);
		length.writeUInt32BE(bytes.length);
		return Buffer.concat([length, bytes]);
	};
	return Buffer.concat([field(Buffer.from(type)), field(Buffer.alloc(32, fill))]);
}

/** The verdict of files that hold these texts. */
function judgeHostKey(texts: readonly string[], host: HostName, key: Buffer): HostKeyVerdict {
	return judge(
		texts.map((text, index) => ({ path: `file${index + 1}`, text })),
		host,
		key,
	);
}

const line = (key: Buffer, type: string): string => `${type} ${key.toString("base64")}`;
const ED = "ssh-ed25519";
const KEY = blob(ED, 1);
const K = line(KEY, ED);
const O = line(blob(ED, 2), ED);
const OTHER = keyFingerprint(blob(ED, 2));
const THIRD = blob(ED, 3);
const R = line(blob("ssh-rsa", 4), "ssh-rsa");
const OTHER_RSA = keyFingerprint(blob("ssh-rsa", 4));
const BOX = { host: "box", port: 22 };
const ODD = { host: "box", port: 2222 };

function hashed(name: string): string {
	const salt = Buffer.alloc(20, 7);
	const hash = createHmac("sha1", salt).update(name).digest("base64");
	return `|1|${salt.toString("base64")}|${hash}`;
}

test.each<readonly [HostKeyVerdict["kind"], typeof BOX, string]>([
	// The plain name, and port 22.
	["ok", BOX, `box ${K}`],
	["ok", BOX, `other,box,third ${K}`],
	["ok", BOX, `BOX ${K}`],
	["ok", { host: "Box", port: 22 }, `box ${K}`],
	["ok", { host: "::1", port: 22 }, `::1 ${K}`],
	["ok", { host: "10.0.0.7", port: 22 }, `box,10.0.0.7 ${K}`],
	["unknown", BOX, ""],
	["unknown", BOX, `boxes ${K}`],
	["unknown", BOX, `[box]:22 ${K}`],
	["unknown", BOX, `[box]:2222 ${K}`],
	["changed", BOX, `box ${O}`],
	// Another port.
	["ok", ODD, `[box]:2222 ${K}`],
	["ok", ODD, `[BOX]:2222 ${K}`],
	["ok", { host: "::1", port: 2222 }, `[::1]:2222 ${K}`],
	["ok", ODD, `box ${K}`],
	["unknown", ODD, `box ${O}`],
	["unknown", ODD, `box:2222 ${K}`],
	["unknown", ODD, `[box]:2223 ${K}`],
	["changed", ODD, `[box]:2222 ${O}`],
	["changed", ODD, `[box]:2222 ${O}\nbox ${K}`],
	["ok", ODD, `[box]:2222 ${O}\n[box]:2222 ${K}`],
	["ok", ODD, `@cert-authority [box]:2222 ${O}\nbox ${K}`],
	["ok", ODD, `@revoked [box]:2222 ${O}\nbox ${K}`],
	["changed", ODD, `[box]:2222 ${R}\nbox ${K}`],
	["unknown", ODD, `box ${R}`],
	["ok", ODD, `[box]:2222 ${K}\n@revoked box ${K}`],
	// Hashed names.
	["ok", BOX, `${hashed("box")} ${K}`],
	["ok", { host: "BOX", port: 22 }, `${hashed("box")} ${K}`],
	["ok", ODD, `${hashed("[box]:2222")} ${K}`],
	["ok", ODD, `${hashed("box")} ${K}`],
	["changed", ODD, `${hashed("[box]:2222")} ${O}`],
	["unknown", BOX, `${hashed("other")} ${K}`],
	["unknown", BOX, `|1|short|hash ${K}`],
	["unknown", BOX, `|1| ${K}`],
	["unknown", BOX, `${hashed("box").replace("|1|", "|2|")} ${K}`],
	// Wildcards and negation.
	["ok", BOX, `* ${K}`],
	["ok", BOX, `b*x ${K}`],
	["ok", BOX, `bo? ${K}`],
	["ok", BOX, `box* ${K}`],
	["unknown", BOX, `box? ${K}`],
	["ok", ODD, `[box]:* ${K}`],
	["ok", ODD, `* ${K}`],
	["changed", ODD, `* ${O}`],
	["ok", { host: "a.lan", port: 22 }, `*.lan ${K}`],
	["unknown", { host: "axlan", port: 22 }, `a.lan ${K}`],
	["unknown", { host: "b", port: 22 }, `[box] ${K}`],
	["unknown", BOX, `*,!box ${K}`],
	["unknown", BOX, `!box,* ${K}`],
	["unknown", BOX, `!b* ${K}`],
	["unknown", BOX, `!other ${K}`],
	["ok", BOX, `*,!other ${K}`],
	["unknown", BOX, `*,!BOX ${K}`],
	// Several lines: any that fits accepts.
	["ok", BOX, `box ${O}\nbox ${K}`],
	["ok", BOX, `box ${K}\nbox ${O}`],
	["ok", BOX, `box ${R}\nbox ${K}`],
	["changed", BOX, `box ${R}`],
	// Markers.
	["revoked", BOX, `@revoked box ${K}`],
	["revoked", BOX, `box ${K}\n@revoked box ${K}`],
	["revoked", BOX, `@revoked * ${K}\nbox ${K}`],
	["revoked", ODD, `[box]:2222 ${K}\n@revoked * ${K}`],
	["revoked", ODD, `@revoked box ${K}`],
	["revoked", BOX, `@revoked ${hashed("box")} ${K}\nbox ${K}`],
	["ok", BOX, `@revoked box ${O}\nbox ${K}`],
	["ok", BOX, `@revoked other ${K}\nbox ${K}`],
	["unknown", BOX, `@revoked box ${O}`],
	["unknown", BOX, `@cert-authority box ${K}`],
	["ok", BOX, `@cert-authority box ${O}\nbox ${K}`],
	["unknown", BOX, `@new-marker box ${K}`],
	// The form of a line.
	["ok", BOX, `box ${K}\r\n`],
	["changed", BOX, `box ${O}\r\n# end\r\n`],
	["ok", BOX, `other ${O}\r\nbox ${K}\r\n`],
	["ok", BOX, ` \tbox\t ${K.replace(" ", "\t")}\ta comment of words`],
	["unknown", BOX, `# box ${K}`],
	["ok", BOX, `nonsense\nbox\nbox ${ED}\nbox ${ED} !!!!\n\nbox ${K}`],
	["unknown", BOX, `box ssh-rsa ${KEY.toString("base64")}`],
	["unknown", BOX, `box ${ED} AAAA`],
	["unknown", BOX, `box 1024 35 123456789`],
])("is %s for %o and %j", (kind, target, text) => {
	expect(judgeHostKey([text], target, KEY).kind).toBe(kind);
	expect(judgeHostKey(["", `# nothing\n${text}`], target, KEY).kind).toBe(kind);
});

test("every file counts", () => {
	expect(judgeHostKey([`box ${O}`, `box ${K}`], BOX, KEY).kind).toBe("ok");
	expect(judgeHostKey([`box ${K}`, `@revoked * ${K}`], BOX, KEY).kind).toBe("revoked");
	expect(judgeHostKey([], BOX, KEY).kind).toBe("unknown");
});

test("gives the fingerprints, offered and recorded", () => {
	const recorded = `box ${K}\nbox ${R}\nb* ${O}\n@revoked box ${K}`;
	expect(judgeHostKey([recorded], BOX, THIRD)).toEqual({
		kind: "changed",
		fingerprint: keyFingerprint(THIRD),
		recorded: [
			{ type: ED, fingerprint: keyFingerprint(KEY), path: "file1", line: 1 },
			{ type: "ssh-rsa", fingerprint: OTHER_RSA, path: "file1", line: 2 },
			{ type: ED, fingerprint: OTHER, path: "file1", line: 3 },
		],
	});
	expect(judgeHostKey([`box ${K}`], BOX, KEY)).toEqual({
		kind: "ok",
		fingerprint: keyFingerprint(KEY),
	});
});

test.each([
	[`@cert-authority * ${K}`, true],
	[`@cert-authority box ${O}`, true],
	[`@cert-authority other ${K}`, false],
	["", false],
])("knows a host that only an authority covers: %j", (text, onlyAuthority) => {
	expect(judgeHostKey([text], BOX, KEY)).toEqual({
		kind: "unknown",
		fingerprint: keyFingerprint(KEY),
		keyType: ED,
		onlyAuthority,
	});
});

test("gives the line where a key was revoked", () => {
	expect(judgeHostKey(["", `# no more\n@revoked * ${K}`], BOX, KEY)).toEqual({
		kind: "revoked",
		fingerprint: keyFingerprint(KEY),
		recorded: { type: ED, fingerprint: keyFingerprint(KEY), path: "file2", line: 2 },
	});
});

test("an alias stands for host and port", () => {
	const host = { ...ODD, alias: "boxy" };
	expect(judgeHostKey([`boxy ${K}`], host, KEY).kind).toBe("ok");
	expect(judgeHostKey([`[boxy]:2222 ${K}\n[box]:2222 ${K}\nbox ${K}`], host, KEY).kind).toBe(
		"unknown",
	);
});

test.each([BOX, ODD, { ...ODD, alias: "boxy" }])(
	"writes a line for %o that it knows again",
	(host) => {
		const plain = knownHostsLine(host, KEY, false);
		const hidden = knownHostsLine(host, KEY, true);
		expect(plain).toBe(`${nameOf(host)} ${K}`);
		expect(hidden).toMatch(/^\|1\|[\w+/]{27}=\|[\w+/]{27}= ssh-ed25519 /);
		expect(hidden).not.toBe(knownHostsLine(host, KEY, true));
		for (const text of [plain, hidden]) {
			expect(judgeHostKey([text], host, KEY).kind).toBe("ok");
			expect(judgeHostKey([text], { ...host, alias: "other" }, KEY).kind).toBe("unknown");
		}
	},
);

test("reads what ssh-keygen -H wrote, and names the key as ssh-keygen -l does", () => {
	const encoded = "AAAAC3NzaC1lZDI1NTE5AAAAIMqVnWMm9gTKozC+6pXuOM1igK2Ch672QTsYgl5Zq22T";
	const key = Buffer.from(encoded, "base64");
	const plain = `|1|/VfU/0HBdiNeXxiATW4Ff6ulR3w=|1Lt2QufoxITRefoENOP07c62aFw= ${ED} ${encoded}`;
	const odd = `|1|o/bjO26LJSR2UZdoDmLCeLxoqUw=|X2c/7WYv4Rjb67SmctsbBlnRaCQ= ${ED} ${encoded}`;
	const host = "box.example.net";
	expect(keyFingerprint(key)).toBe("SHA256:e9qbWDdoSIh8SKk/AnOnmrQ97oFS3DIAbuLP+c+Nr74");
	expect(judgeHostKey([plain], { host, port: 22 }, key).kind).toBe("ok");
	expect(judgeHostKey([odd], { host, port: 22 }, key).kind).toBe("unknown");
	expect(judgeHostKey([odd], { host, port: 2222 }, key).kind).toBe("ok");
	expect(judgeHostKey([odd], { host, port: 2223 }, key).kind).toBe("unknown");
});

test.each([
	[{ host: "Box.Example", port: 22 }, "box.example"],
	[{ host: "Box.Example", port: 2222 }, "[box.example]:2222"],
	[{ host: "::1", port: 22 }, "::1"],
	[{ host: "FE80::1", port: 23 }, "[fe80::1]:23"],
])("names %o %s", (target, name) => {
	expect(nameOf(target)).toBe(name);
});

const ALL = [
	"ssh-ed25519",
	"ecdsa-sha2-nistp256",
	"ecdsa-sha2-nistp384",
	"ecdsa-sha2-nistp521",
	"rsa-sha2-512",
	"rsa-sha2-256",
];
const P384 = line(blob("ecdsa-sha2-nistp384", 5), "ecdsa-sha2-nistp384");

test.each([
	["", BOX, ["ssh-ed25519"]],
	[`box ${R}`, BOX, ["rsa-sha2-512", "rsa-sha2-256", "ssh-ed25519"]],
	[`box ${R}\nbox ${K}`, BOX, ["ssh-ed25519", "ecdsa-sha2-nistp256"]],
	[`box ${P384}`, BOX, ["ecdsa-sha2-nistp384", "ssh-ed25519"]],
	[`[box]:2222 ${R}\nbox ${P384}`, ODD, ["rsa-sha2-512", "rsa-sha2-256", "ssh-ed25519"]],
	[`box ${R}`, ODD, ["ssh-ed25519", "ecdsa-sha2-nistp256"]],
	[`@cert-authority box ${R}`, BOX, ["ssh-ed25519"]],
	[`@revoked box ${R}`, BOX, ["ssh-ed25519"]],
	[`other ${R}`, BOX, ["ssh-ed25519"]],
])("offers the recorded types first: %j", (text, target, first) => {
	const offered = hostKeyAlgorithms([{ path: "file", text }], target);
	expect(offered.slice(0, first.length)).toEqual(first);
	expect([...offered].sort()).toEqual([...ALL].sort());
	expect(offered).not.toContain("ssh-rsa"); // SHA-1
});
