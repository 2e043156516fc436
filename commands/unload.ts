import type { Command } from "./command.ts";
import { chooseModel } from "./models.ts";

export const unloadCommand: Command = {
	name: "ai-server-unload",
	usage: "<id> | --all",
	description: "Unload a model, or all of them, and free the memory",
	completesModels: true,
	async run(args, context) {
		if (args === "--all") {
			await context.admin.unloadAll();
			context.reply.say("All models are unloaded");
			await context.catalog.refresh();
			return;
		}
		const id = await chooseModel(
			args,
			"Unload which model?",
			"/ai-server-unload <id> | --all",
			context,
		);
		if (id === undefined) return;
		await context.admin.unload(id);
		context.reply.say(`${id} is unloaded`);
		await context.catalog.refresh();
	},
};
