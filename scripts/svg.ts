import { type Cell, type Screen, type Style, screenText } from "./screen.ts";

export interface PictureOptions {
	/** Stands in the title bar, and is the picture's name for who cannot see it. */
	readonly title: string;
	readonly columns: number;
}

const CELL = { width: 8.4, height: 19, fontSize: 14, baseline: 14 } as const;
const FRAME = { bar: 34, padding: 14, radius: 9 } as const;
const COLOURS = {
	fg: "#d8dcdf",
	bg: "#12161a",
	bar: "#1c2227",
	edge: "#343c43",
	title: "#98a2a9",
	lights: ["#e0675c", "#dfae4b", "#62b562"],
} as const;
const FONTS =
	"ui-monospace, 'SF Mono', Menlo, 'Cascadia Mono', Consolas, 'DejaVu Sans Mono', 'Liberation Mono', monospace";

/**
 * A picture of a screen in a window frame. Every word is placed at its own column and is told how wide
 * it is, so the columns hold in whatever font there is.
 */
export function renderSvg(screen: Screen, { title, columns }: PictureOptions): string {
	const width = Math.ceil(columns * CELL.width + 2 * FRAME.padding);
	const height = FRAME.bar + screen.length * CELL.height + 2 * FRAME.padding;
	const rows = screen.map((row, at) => {
		const y = FRAME.bar + FRAME.padding + at * CELL.height;
		return [...backgrounds(row, y), ...words(row, y), ...rules(row, y)];
	});
	const lights = COLOURS.lights.map(
		(fill, at) => `<circle cx="${20 + 19 * at}" cy="${FRAME.bar / 2}" r="5.5" fill="${fill}"/>`,
	);
	return `${[
		`<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}" role="img" aria-labelledby="title desc">`,
		`<title id="title">${escapeXml(title)}</title>`,
		`<desc id="desc">${escapeXml(alternative(screen))}</desc>`,
		`<rect x="0.5" y="0.5" width="${width - 1}" height="${height - 1}" rx="${FRAME.radius}" fill="${COLOURS.bg}"/>`,
		`<path d="M0.5 ${FRAME.bar}V${FRAME.radius + 0.5}a${FRAME.radius} ${FRAME.radius} 0 0 1 ${FRAME.radius} -${FRAME.radius}H${width - FRAME.radius - 0.5}a${FRAME.radius} ${FRAME.radius} 0 0 1 ${FRAME.radius} ${FRAME.radius}V${FRAME.bar}z" fill="${COLOURS.bar}"/>`,
		`<rect x="0.5" y="0.5" width="${width - 1}" height="${height - 1}" rx="${FRAME.radius}" fill="none" stroke="${COLOURS.edge}"/>`,
		...lights,
		`<text x="${width / 2}" y="${FRAME.bar / 2 + 4.5}" text-anchor="middle" font-family="system-ui, 'Segoe UI', Helvetica, Arial, sans-serif" font-size="13" fill="${COLOURS.title}">${escapeXml(title)}</text>`,
		`<g font-family="${FONTS}" font-size="${CELL.fontSize}">`,
		...rows.flat(),
		"</g>",
		"</svg>",
	].join("\n")}\n`;
}

/** The screen's text for who hears it: without drawn lines and repeated empty ones. */
function alternative(screen: Screen): string {
	const lines = screenText(screen).split("\n");
	const said = lines.filter((line) => !/^[\u2500-\u257f]+$/.test(line));
	return said
		.join("\n")
		.replace(/\n{3,}/g, "\n\n")
		.trim();
}

/** Cells side by side that have the same key. */
interface Run {
	readonly key: string;
	readonly column: number;
	/** In columns. */
	readonly width: number;
	readonly text: string;
	readonly style: Style;
}

/** An undefined key leaves the cell out. */
function toRuns(row: readonly Cell[], keyOf: (cell: Cell) => string | undefined): readonly Run[] {
	const runs: Run[] = [];
	let column = 0;
	for (const cell of row) {
		const key = keyOf(cell);
		const last = runs.at(-1);
		const { text, width, style } = cell;
		if (last !== undefined && last.key === key && last.column + last.width === column) {
			runs[runs.length - 1] = { ...last, width: last.width + width, text: last.text + text };
		} else if (key !== undefined) runs.push({ key, column, width, text, style });
		column += width;
	}
	return runs;
}

function backgrounds(row: readonly Cell[], y: number): readonly string[] {
	return toRuns(row, ({ style }) => paper(style)).map(
		({ key, column, width }) =>
			`<rect x="${px(column)}" y="${y}" width="${px(width, 0)}" height="${CELL.height}" fill="${key}" shape-rendering="crispEdges"/>`,
	);
}

function words(row: readonly Cell[], y: number): readonly string[] {
	const runs = toRuns(row, ({ text, style }) => {
		if (/^\s*$/.test(text)) return undefined;
		const look = `${ink(style)}${weight(style)}`;
		if (ARMS.has(text)) return `box ${look}`;
		// A glyph that another font may have to lend is held in its own cell.
		return /^[!-~]$/.test(text) ? `word ${look}` : `alone ${text} ${look}`;
	});
	return runs.map((run) => {
		if (run.key.startsWith("box ")) return boxPath(run, y);
		const place = `x="${px(run.column)}" y="${y + CELL.baseline}" textLength="${px(run.width, 0)}"`;
		const look = `fill="${ink(run.style)}"${weight(run.style)}`;
		return `<text ${place} lengthAdjust="spacingAndGlyphs" ${look}>${escapeXml(run.text)}</text>`;
	});
}

/** Lines below and through the text, blanks between words included. */
function rules(row: readonly Cell[], y: number): readonly string[] {
	const through = (flag: "underline" | "strike", height: number): readonly string[] =>
		toRuns(row, ({ style }) => (style[flag] === true ? ink(style) : undefined)).map(
			({ key, column, width }) =>
				`<path d="M${px(column)} ${y + height}h${px(width, 0)}" stroke="${key}"/>`,
		);
	return [...through("underline", CELL.baseline + 2.5), ...through("strike", CELL.height / 2)];
}

/** To which sides of its cell a line drawing character reaches. */
const ARMS: ReadonlyMap<string, string> = new Map([
	...(["─lr", "│ud", "┌rd", "┐ld", "└ru", "┘lu", "╭rd", "╮ld", "╰ru", "╯lu"] as const).map(split),
	...(["├rud", "┤lud", "┬lrd", "┴lru", "┼lrud"] as const).map(split),
]);

function split([character = "", ...arms]: string): readonly [string, string] {
	return [character, arms.join("")];
}

/** Lines are drawn, not written: glyphs of most fonts leave gaps between rows. */
function boxPath({ column, width, text, style }: Run, y: number): string {
	const middle = y + CELL.height / 2;
	const stroke = `fill="none" stroke="${ink(style)}"`;
	if (/^─+$/.test(text)) {
		return `<path d="M${px(column)} ${middle}h${px(width, 0)}" ${stroke}/>`;
	}
	const d = [...text].flatMap((character, at) => {
		const centre = `M${px(column + at + 0.5)} ${middle}`;
		return [...(ARMS.get(character) ?? "")].map((arm) => `${centre}${ARM_PATHS[arm] ?? ""}`);
	});
	return `<path d="${d.join("")}" ${stroke} stroke-linecap="square"/>`;
}

const ARM_PATHS: Readonly<Record<string, string>> = {
	l: `h-${CELL.width / 2}`,
	r: `h${CELL.width / 2}`,
	u: `v-${CELL.height / 2}`,
	d: `v${CELL.height / 2}`,
};

function ink({ fg, bg, inverse }: Style): string {
	return inverse === true ? (bg ?? COLOURS.bg) : (fg ?? COLOURS.fg);
}

/** What a cell is painted with; undefined for the window's own background. */
function paper({ fg, bg, inverse }: Style): string | undefined {
	return inverse === true ? (fg ?? COLOURS.fg) : bg;
}

function weight({ bold, dim, italic }: Style): string {
	return [
		bold === true ? ' font-weight="bold"' : "",
		italic === true ? ' font-style="italic"' : "",
		dim === true ? ' opacity="0.6"' : "",
	].join("");
}

/** Columns as pixels, from the left edge of the picture or, with 0, as a length. */
function px(columns: number, from: number = FRAME.padding): string {
	return String(Number((from + columns * CELL.width).toFixed(1)));
}

/** For text and attributes; what XML cannot hold at all becomes U+FFFD. */
function escapeXml(text: string): string {
	const names: Readonly<Record<string, string>> = { "<": "lt", ">": "gt", "&": "amp", '"': "quot" };
	return text
		.replace(/[<>&"]/g, (character) => `&${names[character]};`)
		.replace(/[^\t\n\u0020-\ud7ff\ue000-\ufffd\u{10000}-\u{10ffff}]/gu, "\ufffd");
}
