import type { Command } from "./command.ts";
import { loadCommand } from "./load.ts";
import { refreshCommand } from "./refresh.ts";
import { statusCommand } from "./status.ts";
import { unloadCommand } from "./unload.ts";

export const COMMANDS: readonly Command[] = [
	statusCommand,
	refreshCommand,
	loadCommand,
	unloadCommand,
];

/** The README's table: one row a command. */
export function commandsTable(): string {
	const rows = COMMANDS.map(({ name, usage, description }) => {
		const typed = usage === "" ? `/${name}` : `/${name} ${usage}`;
		return `| \`${typed}\` | ${description} |`;
	});
	return ["| Command | What it does |", "|---|---|", ...rows].join("\n");
}
