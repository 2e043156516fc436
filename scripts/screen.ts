/** How a cell looks; a colour that is absent is the terminal's own. */
export interface Style {
	/** `#rrggbb` */
	readonly fg?: string;
	/** `#rrggbb` */
	readonly bg?: string;
	readonly bold?: true;
	readonly dim?: true;
	readonly italic?: true;
	readonly underline?: true;
	readonly inverse?: true;
	readonly strike?: true;
}

/** One character of a screen with the marks that combine with it. */
export interface Cell {
	readonly text: string;
	/** In columns. */
	readonly width: 1 | 2;
	readonly style: Style;
}

/** From top to bottom, each row from left to right; rows may be shorter than the screen is wide. */
export type Screen = readonly (readonly Cell[])[];

/**
 * Reads what `tmux capture-pane -e` prints: lines with SGR sequences whose effect lasts across line
 * breaks. Other sequences and control characters are skipped.
 */
export function parseScreen(captured: string): Screen {
	let style: Style = {};
	return captured
		.replace(/\n$/, "")
		.split("\n")
		.map((line) => {
			const cells: Cell[] = [];
			for (const [token, parameters] of line.matchAll(TOKEN)) {
				if (parameters !== undefined) style = applySgr(style, parameters);
				else if (/^\p{M}/u.test(token)) combine(cells, token);
				else if (!/^\p{Cc}/u.test(token)) cells.push({ text: token, width: widthOf(token), style });
			}
			return cells;
		});
}

/** The text of a screen without blanks at the ends of lines, nor empty lines around it. */
export function screenText(screen: Screen): string {
	const lines = screen.map((row) =>
		row
			.map(({ text }) => text)
			.join("")
			.trimEnd(),
	);
	return lines.join("\n").replace(/^\n+|\n+$/g, "");
}

/** SGR with its parameters, any other CSI, an OSC, any other escape sequence, or one character. */
const TOKEN =
	/\x1b\[([\d;:]*)m|\x1b\[[0-?]*[ -/]*[@-~]|\x1b\].*?(?:\x07|\x1b\\)|\x1b[ -/]*[0-~]|./gu;

/** The wide ones of East Asian scripts, and emoji. */
const WIDE =
	/^(?:\p{Emoji_Presentation}|[\u1100-\u115f\u2e80-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6])/u;

function widthOf(character: string): 1 | 2 {
	return WIDE.test(character) ? 2 : 1;
}

function combine(cells: Cell[], mark: string): void {
	const base = cells.pop();
	if (base !== undefined) cells.push({ ...base, text: base.text + mark });
}

type Flag = Exclude<keyof Style, "fg" | "bg">;

const SWITCHED_ON: ReadonlyMap<number, Flag> = new Map([
	[1, "bold"],
	[2, "dim"],
	[3, "italic"],
	[4, "underline"],
	[7, "inverse"],
	[9, "strike"],
]);
const SWITCHED_OFF: ReadonlyMap<number, readonly (keyof Style)[]> = new Map([
	[22, ["bold", "dim"]],
	[23, ["italic"]],
	[24, ["underline"]],
	[27, ["inverse"]],
	[29, ["strike"]],
	[39, ["fg"]],
	[49, ["bg"]],
]);

function applySgr(before: Style, parameters: string): Style {
	// A colon sets apart what belongs to one number: the kind of an underline, say.
	const codes = parameters.split(";").map((code) => Number.parseInt(code, 10) || 0);
	let style = before;
	for (let at = 0; at < codes.length; at += 1) {
		const code = codes[at] ?? 0;
		const on = SWITCHED_ON.get(code);
		const off = SWITCHED_OFF.get(code);
		if (code === 0) style = {};
		else if (on !== undefined) style = { ...style, [on]: true };
		else if (off !== undefined) style = without(style, off);
		else if (code === 38 || code === 48 || code === 58) {
			const { colour, length } = extendedColour(codes.slice(at + 1));
			at += length;
			if (code !== 58 && colour !== undefined) {
				style = { ...style, [code === 38 ? "fg" : "bg"]: colour };
			}
		} else style = { ...style, ...namedColour(code) };
	}
	return style;
}

function without(style: Style, keys: readonly (keyof Style)[]): Style {
	return Object.fromEntries(
		Object.entries(style).filter(([key]) => !keys.some((gone) => gone === key)),
	);
}

/** What follows 38 or 48: `5;n` or `2;r;g;b`, and how many numbers that is. */
function extendedColour(codes: readonly number[]): {
	readonly colour: string | undefined;
	readonly length: number;
} {
	const [kind, first = 0, green = 0, blue = 0] = codes;
	if (kind === 5) return { colour: paletteColour(first), length: 2 };
	if (kind === 2) return { colour: hex(first, green, blue), length: 4 };
	return { colour: undefined, length: 0 };
}

function namedColour(code: number): Style {
	const bright = code >= 90;
	const base = bright ? code - 60 : code;
	const colour = paletteColour((base % 10) + (bright ? 8 : 0));
	if (base >= 30 && base <= 37) return { fg: colour };
	if (base >= 40 && base <= 47) return { bg: colour };
	return {};
}

/** The sixteen that terminals choose themselves, here as most dark themes have them. */
const NAMED = [
	...["#1d1f21", "#cc6666", "#b5bd68", "#f0c674", "#81a2be", "#b294bb", "#8abeb7", "#c5c8c6"],
	...["#707880", "#d98c8c", "#c8d08a", "#f7dba0", "#a3bdd4", "#c9b3d0", "#a9d2cd", "#ffffff"],
] as const;

/** xterm's 256 colours: sixteen, then a cube of 6 by 6 by 6, then grey. */
function paletteColour(index: number): string {
	const named = NAMED[index];
	if (named !== undefined) return named;
	if (index >= 232) {
		const grey = 8 + 10 * (index - 232);
		return hex(grey, grey, grey);
	}
	const level = (digit: number): number => (digit === 0 ? 0 : 55 + 40 * digit);
	const cube = index - 16;
	return hex(level(Math.floor(cube / 36)), level(Math.floor(cube / 6) % 6), level(cube % 6));
}

function hex(...levels: readonly [number, number, number]): string {
	return `#${levels.map((level) => level.toString(16).padStart(2, "0")).join("")}`;
}
