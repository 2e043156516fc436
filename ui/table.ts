export interface Column {
	readonly title: string;
	readonly align?: "right";
	/** Columns with a higher number are dropped first when the table is too wide; default 0: never. */
	readonly dropFirst?: number;
}

/**
 * Lines of a table with two blanks between columns, at most `width` cells wide. When it does not fit,
 * columns are dropped by their rank; after that the first column is cut. `cellWidth` tells how many
 * terminal cells a text takes.
 */
export function renderTable(
	columns: readonly Column[],
	rows: readonly (readonly string[])[],
	width: number,
	cellWidth: (text: string) => number = (text) => text.length,
): readonly string[] {
	const table = [columns.map(({ title }) => title), ...rows];
	const widths = columns.map((_, at) => Math.max(...table.map((row) => cellWidth(row[at] ?? ""))));
	const shown = fittingColumns(columns, widths, width);
	const total = shown.reduce((sum, at) => sum + (widths[at] ?? 0) + 2, -2);
	const first = shown[0];
	if (first !== undefined && total > width) {
		widths[first] = Math.max(4, (widths[first] ?? 0) - (total - width));
	}
	return table.map((row) =>
		shown
			.map((at) => {
				const cell = cut(row[at] ?? "", widths[at] ?? 0, cellWidth);
				const padding = " ".repeat(Math.max(0, (widths[at] ?? 0) - cellWidth(cell)));
				return columns[at]?.align === "right" ? padding + cell : cell + padding;
			})
			.join("  ")
			.trimEnd(),
	);
}

/** Positions of the columns that fit, in order. */
function fittingColumns(
	columns: readonly Column[],
	widths: readonly number[],
	width: number,
): readonly number[] {
	const shown = columns.map((_, at) => at);
	const order = shown
		.filter((at) => (columns[at]?.dropFirst ?? 0) > 0)
		.toSorted((a, b) => (columns[b]?.dropFirst ?? 0) - (columns[a]?.dropFirst ?? 0));
	for (const victim of order) {
		if (shown.reduce((sum, at) => sum + (widths[at] ?? 0) + 2, -2) <= width) break;
		shown.splice(shown.indexOf(victim), 1);
	}
	return shown;
}

function cut(text: string, width: number, cellWidth: (text: string) => number): string {
	if (cellWidth(text) <= width) return text;
	let kept = "";
	for (const character of text) {
		if (cellWidth(kept + character) > width - 1) break;
		kept += character;
	}
	return `${kept}…`;
}
