import { readdir, readFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { gunzipSync } from "node:zlib";
import { expect, test } from "vitest";
import { cliPath, HOSTS } from "../../hosts/hosts.ts";
import { tableRows } from "../support/document.ts";
import { ROOT } from "../support/pi.ts";

interface Manifest {
	readonly version: string;
	readonly engines: { readonly node: string };
	readonly devDependencies: Readonly<Record<string, string>>;
}

async function manifest(folder: string): Promise<Manifest> {
	return JSON.parse(await readFile(join(folder, "package.json"), "utf8")) as Manifest;
}

async function versionsOf(program: string): Promise<readonly string[]> {
	const row = (await tableRows("README.md", "## Compatibility")).find(([name]) => name === program);
	return row?.[1]?.split(", ") ?? [];
}

async function verificationOf(program: string): Promise<string | undefined> {
	return (await tableRows("README.md", "## Compatibility")).find(([name]) => name === program)?.[2];
}

/** The header line of a file of recorded exchanges, which names its server. */
async function recordedServer(file: string): Promise<string> {
	const packed = await readFile(join(ROOT, "test", "fixtures", `${file}.jsonl.gz`));
	return gunzipSync(packed).toString("utf8").split("\n", 1)[0] ?? "";
}

test("the newest heading of the changelog is the version, in the form that pi reads", async () => {
	const { version } = await manifest(ROOT);
	const text = await readFile(join(ROOT, "CHANGELOG.md"), "utf8");
	const headings = text.split("\n").filter((line) => line.startsWith("## "));
	expect(headings[0]).toMatch(/^## \[\d+\.\d+\.\d+\] - \d{4}-\d\d-\d\d$/);
	expect(headings[0]).toContain(`[${version}]`);
	expect(headings.filter((line) => !/^## \[\d+\.\d+\.\d+\] - /.test(line))).toEqual([]);
});

test("the lockfile has the same version", async () => {
	const lock = JSON.parse(await readFile(join(ROOT, "package-lock.json"), "utf8")) as {
		version: string;
		packages: Record<string, { version?: string }>;
	};
	const { version } = await manifest(ROOT);
	expect([lock.version, lock.packages[""]?.version]).toEqual([version, version]);
});

test("compatible with pi: the versions that the end-to-end tests run on", async () => {
	expect(await versionsOf("pi")).toEqual(HOSTS);
});

test("compatible with Node: what this package and every pi require, and what the tests run on", async () => {
	const own = await manifest(ROOT);
	const [wanted = ""] = await versionsOf("Node");
	const least = wanted.replace(" or newer", "");
	expect(own.engines.node).toBe(`>=${least}`);
	for (const host of HOSTS) {
		const { engines } = await manifest(join(dirname(cliPath(host)), "..", ".."));
		expect(engines.node.replace(/\.0$/, "")).toBe(`>=${least}`);
	}
	expect(await verificationOf("Node")).toContain(`run on ${own.devDependencies["node"]}`);
});

test("compatible with llama-swap: the versions that were recorded", async () => {
	const names = await readdir(join(ROOT, "test", "fixtures"));
	const recorded = names.flatMap((name) => /^llama-swap-(.+)\.jsonl\.gz$/.exec(name)?.[1] ?? []);
	expect((await versionsOf("llama-swap")).toSorted()).toEqual(recorded.toSorted());
	expect(await recordedServer("llama-swap-head")).toContain("6 commits after v250");
});

test.each([
	["llama-server of llama.cpp", "llama-server"],
	["llama_cpp.server", "llama-cpp-python"],
])("compatible with %s: the build that was recorded", async (program, file) => {
	const named = (await versionsOf(program)).join().match(/[\w.]+/g) ?? [];
	const server = await recordedServer(file);
	expect(named).not.toEqual([]);
	expect(named.filter((text) => !server.includes(text))).toEqual([]);
});

test("compatible with Caddy: the versions that the corrections were tried on", async () => {
	const corrections = await readFile(join(ROOT, "docs", "corrections.md"), "utf8");
	const versions = await versionsOf("Caddy");
	expect(versions).toHaveLength(2);
	expect(corrections).toContain(`Caddy ${versions.join(" and ")}`);
});
