import { describeLoaded } from "../ui/confirm.ts";
import { type Command, defineCommand } from "./command.ts";

export const restartCommand: Command = defineCommand({
	name: "restart",
	description: "Restart llama-swap on the server and wait until it answers",
	arguments: {},
	progress: () => "Restarting llama-swap…",
	change: {
		locks: ["config"],
		confirm: {
			question: async (_values, { server }) => ({
				title: "Restart llama-swap?",
				message: await describeLoaded(server.admin),
			}),
			declined: "Nothing was restarted",
		},
	},
	async run(_values, { server, now }) {
		const started = now();
		await server.admin.restart();
		return `llama-swap is back (${Math.round((now() - started) / 1000)} s)`;
	},
});
