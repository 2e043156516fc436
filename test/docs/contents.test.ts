import { access } from "node:fs/promises";
import { dirname, join } from "node:path";
import { expect, test } from "vitest";
import { PAGES, readPage } from "../support/document.ts";
import { ROOT } from "../support/pi.ts";

const ALL = [...PAGES, "CONTRIBUTING.md", "CHANGELOG.md", "hosts/README.md"];

async function proseOf(page: string): Promise<string> {
	return (await readPage(page)).replace(/^ *```[\s\S]*?^ *```$/gm, "");
}

/** As GitHub makes an anchor of a heading. */
function anchorOf(heading: string): string {
	return heading
		.toLowerCase()
		.replace(/[^\p{L}\p{N}_\- ]/gu, "")
		.replaceAll(" ", "-");
}

async function anchorsIn(page: string): Promise<readonly string[]> {
	const headings = (await proseOf(page)).matchAll(/^#+ (.+)$/gm);
	return [...headings].map(([, heading = ""]) => anchorOf(heading));
}

const exists = (path: string): Promise<boolean> =>
	access(path).then(
		() => true,
		() => false,
	);

async function leadsSomewhere(page: string, target: string): Promise<boolean> {
	const [path = "", anchor] = target.split("#");
	const file = path === "" ? page : join(dirname(page), path);
	if (!(await exists(join(ROOT, file)))) return false;
	return anchor === undefined || (await anchorsIn(file)).includes(anchor);
}

test.each(ALL)("every link of %s leads to a file and a heading that exist", async (page) => {
	const links = [...(await proseOf(page)).matchAll(/\]\(([^)\s]+)\)/g)]
		.map(([, target = ""]) => target)
		.filter((target) => !target.includes("://"));
	const found = await Promise.all(links.map((target) => leadsSomewhere(page, target)));
	expect(links.filter((_, index) => !found[index])).toEqual([]);
});

test.each(PAGES.slice(1))("the README leads to %s", async (page) => {
	expect(await readPage("README.md")).toContain(`](${page})`);
});

test("the README has the original's twelve sections under their own names", async () => {
	const headings = [...(await proseOf("README.md")).matchAll(/^## (.+)$/gm)];
	const names = headings.map(([, heading]) => heading);
	for (const section of [
		"Architecture",
		"Extension layout",
		"Environment variables",
		"Server-side setup (192.168.2.3)",
		"Caddy + mTLS setup (192.168.2.2)",
		"Client-side — installing the extension",
		"Slash commands",
		"Adding a new model",
		"Browser access to the built-in web UI",
		"Troubleshooting",
		"Security notes",
		"Paths reference",
	]) {
		expect(names).toContain(section);
	}
});

test("the README stays short enough to read", async () => {
	expect((await readPage("README.md")).split("\n").length).toBeLessThanOrEqual(370);
});

test("the first screen has one paragraph, the picture, what to type, and the commands", async () => {
	const text = await proseOf("README.md");
	expect(text.split(/\n\n+/).slice(0, 4)).toEqual([
		"# ai-server",
		expect.stringMatching(/client certificate \(mTLS\)/),
		expect.stringMatching(/^!\[.*\]\(docs\/pictures\/chat\.svg\)$/),
		"## Try it",
	]);
	const [, , second = ""] = text.split(/^## /m);
	expect(second).toMatch(/^Slash commands\n/);
});
