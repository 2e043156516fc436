import { createHash } from "node:crypto";
import { homedir, userInfo } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { lazyStream } from "@earendil-works/pi-ai";
import {
	type ExtensionAPI,
	type ExtensionContext,
	getAgentDir,
} from "@earendil-works/pi-coding-agent";
import type { AutocompleteItem } from "@earendil-works/pi-tui";
import { type Admin, createAdmin } from "./admin.ts";
import { COMMANDS } from "./commands/all.ts";
import type { Command } from "./commands/command.ts";
import { registerPresetEntry } from "./commands/preset.ts";
import { registerStatusEntry, startLines } from "./commands/status.ts";
import { loadSettings, PROVIDER_ID, type Settings } from "./config.ts";
import { followConfig } from "./discovery/config-watch.ts";
import { type Catalog, createCatalog } from "./discovery.ts";
import { AiServerError } from "./lib/errors.ts";
import { lazyHttp } from "./lib/http/lazy-client.ts";
import type { Http, WarmHttp } from "./lib/http/types.ts";
import { createJsonFile } from "./lib/json-file.ts";
import { createQueue } from "./lib/keyed-queue.ts";
import { lazy } from "./lib/lazy.ts";
import type { Thinking } from "./lib/llama-server/thinking.ts";
import { waitFor } from "./lib/poll.ts";
import type { Service } from "./lib/service/run.ts";
import { lazySsh } from "./lib/ssh/lazy-connection.ts";
import type { Ssh, SshPrompts } from "./lib/ssh/types.ts";
import { showChanges } from "./session/catalog-updates.ts";
import { createAdvice } from "./session/model-advice.ts";
import { createProvider, type StreamSimple } from "./session/provider.ts";
import { createDoing } from "./ui/footer.ts";
import { completeModels } from "./ui/model-picker.ts";
import { createReply } from "./ui/reply.ts";
import { createQuestions, type Questions } from "./ui/ssh-prompts.ts";

const httpClient = lazy(() => import("./lib/http/client.ts"));
const sshConnection = lazy(() => import("./lib/ssh/connection.ts"));
const chatStream = lazy(() => import("./stream.ts"));

/** How long pi's start waits for the list: when nothing is known yet, and when an older list is. */
const FIRST_START_MS = 2500;
const CACHED_START_MS = 400;
/** A list this young is taken as it is, so that one start after the other costs nothing. */
const FRESH_MS = 10 * 60_000;

/** Never rejects: an error here would stop pi from starting. */
export default async function aiServer(pi: ExtensionAPI): Promise<void> {
	try {
		await start(pi);
	} catch (error) {
		pi.on("session_start", (_event, context) => createReply(pi, context).fail(error));
	}
}

async function start(pi: ExtensionAPI): Promise<void> {
	const shutdown = new AbortController();
	const config = loadSettings(process.env, homedir());
	const http = lazyHttp(() => openHttp(config));
	const questions = createQuestions();
	const ssh = lazySsh(() => openSsh(config, questions.prompts));
	const admin = createAdmin({
		...{ ...config, http, ssh },
		service: () => serviceOf(config),
		keySent: config.apiKey !== undefined,
	});
	const catalog = createCatalog({
		source: config.ssh === "none" ? { ...admin, readConfig: async () => undefined } : admin,
		file: createJsonFile(cachePath(config), process.pid),
		now: Date.now,
		signal: shutdown.signal,
	});

	registerStatusEntry(pi);
	registerPresetEntry(pi);
	registerCommands(pi, { admin, catalog, questions });
	const rest = await waitForModels(catalog);
	const chat = createChat(pi, { config, http, admin, catalog });
	const { provider, isPulling } = createProvider(config, catalog, chat);
	pi.registerProvider(provider);

	pi.on("session_start", (_event, context) => {
		const shown = showChanges(catalog, isPulling, () => pi.registerProvider(provider));
		const { stop } = shown;
		pi.on("agent_start", shown.hold);
		pi.on("agent_end", () => {
			shown.release();
			// A model that was cold has told its real numbers only now; nobody waits for them.
			if (!shutdown.signal.aborted && context.hasUI) {
				void catalog.refresh({ quick: true }).catch(() => undefined);
			}
		});
		shutdown.signal.addEventListener("abort", stop, { once: true });
		const advise = createAdvice(createReply(pi, context), context, catalog);
		catalog.onChange(advise);
		pi.on("model_select", (_selected, { model }) => advise(model));
		const { signal } = shutdown;
		const follow = async (): Promise<void> => {
			if (signal.aborted || !context.hasUI) return;
			await followConfig({ admin, catalog, wait: waitFor, signal });
		};
		// Nobody waits for SSH to see a prompt, so the rest happens beside the session.
		void rest(context)
			.then(
				() => report(pi, context, { config, catalog, signal }),
				(failure: unknown) => report(pi, context, { config, catalog, signal, failure }),
			)
			.then(follow)
			.catch((error: unknown) => {
				// pi throws for whatever is asked of the context of a session that is over.
				if (!signal.aborted) createReply(pi, context).fail(error);
			});
	});
	pi.on("model_select", ({ model }) => {
		// The handshake is over before the first question is typed.
		if (model.provider === PROVIDER_ID) void http.warm();
	});
	pi.on("session_shutdown", async () => {
		shutdown.abort();
		ssh.close();
		await http.close();
	});
}

async function openHttp(config: Settings): Promise<WarmHttp> {
	if (config.url === undefined) throw problemOf(config, "AI_SERVER_URL");
	const { createHttp } = await installed(httpClient());
	const certificates = config.url.startsWith("https:") ? { certificates: config.certificates } : {};
	const key = config.apiKey === undefined ? {} : { apiKey: config.apiKey };
	return createHttp({ baseUrl: config.url, ...certificates, ...key });
}

async function openSsh(config: Settings, prompts: SshPrompts): Promise<Ssh> {
	const target = config.ssh;
	if (target === undefined) throw problemOf(config, "AI_SERVER_SSH_HOST");
	if (target === "none") {
		throw new AiServerError("settings", "AI_SERVER_SSH_HOST is none, so there is no SSH");
	}
	const { createSsh } = await installed(sshConnection());
	const localUser = userInfo().username;
	return createSsh({ target, home: homedir(), env: process.env, localUser, ...prompts });
}

function serviceOf(config: Settings): Service {
	const { serviceScope: scope, serviceUnit: unit, ssh } = config;
	if (scope === undefined) throw problemOf(config, "AI_SERVER_SERVICE_SCOPE");
	if (unit === undefined) throw problemOf(config, "AI_SERVER_SERVICE_UNIT");
	// Where OpenSSH's config has the name, the hints leave it to the shell that they are typed into.
	const user = typeof ssh === "object" ? (ssh.user ?? "$USER") : "$USER";
	return { scope, unit, user };
}

function problemOf({ problems }: Settings, variable: string): AiServerError {
	const problem = problems.find(({ message }) => message.startsWith(variable));
	return problem ?? new AiServerError("settings", `${variable} is not usable`);
}

/** Words the failure of an import for somebody who copied the folder without its packages. */
async function installed<T>(module: Promise<T>): Promise<T> {
	try {
		return await module;
	} catch (error) {
		const folder = dirname(fileURLToPath(import.meta.url));
		const word = /\s/.test(folder) ? JSON.stringify(folder) : folder;
		throw new AiServerError("settings", "The npm packages of ai-server are not installed", {
			hint: `Run: npm install --omit=dev --prefix ${word}`,
			cause: error,
		});
	}
}

/** One file a server, so that two of them never show each other's models. */
function cachePath(config: Settings): string {
	const server = createHash("sha256")
		.update(config.url ?? "")
		.digest("hex")
		.slice(0, 16);
	return join(getAgentDir(), "ai-server", `models-${server}.json`);
}

/**
 * Waits for a list within the deadline and returns the way to the rest of it: with an older list at
 * hand the start looks quickly and leaves the config file for later. Never rejects.
 */
async function waitForModels(
	catalog: Catalog,
): Promise<(mode: ExtensionContext) => Promise<unknown>> {
	const age = await catalog.restore();
	// A script that calls pi again and again need not ask again and again; a person may want news.
	if (age !== undefined && age < FRESH_MS) {
		return async ({ hasUI }) => (hasUI ? catalog.refresh() : undefined);
	}
	const quick = age !== undefined;
	const asked = catalog.refresh({ quick });
	const settled = asked.catch(() => undefined); // told at session start
	await within(settled, quick ? CACHED_START_MS : FIRST_START_MS);
	return () => (quick ? catalog.refresh() : asked);
}

async function within(work: Promise<unknown>, milliseconds: number): Promise<void> {
	const { promise, resolve } = Promise.withResolvers<void>();
	const timer = setTimeout(resolve, milliseconds);
	await Promise.race([work, promise]);
	clearTimeout(timer);
}

interface ChatParts {
	readonly config: Settings;
	readonly http: Http;
	readonly admin: Admin;
	readonly catalog: Catalog;
}

/** The chat stream, loaded with the first turn: a start that never chats does not pay for it. */
function createChat(pi: ExtensionAPI, parts: ChatParts): StreamSimple {
	const { config, http, admin, catalog } = parts;
	let loaded: StreamSimple | undefined;
	const load = async (): Promise<StreamSimple> => {
		const { createStreamSimple } = await installed(chatStream());
		const { timeoutMs } = config;
		const { explainLoad } = admin;
		// Hosts before 1.5 run a tool whose arguments could not be read; they lack this method too.
		const honoursArgumentsError = "getSettings" in pi;
		const thinkingOf = (id: string): Thinking | undefined =>
			catalog.current().models.find((model) => model.id === id)?.thinking;
		const deps = { http, timeoutMs, explainLoad, honoursArgumentsError, thinkingOf };
		const chat = loaded ?? createStreamSimple(deps);
		loaded = chat;
		return chat;
	};
	return (model, context, options) =>
		loaded?.(model, context, options) ??
		lazyStream(model, async () => (await load())(model, context, options));
}

interface CommandParts {
	readonly admin: Admin;
	readonly catalog: Catalog;
	readonly questions: Questions;
}

function registerCommands(pi: ExtensionAPI, parts: CommandParts): void {
	const { admin, catalog, questions } = parts;
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
				const reply = createReply(pi, context);
				try {
					const doing = createDoing(context);
					const effects = { now: Date.now, wait, doing, inTurn };
					const tools = { admin, catalog, reply, pi: context, ...effects };
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

interface Outcome {
	readonly config: Settings;
	readonly catalog: Catalog;
	readonly signal: AbortSignal;
	readonly failure?: unknown;
}

/** Says what went wrong at the start, one line a fault; silent after shutdown. */
function report(
	pi: ExtensionAPI,
	context: ExtensionContext,
	{ config, catalog, signal, failure }: Outcome,
): void {
	if (signal.aborted) return;
	const reply = createReply(pi, context);
	const lines = startLines(catalog.current(), {
		failure,
		problems: config.problems,
		now: Date.now(),
	});
	for (const line of lines) reply.warn(`ai-server: ${line}`);
}
