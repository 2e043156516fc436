import { askConsent, describeBusy, readArguments } from "../ui/confirm.ts";
import type { CommandContext } from "../ui/context.ts";
import { chooseModel } from "../ui/model-picker.ts";
import type { Command } from "./command.ts";

export const unloadCommand: Command = {
	name: "ai-server-unload",
	usage: "<id> | --all",
	description: "Unload a model, or all of them, and free the memory",
	completesModels: true,
	async run(args, context) {
		const { text, yes } = readArguments(args);
		if (text === "--all") {
			if (!(await mayCutOff(() => true, "/ai-server-unload --all", yes, context))) return;
			await context.admin.unloadAll();
			context.reply.say("All models are unloaded");
			await context.catalog.refresh();
			return;
		}
		const id = await chooseModel(
			text,
			"Unload which model?",
			"/ai-server-unload <id> | --all",
			context,
		);
		if (id === undefined) return;
		const command = `/ai-server-unload ${id}`;
		if (!(await mayCutOff((other) => other === id, command, yes, context))) return;
		await context.admin.unload(id);
		context.reply.say(`${id} is unloaded`);
		await context.catalog.refresh();
	},
};

/** An unload does not wait for answers, so their end is asked about. */
async function mayCutOff(
	counts: (id: string) => boolean,
	command: string,
	yes: boolean,
	context: CommandContext,
): Promise<boolean> {
	const busy = yes ? "" : await describeBusy(context, counts);
	const message = `${busy} Answers are cut off.`;
	const isHarmless = busy === "" && context.pi.hasUI;
	const agreed =
		isHarmless || (await askConsent({ title: "Unload now?", message, command }, yes, context));
	if (!agreed) context.reply.say("Nothing was unloaded");
	return agreed;
}
