import { execFileSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { posix } from "node:path";
import { expect, test } from "vitest";
import { ROOT } from "./support/pi.ts";

const LIB = ["lib"];
const PI = "@earendil-works/*";

/**
 * The whole rule of who may import whom: a place, the places below it, and the packages it may use.
 * A file belongs to the longest place that its path begins with. A top-level file and the folder of
 * its name are one place.
 */
const MAY_IMPORT: Readonly<Record<string, readonly string[]>> = {
	index: ["config", "session", "commands", "ui", "discovery", "admin", "stream", ...LIB, PI],
	session: ["config", "ui", "discovery", "admin", "stream", ...LIB, PI],
	commands: ["ui", "discovery", "admin", ...LIB, PI],
	ui: ["discovery", "admin", ...LIB, PI],
	discovery: ["config", "admin", ...LIB],
	admin: ["config", ...LIB],
	stream: ["messages", ...LIB, PI],
	messages: [...LIB, PI],
	config: LIB,
	"lib/http": [...LIB, "undici"],
	"lib/ssh": [...LIB, "ssh2"],
	"lib/llama-swap/config": [...LIB, "yaml"],
	"lib/sse": [...LIB, "eventsource-parser"],
	lib: LIB,
	// Nothing of the product: what it reads wrong has to show in the tests.
	demo: ["demo", "hosts", "scripts/issuer", "ssh2", "yaml"],
	scripts: [...LIB, "demo", "hosts", "test", "scripts", "@peculiar/x509", "reflect-metadata"],
};

function trackedFiles(pattern: string): readonly string[] {
	const listed = execFileSync("git", ["ls-files", pattern], { cwd: ROOT, encoding: "utf8" });
	return listed.split("\n").filter((path) => path !== "" && existsSync(posix.join(ROOT, path)));
}

const sources = trackedFiles("*.ts").filter(
	(path) => !/^(?:test|bench|hosts)\/|^vitest\./.test(path),
);

/** What a file imports: paths from the root, and names of packages. Node's own are left out. */
function importsOf(path: string): readonly string[] {
	const code = readFileSync(posix.join(ROOT, path), "utf8");
	return [...code.matchAll(/(?:\bfrom |\bimport |\bimport\()"([^"]+)"/g)]
		.map(([, target = ""]) => target)
		.filter((target) => !target.startsWith("node:"))
		.map((target) =>
			target.startsWith(".") ? posix.normalize(posix.join(posix.dirname(path), target)) : target,
		);
}

function isIn(path: string, place: string): boolean {
	return path.startsWith(`${place}/`) || path === `${place}.ts`;
}

function placeOf(path: string): string {
	const places = Object.keys(MAY_IMPORT).filter((place) => isIn(path, place));
	const longest = places.toSorted((a, b) => b.length - a.length)[0];
	if (longest === undefined) throw new Error(`${path} is in no place that the table names`);
	return longest;
}

function isAllowed(target: string, own: string, allowed: readonly string[]): boolean {
	return [own, ...allowed].some((place) =>
		place.endsWith("*")
			? target.startsWith(place.slice(0, -1))
			: target === place || isIn(target, place),
	);
}

test("arrows point down, and each package has one door", () => {
	const wrong = sources.flatMap((path) => {
		const own = placeOf(path);
		return importsOf(path)
			.filter((target) => !isAllowed(target, own, MAY_IMPORT[own] ?? []))
			.map((target) => `${path} imports ${target}`);
	});
	expect(sources.length).toBeGreaterThan(100);
	expect(wrong).toEqual([]);
});

test("code that is loaded later goes through lazy()", () => {
	const escaped = sources
		.filter((path) => !/^(?:demo|scripts)\//.test(path))
		.flatMap((path) => {
			const code = readFileSync(posix.join(ROOT, path), "utf8").replace(/^\s*(?:\*|\/\/).*$/gm, "");
			const own = code.match(/(?<!\blazy\(\s*\(\) =>\s*)(?<!typeof )import\("\.[^"]*"\)/g) ?? [];
			return own.map((found) => `${path}: ${found}`);
		});
	expect(escaped).toEqual([]);
});

/** What a user calls a setting or a command is known to config.ts and above; `lib` gives facts. */
test("no variable and no command is named below config.ts", () => {
	const naming = sources
		.filter((path) => /^(?:lib|admin|discovery)(?:\/|\.ts$)/.test(path))
		.filter((path) => /AI_SERVER_|\/ai-server/.test(readFileSync(posix.join(ROOT, path), "utf8")));
	expect(naming).toEqual([]);
});

test("no folder holds more than 15 files", () => {
	const folders = Map.groupBy(sources, (path) => posix.dirname(path));
	const full = [...folders].filter(([, files]) => files.length > 15).map(([folder]) => folder);
	expect(full).toEqual([]);
});

/** Tests of several files together, or of what is no source file of this repository. */
const CROSS_CUTTING: readonly string[] = [
	"test/architecture.test.ts",
	"test/conformance/", // our stream against pi's own provider
	"test/demo/contract.test.ts", // the embedded server against recorded exchanges
	"test/docs/", // what README and docs promise
	"test/e2e/", // the real pi
	"test/lib/llama-swap/fuzz.property.test.ts",
	"test/lib/service/hostile-words.test.ts",
	"test/lib/ssh/files/replace-server.test.ts", // against the demo's server and OpenSSH's
	"test/lib/ssh/openssh.test.ts", // against OpenSSH's server
	"test/lib/ssh/openssh/known-hosts-oracle.test.ts", // against ssh-keygen
	"test/stream/", // the stream function against recorded and hostile servers
];

test("a test has the name of the file that it tests", () => {
	const nameless = trackedFiles("test/**.test.ts")
		.filter((path) => !CROSS_CUTTING.some((place) => path === place || path.startsWith(place)))
		.filter((path) => {
			const source = path.replace(/^test\//, "").replace(/(?:\.property)?\.test\.ts$/, ".ts");
			return !existsSync(posix.join(ROOT, source));
		});
	expect(nameless).toEqual([]);
	const gone = CROSS_CUTTING.filter((place) => !existsSync(posix.join(ROOT, place)));
	expect(gone).toEqual([]);
});

/** Format characters, separators other than the blank, control characters: all that looks like nothing. */
const INVISIBLE = /[\p{Cf}\p{Cc}\p{Z}\p{Default_Ignorable_Code_Point}](?<![ \t\r\n])/u;

test("no text holds a character that cannot be seen", () => {
	const hidden = trackedFiles(":!*.gz").filter((path) =>
		INVISIBLE.test(readFileSync(posix.join(ROOT, path), "utf8")),
	);
	expect(hidden).toEqual([]);
});
