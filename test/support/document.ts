import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { ROOT } from "./pi.ts";

/** The README and its manual; test/docs runs the blocks of both. */
export const PAGES: readonly string[] = [
	"README.md",
	...(await readdir(join(ROOT, "docs")))
		.filter((name) => name.endsWith(".md"))
		.toSorted()
		.map((name) => `docs/${name}`),
];

export function readPage(page: string): Promise<string> {
	return readFile(join(ROOT, page), "utf8");
}

/**
 * The text of the fenced block under `<!-- test: name -->`. A block may be repeated on another page;
 * rejects when there is none, or when two of them differ.
 */
export async function block(name: string): Promise<string> {
	const pages = await Promise.all(PAGES.map(readPage));
	const marked = pages.flatMap((text) => text.split(`<!-- test: ${name} -->\n`).slice(1));
	const found = new Set(marked.map(firstBlock));
	const [text] = found;
	if (found.size !== 1 || text === undefined) {
		throw new Error(`${found.size} different blocks called ${name}`);
	}
	return text;
}

/** The fenced block that `text` begins with, without the indentation of a list item. */
function firstBlock(text: string): string | undefined {
	const [, indent = "", body] = /^( *)```\w*\n([\s\S]*?)^ *```$/m.exec(text) ?? [];
	if (!text.startsWith(`${indent}\`\`\``)) return undefined;
	return body?.replaceAll(new RegExp(`^${indent}`, "gm"), "");
}

/** Cells of every table row below a heading, up to the next heading of the same rank. */
export async function tableRows(
	page: string,
	heading: string,
): Promise<readonly (readonly string[])[]> {
	const [, section] = (await readPage(page)).split(`\n${heading}\n`);
	if (section === undefined) throw new Error(`${page} has no heading ${heading}`);
	const rank = heading.split(" ")[0] ?? "";
	const [own = ""] = section.split(new RegExp(`^${rank} `, "m"));
	return own
		.split("\n")
		.filter((line) => line.startsWith("| ") && !line.startsWith("|---"))
		.map((line) => line.slice(2, -2).split(" | "))
		.slice(1);
}
