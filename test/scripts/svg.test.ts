import { expect, test } from "vitest";
import { parseScreen } from "../../scripts/screen.ts";
import { renderSvg } from "../../scripts/svg.ts";
import { elementsOf } from "../support/xml.ts";

const draw = (captured: string, columns = 40): string =>
	renderSvg(parseScreen(captured), { title: "A title", columns });

/** What is drawn in the window, one element a line, without what is the same in each. */
const inside = (captured: string): readonly string[] => {
	const [, group = ""] = /<g [^>]*>\n([\s\S]*)\n<\/g>/.exec(draw(captured)) ?? [];
	return group
		.replaceAll(' lengthAdjust="spacingAndGlyphs"', "")
		.replaceAll(' shape-rendering="crispEdges"', "")
		.split("\n");
};

test("every word stands at its own column, as wide as its cells", () => {
	expect(inside("ab  c")).toEqual([
		'<text x="14" y="62" textLength="16.8" fill="#d8dcdf">ab</text>',
		'<text x="47.6" y="62" textLength="8.4" fill="#d8dcdf">c</text>',
	]);
});

test.each([
	["bold", "\x1b[1ma", [' fill="#d8dcdf" font-weight="bold">a<']],
	["dim italic", "\x1b[2;3ma", [' fill="#d8dcdf" font-style="italic" opacity="0.6">a<']],
	["coloured", "\x1b[38;2;1;2;3ma", [' fill="#010203">a<']],
	["underlined", "\x1b[4ma b", [">a<", ">b<", 'h25.2" stroke="#d8dcdf"/>']],
	["struck out", "\x1b[9ma", [">a<", 'd="M14 57.5h8.4" stroke="#d8dcdf"/>']],
	["on a colour", "\x1b[48;2;1;2;3ma b", ['width="25.2" height="19" fill="#010203"', ">a<", ">b<"]],
	["inverse", "\x1b[7ma", ['height="19" fill="#d8dcdf"', ' fill="#12161a">a<']],
	[
		"inverse in colours",
		"\x1b[7;38;2;1;2;3;48;2;4;5;6ma",
		['height="19" fill="#010203"', ' fill="#040506">a<'],
	],
	["a glyph another font may lend", "a→b", [">a<", ">→<", ">b<"]],
	["a wide character", "日x", ['textLength="16.8"', 'x="30.8"']],
	["a rule", "───", ['d="M14 57.5h25.2"']],
	["a corner", "┌", ['d="M18.2 57.5h4.2M18.2 57.5v9.5"']],
	["a second row", "\nb", ['y="81"']],
	["an empty screen", "", [""]],
])("%s", (_name, captured, drawn) => {
	expect(inside(captured)).toEqual(drawn.map((part) => expect.stringContaining(part)));
});

test("markup in the text stays text, and the picture stays XML", () => {
	const svg = renderSvg(parseScreen(`<b>&"'\ufffe`), { title: "<&>", columns: 12 });
	const texts = elementsOf(svg).filter(({ name }) => name === "text");
	expect(texts.map(({ text }) => text)).toEqual(["<&>", `<b>&"'`, "\ufffd"]);
});

test("the alternative is the screen's text without its drawn lines", () => {
	const elements = elementsOf(draw("────\n> hi\n────\n\n\n\n~/project\n"));
	const text = (name: string): string | undefined =>
		elements.find((element) => element.name === name)?.text;
	expect(text("title")).toBe("A title");
	expect(text("desc")).toBe("> hi\n\n~/project");
	expect(elements[0]?.attributes).toMatchObject({ role: "img", "aria-labelledby": "title desc" });
});

test("the picture is as large as its columns and rows", () => {
	const attributes = (rows: number): Readonly<Record<string, string>> | undefined =>
		elementsOf(draw("x\n".repeat(rows), 100))[0]?.attributes;
	expect(attributes(2)).toMatchObject({ width: "868", height: "100", viewBox: "0 0 868 100" });
	expect(attributes(3)).toMatchObject({ width: "868", height: "119" });
});
