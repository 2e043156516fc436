import { askConsent, describeLoaded, readArguments } from "../ui/confirm.ts";
import type { Command } from "./command.ts";

export const restartCommand: Command = {
	name: "ai-server-restart",
	usage: "",
	description: "Restart llama-swap on the server and wait until it answers",
	completesModels: false,
	async run(args, context) {
		const { admin, catalog, reply, now } = context;
		const { yes } = readArguments(args);
		const consent = {
			title: "Restart llama-swap?",
			message: yes ? "" : await describeLoaded(context),
			command: "/ai-server-restart",
		};
		if (!(await askConsent(consent, yes, context))) {
			reply.say("Nothing was restarted");
			return;
		}
		const started = now();
		await context.inTurn("config", () => admin.restart());
		reply.say(`llama-swap is back (${Math.round((now() - started) / 1000)} s)`);
		await catalog.refresh();
	},
};
