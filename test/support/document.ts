import { readFile } from "node:fs/promises";

/** The file that holds the set-up instructions; its blocks are run by test/docs/. */
const DOCUMENT: URL = new URL("../../README.md", import.meta.url);

export function readDocument(): Promise<string> {
	return readFile(DOCUMENT, "utf8");
}

/** The text of the fenced block under `<!-- test: name -->`; rejects when there is not exactly one. */
export async function block(name: string): Promise<string> {
	const marked = (await readDocument()).split(`<!-- test: ${name} -->\n`).slice(1);
	const found = marked.map((rest) => /^```\w*\n([\s\S]*?)^```$/m.exec(rest));
	const text = found.length === 1 && found[0]?.index === 0 ? found[0][1] : undefined;
	if (text === undefined) throw new Error(`${found.length} usable blocks called ${name}`);
	return text;
}

/** Cells of every table row below a heading, up to the next heading of the same rank. */
export async function tableRows(heading: string): Promise<readonly (readonly string[])[]> {
	const [, section] = (await readDocument()).split(`\n${heading}\n`);
	if (section === undefined) throw new Error(`no heading ${heading}`);
	const rank = heading.split(" ")[0] ?? "";
	const [own = ""] = section.split(new RegExp(`^${rank} `, "m"));
	return own
		.split("\n")
		.filter((line) => line.startsWith("| ") && !line.startsWith("|---"))
		.map((line) => line.slice(2, -2).split(" | "))
		.slice(1);
}
