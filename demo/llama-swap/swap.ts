import type { IncomingMessage, ServerResponse } from "node:http";
import { CONFIG_PATH } from "../home.ts";
import type { Upstream } from "../llama-server/upstream.ts";
import { type ModelConfig, parseConfig, type SwapConfig } from "./config-file.ts";
import { createEvents } from "./events.ts";
import { answerPage } from "./pages.ts";
import type { Running } from "./running.ts";
import { createScheduler, type State } from "./scheduler.ts";

export interface SwapOptions {
	/** The text of config.yaml, read at the start and at each reload. */
	readonly readConfig: () => string;
	readonly loadMs: (model: ModelConfig) => number;
	readonly stopMs: number;
	/** What runs behind the models. */
	readonly upstream: Upstream;
	/** The number of its version, which decides what a hang-up does and where it reports on its config. */
	readonly version: number;
}

/** The first that reads its config on SIGHUP; every older one ends. */
const FIRST_WITH_SIGNAL = 205;
/** The first that reports on its config in its log over HTTP. */
const FIRST_WITH_TOLD_CONFIG = 218;

/** A small llama-swap v250: complete enough that a client sees no difference, as the recorded requests show. */
export interface Swap {
	handle(request: IncomingMessage, response: ServerResponse): void;
	/** Re-reads the config; a broken file is only logged. */
	reload(): void;
	/** SIGHUP: a reload, or the end of a version that knows nothing of it. */
	hangUp(): void;
	/** How many of those came. */
	hangUps(): number;
	/** Stops everything and starts anew, as a restart of the service does; not with a broken config. */
	restart(): void;
	/** What the service wrote, as journalctl shows it. */
	journal(): string;
	states(): Readonly<Record<string, State>>;
	/** How often models were started since the beginning. */
	starts(): number;
	close(): void;
}

export function createSwap(options: SwapOptions): Swap {
	const { readConfig, version } = options;
	const logs = createLogs(version);
	const start = (): Running => startProcess(parseConfig(readConfig()), logs, options);
	let earlier = 0;
	let hangUps = 0;
	/** Undefined while the process has ended, and nothing has started it again. */
	let running: Running | undefined = start();
	const replace = (next: Running | undefined): void => {
		const old = running;
		running = next;
		logs.follow(next);
		earlier += old?.scheduler.starts() ?? 0;
		old?.scheduler.shutdown();
		old?.events.close();
	};
	const reload = (): void => {
		if (running === undefined) return;
		logs.note(version < FIRST_WITH_TOLD_CONFIG ? "Reloading Configuration" : RELOADING);
		try {
			replace(start());
			logs.note("[INFO] configuration reloaded");
		} catch (error) {
			logs.note(`${rejection(version)}: ${messageOf(error)}`);
		}
	};
	logs.follow(running);
	return {
		handle: (request, response) => answer(running, request, response),
		reload,
		hangUp() {
			hangUps += 1;
			if (version < FIRST_WITH_SIGNAL) replace(undefined);
			else reload();
		},
		hangUps: () => hangUps,
		restart() {
			replace(undefined);
			try {
				replace(start());
			} catch (error) {
				logs.journalOnly(startError(version, messageOf(error)));
			}
		},
		journal: logs.journal,
		states: () => statesOf(running),
		starts: () => earlier + (running?.scheduler.starts() ?? 0),
		close: () => replace(undefined),
	};
}

/** What llama-swap itself writes: to its journal, and from some version on to its log over HTTP. */
interface Logs {
	note(line: string): void;
	journalOnly(line: string): void;
	/** The process whose listeners hear of new lines. */
	follow(process: Running | undefined): void;
	proxy(): string;
	journal(): string;
}

function createLogs(version: number): Logs {
	let proxy = "[INFO] llama-swap listening on http://127.0.0.1:8080\n";
	let journal = proxy;
	let followed: Running | undefined;
	return {
		note(line) {
			journal += `${line}\n`;
			if (version < FIRST_WITH_TOLD_CONFIG) return;
			proxy = `${proxy}${line}\n`.slice(-MAX_LOG);
			followed?.events.log("proxy", `${line}\n`);
		},
		journalOnly(line) {
			journal += `${line}\n`;
		},
		follow(process) {
			followed = process;
		},
		proxy: () => proxy,
		journal: () => journal,
	};
}

function startProcess(
	config: SwapConfig,
	logs: Logs,
	{ version, loadMs, stopMs, upstream }: SwapOptions,
): Running {
	const ofModels = new Map<string, string>();
	const events = createEvents(() => ({
		models: config.models.map((model) => ({
			model,
			state: scheduler.stateOf(model.id),
			inFlight: scheduler.inFlight(model.id),
		})),
		proxyLog: logs.proxy(),
	}));
	const log = (id: string, line: string): void => {
		ofModels.set(id, `${ofModels.get(id) ?? ""}${line}\n`.slice(-MAX_LOG));
		events.log("upstream", `${line}\n`);
	};
	const onChange = (): void => events.models();
	const scheduler = createScheduler({ config, loadMs, stopMs, onChange, log });
	return {
		version,
		config,
		scheduler,
		events,
		upstream,
		logOf: (id) => ofModels.get(id) ?? "",
		proxyLog: logs.proxy,
	};
}

function answer(
	running: Running | undefined,
	request: IncomingMessage,
	response: ServerResponse,
): void {
	if (running === undefined) {
		// As Caddy answers for a server that is not there.
		response.writeHead(502).end();
		return;
	}
	void answerPage(running, request, response).catch((error: unknown) => {
		if (!response.headersSent) response.writeHead(500);
		response.end(String(error));
	});
}

function statesOf(running: Running | undefined): Readonly<Record<string, State>> {
	const models = running?.config.models ?? [];
	return Object.fromEntries(
		models.map(({ id }) => [id, running?.scheduler.stateOf(id) ?? "stopped"]),
	);
}

const MAX_LOG = 100_000;
const RELOADING = "[INFO] reloading configuration";

/** How a version reports a config that it does not take. */
function rejection(version: number): string {
	return version < FIRST_WITH_TOLD_CONFIG
		? "[ERROR] Unable to reload configuration"
		: "[WARN] failed to reload config";
}

/** The last line of a llama-swap that does not start, as it was recorded. */
function startError(version: number, words: string): string {
	if (version < FIRST_WITH_TOLD_CONFIG) return `[ERROR] Error loading config: ${words}`;
	return `2026/11/21 02:28:49 ERROR failed to load config config=/home/demo/${CONFIG_PATH} config-dir="" error="${words}"`;
}

function messageOf(error: unknown): string {
	return error instanceof Error ? error.message : String(error);
}
