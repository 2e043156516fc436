import { STATUS_ENTRY, statusLines, toStatus } from "../ui/status-entry.ts";
import { type Command, defineCommand } from "./command.ts";

export const statusCommand: Command = defineCommand({
	name: "status",
	description: "Show the models of the server: state, context window, images, thinking",
	arguments: {},
	async run(_values, { server, reply, now }) {
		const { catalog, names } = server;
		const failure = await catalog.refresh().then(
			() => undefined,
			(error: unknown) => error ?? new Error("The server did not answer"),
		);
		reply.show(STATUS_ENTRY, toStatus(catalog.current(), failure, names, now()), statusLines);
		if (failure !== undefined) throw failure;
		return undefined;
	},
});
