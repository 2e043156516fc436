import type { IncomingMessage, ServerResponse } from "node:http";
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
}

/** A small llama-swap v250: enough of it that a client cannot tell, as the recorded requests show. */
export interface Swap {
	handle(request: IncomingMessage, response: ServerResponse): void;
	/** Re-reads the config, as SIGHUP does; a broken file is only logged. */
	reload(): void;
	/** Stops everything and starts anew, as a restart of the service does. */
	restart(): void;
	/** What the service wrote, as journalctl shows it. */
	journal(): string;
	states(): Readonly<Record<string, State>>;
	/** How often models were started since the beginning. */
	starts(): number;
	close(): void;
}

export function createSwap({ readConfig, loadMs, stopMs, upstream }: SwapOptions): Swap {
	let proxyLog = "[INFO] llama-swap listening on http://127.0.0.1:8080\n";
	let earlier = 0;
	const note = (line: string): void => {
		proxyLog = `${proxyLog}${line}\n`.slice(-100_000);
		running.events.log("proxy", `${line}\n`);
	};
	const start = (config: SwapConfig): Running => {
		const logs = new Map<string, string>();
		const events = createEvents(() => ({
			models: config.models.map((model) => ({
				...{ model, state: scheduler.stateOf(model.id) },
				inFlight: scheduler.inFlight(model.id),
			})),
			proxyLog,
		}));
		const log = (id: string, line: string): void => {
			logs.set(id, `${logs.get(id) ?? ""}${line}\n`.slice(-100_000));
			events.log("upstream", `${line}\n`);
		};
		const onChange = (): void => events.models();
		const scheduler = createScheduler({ config, loadMs, stopMs, onChange, log });
		return {
			config,
			scheduler,
			events,
			upstream,
			logOf: (id) => logs.get(id) ?? "",
			proxyLog: () => proxyLog,
		};
	};
	let running = start(parseConfig(readConfig()));
	const replace = (config: SwapConfig): void => {
		const old = running;
		earlier += old.scheduler.starts();
		running = start(config);
		old.scheduler.shutdown();
		old.events.close();
	};
	return {
		handle(request, response) {
			void answerPage(running, request, response).catch((error: unknown) => {
				if (!response.headersSent) response.writeHead(500);
				response.end(String(error));
			});
		},
		reload() {
			note("[INFO] reloading configuration");
			try {
				replace(parseConfig(readConfig()));
				note("[INFO] configuration reloaded");
			} catch (error) {
				note(`[WARN] failed to reload config: ${String(error)}`);
			}
		},
		restart: () => replace(parseConfig(readConfig())),
		journal: () => proxyLog,
		states: () =>
			Object.fromEntries(
				running.config.models.map(({ id }) => [id, running.scheduler.stateOf(id)]),
			),
		starts: () => earlier + running.scheduler.starts(),
		close() {
			running.scheduler.shutdown();
			running.events.close();
		},
	};
}
