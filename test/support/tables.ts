import { COMMANDS } from "../../commands/all.ts";
import { usageOf } from "../../commands/command.ts";
import { ENVIRONMENT_NAMES, VARIABLES } from "../../config.ts";

/** The README's table of environment variables, from the table that the program reads them by. */
export function variablesTable(): string {
	const rows = VARIABLES.map(({ name, default: value, purpose }) => {
		const shown = value === "" ? "not set" : `\`${value}\``;
		return `| \`${name}\` | ${shown} | ${purpose} |`;
	});
	return ["| Variable | Default | Purpose |", "|---|---|---|", ...rows].join("\n");
}

/** The README's table of commands, from the commands themselves. */
export function commandsTable(): string {
	const rows = COMMANDS.map((command) => {
		const usage = usageOf(command, ENVIRONMENT_NAMES).replace("|", "\\|");
		return `| \`${usage}\` | ${command.description} |`;
	});
	return ["| Command | What it does |", "|---|---|", ...rows].join("\n");
}
