import { type Command, defineCommand } from "./command.ts";

export const unloadCommand: Command = defineCommand({
	name: "unload",
	description: "Unload a model, or all of them, and free the memory",
	arguments: {
		id: { kind: "model", question: "Unload which model?", unless: "all" },
		all: { kind: "flag" },
	},
	progress: ({ id = "all models" }) => `Unloading ${id}…`,
	change: {
		// It may end a load that is under way, so it does not wait for one.
		locks: [],
		confirm: {
			cutsOff: "model",
			question: ({ id = "all models" }) => ({
				title: `Unload ${id} now?`,
				message: "Answers in progress will be cut off.",
			}),
			declined: "Nothing was unloaded",
		},
	},
	async run({ id }, { server }) {
		if (id === undefined) {
			await server.admin.unloadAll();
			return "All models are unloaded";
		}
		await server.admin.unload(id);
		return `${id} is unloaded`;
	},
});
