import type { CommandContext } from "../ui/context.ts";
import { waitVisibly } from "../ui/loader.ts";
import { type Command, defineCommand } from "./command.ts";

export const loadCommand: Command = defineCommand({
	name: "load",
	description: "Load a model, so that the first answer does not wait for it",
	arguments: { id: { kind: "model", question: "Load which model?" } },
	change: {
		locks: ["model"],
		confirm: {
			cutsOff: "others",
			question: ({ id }) => ({
				title: `Load ${id} now?`,
				message: "Loading may wait for answers in progress, and then stop the model.",
			}),
			declined: "Nothing was loaded",
		},
	},
	async run({ id }, context) {
		const { now, server } = context;
		const started = now();
		const load = (signal?: AbortSignal): Promise<void> => server.admin.load(id, signal);
		if (!(await waitVisibly(`Loading ${id}`, load, context))) return giveUp(id, context);
		return `${id} is ready (${Math.round((now() - started) / 1000)} s)`;
	},
});

/** llama-swap continues a load whose client has gone, until an unload. */
async function giveUp(id: string, { server, pi }: CommandContext): Promise<string> {
	const cancel = await pi.ui.confirm(
		`Cancel loading ${id}?`,
		"You stopped waiting, but the server is still loading it.",
	);
	if (!cancel) return `Stopped waiting; the server is still loading ${id}`;
	await server.admin.unload(id);
	return `Cancelled loading ${id}`;
}
