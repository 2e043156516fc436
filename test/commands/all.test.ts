import type { ExtensionCommandContext, RegisteredCommand } from "@earendil-works/pi-coding-agent";
import { expect, test } from "vitest";
import { COMMANDS, registerCommands } from "../../commands/all.ts";
import { AiServerError } from "../../lib/errors.ts";
import type { CommandServer } from "../../ui/context.ts";
import { discovery, model, NAMES } from "../support/command-rig.ts";

type Options = Omit<RegisteredCommand, "name" | "sourceInfo">;

function register(refresh: () => Promise<unknown> = async () => discovery()) {
	const registered = new Map<string, Options>();
	const found = discovery({ models: [model("Qwen3-Coder"), model("gpt-oss")] });
	const server = {
		id: "box",
		names: NAMES,
		admin: {},
		catalog: { current: () => found, refresh },
	} as unknown as CommandServer;
	const pi = {
		registerCommand: (name: string, options: Options) => void registered.set(name, options),
		appendEntry: () => undefined,
	};
	registerCommands(pi, server, { during: (_context, run) => run() });
	return registered;
}

test("each command has the name that the server gives it, and a description", () => {
	const registered = register();
	expect([...registered.keys()]).toEqual(COMMANDS.map(({ name }) => `box-${name}`));
	expect(registered.get("box-ctx")?.description).toMatch(/^<id> <size>: Set a model's context/);
	expect(registered.get("box-status")?.description).toMatch(/^Show the models/);
});

test.each([
	["box-load", "qwcod", ["Qwen3-Coder"]],
	["box-load", "Qwen3-Coder ", undefined],
	["box-ctx", "gpt-oss 6", ["gpt-oss 64k"]],
	["box-unload", "--a", ["--all"]],
	["box-status", "", undefined],
])("%s completes %j", async (name, typed, values) => {
	const items = await register().get(name)?.getArgumentCompletions?.(typed);
	expect(items?.map(({ value }) => value)).toEqual(values);
});

test("what a command rejects with is shown as an error, in the server's own names", async () => {
	const registered = register(async () => {
		throw new AiServerError("network", "Nothing listens there", {
			hint: "Check the URL",
			setting: "url",
		});
	});
	const shown: string[] = [];
	const context = {
		mode: "tui",
		hasUI: true,
		ui: { notify: (text: string, kind: string) => void shown.push(`${kind}: ${text}`) },
	} as unknown as ExtensionCommandContext;
	await registered.get("box-refresh")?.handler("", context);
	expect(shown).toEqual(["error: Nothing listens there. Check the URL (<url>)"]);
});
