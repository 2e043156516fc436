import { expect, test } from "vitest";
import { type ConfigEntry, plainLines, registerConfigEntry } from "../../ui/config-entry.ts";

const ENTRY: ConfigEntry = {
	lines: [
		[
			{ kind: "key", text: "cmd:" },
			{ kind: "plain", text: " a\u001b[2Jb\tc" },
		],
		[],
	],
};

type Register = Parameters<typeof registerConfigEntry>[0]["registerEntryRenderer"];

function renderer(): Parameters<Register>[1] {
	let found: Parameters<Register>[1] | undefined;
	const pi = {
		registerEntryRenderer: (_type: string, render: Parameters<Register>[1]) => {
			found = render;
		},
	} as Parameters<typeof registerConfigEntry>[0];
	registerConfigEntry(pi);
	if (found === undefined) throw new Error("nothing was registered");
	return found;
}

test("outside of the TUI the lines are the file's own, without control characters", () => {
	expect(plainLines(ENTRY)).toEqual(["cmd: ab\tc", ""]);
});

test("in the TUI they have the theme's colours, and are drawn once for a width", () => {
	let drawn = 0;
	const theme = {
		fg: (colour: string, text: string) => {
			drawn += 1;
			return `<${colour}>${text}`;
		},
	};
	const component = renderer()({ data: ENTRY } as never, {} as never, theme as never);
	expect(component?.render(200)).toEqual(["", "<syntaxKeyword>cmd:<text> ab    c", ""]);
	expect(component?.render(200)).toBe(component?.render(200));
	expect(drawn).toBe(2);
	component?.invalidate();
	component?.render(200);
	expect(drawn).toBe(4);
});

test("an entry without data is not drawn", () => {
	expect(renderer()({ data: undefined } as never, {} as never, {} as never)).toBeUndefined();
});
