import type { Command } from "./command.ts";
import { ctxCommand } from "./ctx.ts";
import { loadCommand } from "./load.ts";
import { presetCommand } from "./preset.ts";
import { refreshCommand } from "./refresh.ts";
import { restartCommand } from "./restart.ts";
import { statusCommand } from "./status.ts";
import { unloadCommand } from "./unload.ts";

export const COMMANDS: readonly Command[] = [
	statusCommand,
	refreshCommand,
	loadCommand,
	unloadCommand,
	ctxCommand,
	presetCommand,
	restartCommand,
];
