import { homedir, userInfo } from "node:os";
import { join } from "node:path";
import { parseToolCallArguments } from "@earendil-works/pi-ai";
import { type ExtensionAPI, getAgentDir, VERSION } from "@earendil-works/pi-coding-agent";
import type { AutocompleteItem } from "@earendil-works/pi-tui";
import { COMMANDS } from "./commands/all.ts";
import type { Command } from "./commands/command.ts";
import { registerPresetEntry } from "./commands/preset.ts";
import { registerStatusEntry } from "./commands/status.ts";
import { ENVIRONMENT_NAMES, loadSettings } from "./config.ts";
import type { Catalog } from "./discovery.ts";
import { AiServerError } from "./lib/errors.ts";
import { createQueue } from "./lib/keyed-queue.ts";
import { waitFor } from "./lib/poll.ts";
import { createChat } from "./session/chat.ts";
import { createEffects } from "./session/effects.ts";
import { createProvider } from "./session/provider.ts";
import { createServer, type Server } from "./session/server.ts";
import { handleSession } from "./session/session.ts";
import { waitForModels } from "./session/startup.ts";
import { createDoing } from "./ui/footer.ts";
import { completeModels } from "./ui/model-picker.ts";
import { createReply } from "./ui/reply.ts";
import { createQuestions, type Questions } from "./ui/ssh-prompts.ts";

/** Never rejects: an error here would stop pi from starting. */
export default async function aiServer(pi: ExtensionAPI): Promise<void> {
	try {
		await start(pi);
	} catch (error) {
		pi.on("session_start", (_event, context) =>
			createReply(pi, context, ENVIRONMENT_NAMES).fail(error),
		);
	}
}

async function start(pi: ExtensionAPI): Promise<void> {
	refuseOldHost();
	const questions = createQuestions();
	const home = homedir();
	const effects = createEffects({
		home,
		env: process.env,
		localUser: userInfo().username,
		folder: join(getAgentDir(), "ai-server"),
		processId: process.pid,
		prompts: questions.prompts,
	});
	const server = createServer(loadSettings(process.env, home), effects);

	registerStatusEntry(pi);
	registerPresetEntry(pi);
	registerCommands(pi, server, questions);
	const rest = await waitForModels(server.catalog);
	const registration = createProvider(server, createChat(server));
	pi.registerProvider(registration.provider);
	handleSession(pi, server, registration, rest);
}

/** Older hosts run a tool although its arguments could not be read. */
function refuseOldHost(): void {
	// A name that the host does not export is undefined for pi's loader.
	if (typeof parseToolCallArguments === "function") return;
	throw new AiServerError("settings", `ai-server needs pi 1.3.0 or newer; this is ${VERSION}`, {
		hint: "Run: npm install -g @earendil-works/pi-coding-agent",
	});
}

function registerCommands(pi: ExtensionAPI, server: Server, questions: Questions): void {
	const { admin, catalog, names } = server;
	const inTurn = createQueue();
	const wait = (milliseconds: number): Promise<void> => waitFor(milliseconds);
	for (const command of COMMANDS) {
		const usage = command.usage === "" ? "" : `${command.usage}: `;
		pi.registerCommand(command.name, {
			description: `${usage}${command.description}`,
			...(command.completesModels
				? {
						getArgumentCompletions: (prefix: string) => completeArguments(command, catalog, prefix),
					}
				: {}),
			async handler(args, context) {
				const reply = createReply(pi, context, names);
				try {
					const doing = createDoing(context);
					const effects = { now: Date.now, wait, doing, inTurn };
					const tools = { server, admin, catalog, reply, pi: context, ...effects };
					await questions.during(context, () => command.run(args.trim(), tools));
				} catch (error) {
					reply.fail(error);
				}
			},
		});
	}
}

function completeArguments(
	{ completeNext }: Command,
	catalog: Catalog,
	prefix: string,
): AutocompleteItem[] | null {
	const [, id, typed] = /^(\S+) (\S*)$/.exec(prefix) ?? [];
	if (id === undefined || typed === undefined) {
		return completeModels(catalog.current().models, prefix);
	}
	return completeNext?.(id, typed) ?? null;
}
