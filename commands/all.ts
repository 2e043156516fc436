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
