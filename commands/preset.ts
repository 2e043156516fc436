import type { ExtensionAPI, Theme } from "@earendil-works/pi-coding-agent";
import { wrapTextWithAnsi } from "@earendil-works/pi-tui";
import { lazy } from "../lib/lazy.ts";
import type { YamlSpan } from "../lib/llama-swap/config/highlight.ts";
import { plainText } from "../lib/text.ts";
import type { Command } from "./command.ts";

// The YAML parser takes 20 ms to load, so it is left to the command that needs it.
const highlighting = lazy(() => import("../lib/llama-swap/config/highlight.ts"));
const excerpts = lazy(() => import("../lib/llama-swap/config/excerpt.ts"));
const masking = lazy(() => import("../lib/llama-swap/config/mask-secrets.ts"));

/** The custom entry in pi's session that holds a config. */
export const PRESET_ENTRY = "ai-server-preset";

/** A config's lines in coloured parts, as they are kept in the session. */
export interface PresetEntry {
	readonly lines: readonly (readonly YamlSpan[])[];
}

export const presetCommand: Command = {
	name: "ai-server-preset",
	usage: "[id]",
	description: "Show llama-swap's config on the server, or one model's part of it",
	completesModels: true,
	async run(args, { admin, reply }) {
		const yaml = await admin.readPreset();
		const { highlightYaml } = await highlighting();
		const { modelExcerpt } = await excerpts();
		const { maskSecrets } = await masking();
		// The whole of it first: what is secret in a block may show only outside of it.
		const shown = maskSecrets(yaml);
		const text = args === "" ? shown.trimEnd() : modelExcerpt(shown, args);
		reply.show<PresetEntry>(PRESET_ENTRY, { lines: highlightYaml(text) }, plainLines);
	},
};

/** Draws the config entries of a session, at any width. */
export function registerPresetEntry(pi: Pick<ExtensionAPI, "registerEntryRenderer">): void {
	pi.registerEntryRenderer<PresetEntry>(PRESET_ENTRY, ({ data }, _options, theme) => {
		if (data === undefined) return undefined;
		return {
			render: (width) => ["", ...colouredLines(data, width, theme)],
			invalidate: () => undefined,
		};
	});
}

/** Unwrapped: the lines are the file's own. */
function plainLines({ lines }: PresetEntry): readonly string[] {
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
export function colouredLines(
	{ lines }: PresetEntry,
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
