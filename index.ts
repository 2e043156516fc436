import { homedir, userInfo } from "node:os";
import { join } from "node:path";
import { parseToolCallArguments } from "@earendil-works/pi-ai";
import { type ExtensionAPI, getAgentDir, VERSION } from "@earendil-works/pi-coding-agent";
import { registerCommands, registerEntries } from "./commands/all.ts";
import { ENVIRONMENT_NAMES, loadSettings } from "./config.ts";
import { AiServerError } from "./lib/errors.ts";
import { waitFor } from "./lib/poll.ts";
import { createChat } from "./session/chat.ts";
import { createEffects } from "./session/effects.ts";
import { createNotices } from "./session/notices.ts";
import { createProvider } from "./session/provider.ts";
import { createServer } from "./session/server.ts";
import { handleSession } from "./session/session.ts";
import { startMode } from "./session/start-mode.ts";
import { waitForModels } from "./session/startup.ts";
import { createReply, warnOutside } from "./ui/reply.ts";
import { createQuestions } from "./ui/ssh-prompts.ts";

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

	registerEntries(pi);
	registerCommands(pi, server, questions);
	const isTerminal = process.stdin.isTTY && process.stdout.isTTY;
	const rest = await waitForModels(server.catalog, {
		mode: startMode({ argv: process.argv, isTerminal }),
		warn: warnOutside,
		names: server.names,
	});
	const notices = createNotices();
	const registration = createProvider(server, createChat(server, notices));
	pi.registerProvider(registration.provider);
	handleSession(pi, server, { registration, rest, notices, now: effects.now, wait: waitFor });
}

/** Older hosts run a tool although its arguments could not be read. */
function refuseOldHost(): void {
	// A name that the host does not export is undefined for pi's loader.
	if (typeof parseToolCallArguments === "function") return;
	throw new AiServerError("settings", `ai-server needs pi 1.3.0 or newer; this is ${VERSION}`, {
		hint: "Run: npm install -g @earendil-works/pi-coding-agent",
	});
}
