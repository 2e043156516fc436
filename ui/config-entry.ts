import type { ExtensionAPI, Theme } from "@earendil-works/pi-coding-agent";
import { wrapTextWithAnsi } from "@earendil-works/pi-tui";
import type { YamlSpan } from "../lib/llama-swap/config/highlight.ts";
import { plainText } from "../lib/text.ts";
import { keepLines } from "./kept-lines.ts";

/** The custom entry in pi's session that holds a config. */
export const CONFIG_ENTRY = "ai-server-preset";

/** A config's lines in coloured parts, as they are kept in the session. */
export interface ConfigEntry {
	readonly lines: readonly (readonly YamlSpan[])[];
}

/** Draws the config entries of a session, at any width. */
export function registerConfigEntry(pi: Pick<ExtensionAPI, "registerEntryRenderer">): void {
	pi.registerEntryRenderer<ConfigEntry>(CONFIG_ENTRY, ({ data }, _options, theme) =>
		data === undefined
			? undefined
			: keepLines((width) => ["", ...colouredLines(data, width, theme)]),
	);
}

/** Unwrapped: the lines are the file's own. */
export function plainLines({ lines }: ConfigEntry): readonly string[] {
	return lines.map((spans) => spans.map(({ text }) => plainText(text)).join(""));
}

const COLOURS = {
	key: "syntaxKeyword",
	string: "syntaxString",
	number: "syntaxNumber",
	comment: "syntaxComment",
	plain: "text",
} as const satisfies Readonly<Record<YamlSpan["kind"], Parameters<Theme["fg"]>[0]>>;

/** The lines in the theme's colours, wrapped at `width` terminal cells. */
function colouredLines(
	{ lines }: ConfigEntry,
	width: number,
	theme: Pick<Theme, "fg">,
): readonly string[] {
	return lines.flatMap((spans) => {
		const parts = spans.map(({ kind, text }) =>
			theme.fg(COLOURS[kind], plainText(text).replaceAll("\t", "    ")),
		);
		return wrapTextWithAnsi(parts.join(""), width);
	});
}
