import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
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
	demo: [...LIB, "demo", "hosts", "ssh2", "yaml", "@peculiar/x509", "reflect-metadata"],
	scripts: [...LIB, "demo", "hosts", "test", "scripts", "@peculiar/x509", "reflect-metadata"],
};

const sources = execFileSync("git", ["ls-files", "*.ts"], { cwd: ROOT, encoding: "utf8" })
	.split("\n")
	.filter((path) => path !== "" && !/^(?:test|bench|hosts)\/|^vitest\./.test(path));

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
