import { expect, test } from "vitest";
import { readDocument } from "../support/document.ts";

/** As GitHub makes an anchor of a heading. */
function anchorOf(heading: string): string {
	return heading
		.toLowerCase()
		.replace(/[^\p{L}\p{N}_\- ]/gu, "")
		.replaceAll(" ", "-");
}

const text = (await readDocument()).replace(/^```[\s\S]*?^```$/gm, "");
const headings = (part: string): readonly string[] =>
	[...part.matchAll(/^#{2,3} (.+)$/gm)].map(([, heading = ""]) => anchorOf(heading));

test("every link into the README leads to a heading", () => {
	const links = [...text.matchAll(/\]\(#([^)]*)\)/g)].map(([, anchor = ""]) => anchor);
	expect(links.length).toBeGreaterThan(5);
	expect(links.filter((anchor) => !headings(text).includes(anchor))).toEqual([]);
});

test("the contents name every section that follows, in its order", () => {
	const [, after = ""] = text.split("\n## Contents\n");
	const [contents = ""] = after.split(/^## /m);
	const links = [...contents.matchAll(/^- \[(.+)\]\(#/gm)].map(([, title]) => title);
	const sections = [...after.matchAll(/^## (.+)$/gm)].map(([, heading]) => heading);
	expect(links).toEqual(sections);
});

test("the first screen has one paragraph, the picture, and what to type", () => {
	const blocks = text.split(/\n\n+/).slice(0, 4);
	expect(blocks).toEqual([
		"# ai-server",
		expect.stringMatching(/client certificate \(mTLS\)/),
		expect.stringMatching(/^!\[.*\]\(docs\/pictures\/chat\.svg\)$/),
		"## Try it",
	]);
});
