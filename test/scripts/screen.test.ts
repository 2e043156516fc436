import { expect, test } from "vitest";
import { parseScreen, type Style, screenText } from "../../scripts/screen.ts";

const styleOf = (sgr: string): Style | undefined => parseScreen(`${sgr}x`)[0]?.[0]?.style;

test.each<readonly [string, Style]>([
	["", {}],
	["\x1b[1;3;4m", { bold: true, italic: true, underline: true }],
	["\x1b[2;7;9m", { dim: true, inverse: true, strike: true }],
	["\x1b[1;2;3m\x1b[22m", { italic: true }],
	["\x1b[3;4;7;9m\x1b[23;24;27;29m", {}],
	["\x1b[31;42m", { fg: "#cc6666", bg: "#b5bd68" }],
	["\x1b[97;100m", { fg: "#ffffff", bg: "#707880" }],
	["\x1b[38;5;9m", { fg: "#d98c8c" }],
	["\x1b[38;5;16;48;5;231m", { fg: "#000000", bg: "#ffffff" }],
	["\x1b[38;5;110m", { fg: "#87afd7" }],
	["\x1b[38;5;232;48;5;255m", { fg: "#080808", bg: "#eeeeee" }],
	["\x1b[38;2;1;2;255;1m", { fg: "#0102ff", bold: true }],
	["\x1b[58;2;1;2;3;4m", { underline: true }],
	["\x1b[4:3m", { underline: true }],
	["\x1b[31;42m\x1b[39m", { bg: "#b5bd68" }],
	["\x1b[31;42m\x1b[49m", { fg: "#cc6666" }],
	["\x1b[1;31m\x1b[0m", {}],
	["\x1b[1;31m\x1b[m", {}],
])("SGR %j", (sgr, style) => {
	expect(styleOf(sgr)).toEqual(style);
});

test("a style lasts into the next line", () => {
	const [first, second] = parseScreen("\x1b[1ma\nb\x1b[0mc\n");
	expect(first).toEqual([{ text: "a", width: 1, style: { bold: true } }]);
	expect(second?.map(({ style }) => style)).toEqual([{ bold: true }, {}]);
});

test("what is no text takes no cell", () => {
	const [row] = parseScreen("a\x1b]8;;http://x\x1b\\b\x1b]8;;\x07\x1b[2Kc\x0e\x1b(Bd");
	expect(row?.map(({ text }) => text)).toEqual(["a", "b", "c", "d"]);
});

test.each([
	["日本", [2, 2]],
	["✅a", [2, 1]],
	["→•─", [1, 1, 1]],
	["e\u0301x", [1, 1]],
])("%s takes %j columns", (text, widths) => {
	const [row] = parseScreen(text);
	expect(row?.map(({ width }) => width)).toEqual(widths);
	expect(row?.map((cell) => cell.text).join("")).toBe(text);
});

test("empty rows are rows, and the text leaves out those around it", () => {
	const screen = parseScreen("\n a  \n\n\x1b[7m \x1b[0m\nb\n\n");
	expect(screen).toHaveLength(6);
	expect(screenText(screen)).toBe(" a\n\n\nb");
});
