import { readdir, readFile } from "node:fs/promises";
import { expect, test } from "vitest";
import { readPage } from "../support/document.ts";
import { elementsOf } from "../support/xml.ts";

const FOLDER = new URL("../../docs/pictures/", import.meta.url);
const FILES = await readdir(FOLDER);

test.each([
	["chat.svg", /\$ ls[\s\S]*The tool answered[\s\S]*%\/262k/],
	["completion.svg", /→ mystery-7B +stopped, 32768 tokens/],
	["ctx.svg", /65536 → 32768\?[\s\S]*-c 32768/],
	["status.svg", /Qwen\S+ +ready +262144 +server/],
])("%s is well-formed and describes what it shows", async (name, shown) => {
	expect(FILES).toContain(name);
	const svg = await readFile(new URL(name, FOLDER), "utf8");
	const [root, title, desc] = elementsOf(svg);
	expect(root).toMatchObject({ name: "svg", attributes: { role: "img" } });
	expect(title).toMatchObject({ name: "title", text: expect.stringMatching(/\w/) });
	expect(desc).toMatchObject({ name: "desc", text: expect.stringMatching(shown) });
	// Neither where it was made nor on which ports.
	expect(svg).not.toMatch(/\/tmp|client-home|localhost|127\.0\.0\.1|Warning/);
});

test("the README shows every picture, with an alternative text", async () => {
	const document = await readPage("README.md");
	const markdown = [...document.matchAll(/!\[([^\]]*)\]\(docs\/pictures\/([^)]+)\)/g)];
	const html = [...document.matchAll(/<img alt="([^"]*)" src="docs\/pictures\/([^"]+)"/g)];
	const pictures = [...markdown, ...html].map(([, alt = "", name = ""]) => ({ alt, name }));
	expect(pictures.map(({ name }) => name).toSorted()).toEqual(FILES.toSorted());
	expect(pictures.filter(({ alt }) => alt.split(" ").length < 5)).toEqual([]);
});
