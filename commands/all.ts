import type { ExtensionAPI } from "@earendil-works/pi-coding-agent";
import { createQueue } from "../lib/keyed-queue.ts";
import { waitFor } from "../lib/poll.ts";
import { completeArguments, describeArguments } from "../ui/arguments.ts";
import { registerConfigEntry } from "../ui/config-entry.ts";
import type { CommandServer } from "../ui/context.ts";
import { createDoing } from "../ui/footer.ts";
import { createReply } from "../ui/reply.ts";
import type { Questions } from "../ui/ssh-prompts.ts";
import { registerStatusEntry } from "../ui/status-entry.ts";
import { type Command, modelsFor, runCommand } from "./command.ts";
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

/** Lets pi draw the entries that commands leave in its sessions. */
export function registerEntries(pi: Pick<ExtensionAPI, "registerEntryRenderer">): void {
	registerStatusEntry(pi);
	registerConfigEntry(pi);
}

/** Registers all commands for one server, under its names. */
export function registerCommands(
	pi: Pick<ExtensionAPI, "registerCommand" | "appendEntry">,
	server: CommandServer,
	questions: Pick<Questions, "during">,
): void {
	const inTurn = createQueue();
	for (const command of COMMANDS) {
		const usage = describeArguments(command.arguments);
		pi.registerCommand(server.names.command(command.name).slice(1), {
			description: usage === "" ? command.description : `${usage}: ${command.description}`,
			getArgumentCompletions: (typed) =>
				completeArguments(command.arguments, typed, modelsFor(command, server)),
			async handler(typed, context) {
				const reply = createReply(pi, context, server.names);
				const doing = createDoing(context, server.id);
				const effects = { now: Date.now, wait: waitFor, doing, inTurn };
				const runner = { server, reply, pi: context, ...effects };
				try {
					await questions.during(context, () => runCommand(command, typed, runner));
				} catch (error) {
					reply.fail(error);
				}
			},
		});
	}
}
