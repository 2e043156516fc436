import { expect, test } from "vitest";
import { type Column, renderTable } from "../../ui/table.ts";

const COLUMNS: readonly Column[] = [
	{ title: "Model" },
	{ title: "Context", align: "right" },
	{ title: "from", dropFirst: 2 },
	{ title: "Images", dropFirst: 1 },
];
const ROWS = [
	["tiny", "4096", "command", "no"],
	["a-model-with-a-long-name", "262144", "config", "yes"],
];

test("aligns and drops nothing when there is room", () => {
	expect(renderTable(COLUMNS, ROWS, 80)).toEqual([
		"Model                     Context  from     Images",
		"tiny                         4096  command  no",
		"a-model-with-a-long-name   262144  config   yes",
	]);
});

test("drops columns by rank, then cuts the first", () => {
	expect(renderTable(COLUMNS, ROWS, 45)[2]).toBe("a-model-with-a-long-name   262144  yes");
	expect(renderTable(COLUMNS, ROWS, 34)[2]).toBe("a-model-with-a-long-name   262144");
	expect(renderTable(COLUMNS, ROWS, 20)).toEqual([
		"Model        Context",
		"tiny            4096",
		"a-model-wi…   262144",
	]);
});

test("measures cells, not characters", () => {
	const wide = (text: string): number => [...text].length * 2;
	expect(renderTable([{ title: "あ" }, { title: "b" }], [["いう", "c"]], 40, wide)).toEqual([
		"あ    b",
		"いう  c",
	]);
});
