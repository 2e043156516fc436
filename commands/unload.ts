import type { Command } from "./command.ts";
import { chooseModel } from "./models.ts";

export const unloadCommand: Command = {
	name: "ai-server-unload",
	usage: "<id>",
	description: "Unload a model and free its memory",
	completesModels: true,
	async run(args, context) {
		const id = await chooseModel(args, "Unload which model?", "/ai-server-unload <id>", context);
		if (id === undefined) return;
		await context.admin.unload(id);
		await context.catalog.refresh();
		context.reply.say(`${id} is unloaded`);
	},
};
