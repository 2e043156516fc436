import type { Routes } from "./config.ts";
import { AiServerError } from "./lib/errors.ts";
import { readText } from "./lib/http/read-text.ts";
import type { Http, HttpRequest } from "./lib/http/types.ts";
import { parseJson, recordOf } from "./lib/json.ts";
import { lazy } from "./lib/lazy.ts";
import { tellingLines } from "./lib/llama-server/failure-lines.ts";
import { parseProps } from "./lib/llama-server/props.ts";
import { type Thinking, toThinking } from "./lib/llama-server/thinking.ts";
import type { ReloadWatch } from "./lib/llama-swap/api/event-client.ts";
import type { InFlight } from "./lib/llama-swap/api/events.ts";
import { statusFault } from "./lib/llama-swap/api/http-error.ts";
import {
	type ListedModel,
	parseModelList,
	parseRunning,
	type RunningModel,
} from "./lib/llama-swap/api/models.ts";
import { modelPath } from "./lib/llama-swap/api/paths.ts";
import type { SwapConfig } from "./lib/llama-swap/config/read.ts";
import { poll } from "./lib/poll.ts";
import { runService, type Service } from "./lib/service/run.ts";
import type { Replaced } from "./lib/ssh/files/replace.ts";
import type { Ssh } from "./lib/ssh/types.ts";

// Packages and parsers that start-up can do without.
const configFile = lazy(() => import("./lib/ssh/files/config-file.ts"));
const eventClient = lazy(() => import("./lib/llama-swap/api/event-client.ts"));
const trainedContexts = lazy(() => import("./admin/trained-context.ts"));
const configReader = lazy(() => import("./lib/llama-swap/config/read.ts"));
const chatTemplates = lazy(() => import("./lib/llama-server/chat-template.ts"));
const gguf = lazy(() => import("./lib/llama-server/gguf.ts"));

/** What a loaded model's server says of itself; undefined where it does not. */
export interface ServerFacts {
	/** Tokens of one request, as the server has allocated them. */
	readonly contextWindow?: number | undefined;
	readonly images?: boolean | undefined;
	readonly thinking?: Thinking | undefined;
	readonly tools?: boolean | undefined;
}

/** Lists are short; an answer this large is not one. */
const BODY_LIMIT = 4 * 1024 * 1024;
const LIST_DEADLINE_MS = 10_000;
/** A log stream goes on for ever, and has not even a head before its first line. */
const LOG_DEADLINE_MS = 1000;
const PROPS_PATH = "/upstream/<id>/props";
/** A page of a model that is loaded; nobody waits long for it. */
const PROPS_DEADLINE_MS = 3000;
const LOG_PATH = "/logs/stream/<id>";
/** llama-swap stops a model with a grace of 10 s, then kills it; several in turn take longer. */
const UNLOAD_DEADLINE_MS = 60_000;
const HEALTH_DEADLINE_MS = 5000;
const RESTART_POLL = { everyMs: 500, limitMs: 30_000 } as const;

/** One method for each thing the server can be asked to do; all reject with AiServerError. */
export interface Admin {
	listModels(signal?: AbortSignal): Promise<readonly ListedModel[]>;
	listRunning(signal?: AbortSignal): Promise<readonly RunningModel[]>;
	/**
	 * Resolves when the model is ready. No time limit: a load may queue behind a busy model, and one
	 * whose connection is dropped is unloaded again as soon as it is ready.
	 */
	load(id: string, signal?: AbortSignal): Promise<void>;
	/** What a model's log says about a load that failed; undefined when it says nothing. Never rejects. */
	explainLoad(id: string): Promise<string | undefined>;
	unload(id: string, signal?: AbortSignal): Promise<void>;
	unloadAll(signal?: AbortSignal): Promise<void>;
	/** llama-swap's config.yaml, as it is on the server. */
	readPreset(signal?: AbortSignal): Promise<string>;
	/** The same, read. */
	readConfig(signal?: AbortSignal): Promise<SwapConfig>;
	/** What a loaded model's server says of itself. Loads the model if it is not, and restarts its TTL. */
	readProps(id: string, signal?: AbortSignal): Promise<ServerFacts>;
	/** Tokens that a model file on the server says it was trained for; undefined when it does not. */
	readTrained(path: string, signal?: AbortSignal): Promise<number | undefined>;
	/** Replaces the file when it still is `expected`; the old text goes to a backup beside it. */
	writePreset(expected: string, text: string, signal?: AbortSignal): Promise<Replaced>;
	/** Tokens that a model of this config was trained for, as its file says, or it itself when loaded. */
	trainedContext(id: string, yaml: string, signal?: AbortSignal): Promise<number>;
	/** llama-swap's version, "v250"; undefined when it does not tell. */
	version(signal?: AbortSignal): Promise<string | undefined>;
	/** The requests under way; undefined when the server does not tell. */
	inFlight(signal?: AbortSignal): Promise<InFlight | undefined>;
	/** Looks out for a reload; undefined where the server has no events. To be closed. */
	watchReload(signal?: AbortSignal): Promise<ReloadWatch | undefined>;
	/** SIGHUP over SSH: re-reads the config from v205 on, and ends every older llama-swap. */
	reloadBySignal(signal?: AbortSignal): Promise<void>;
	/** Restarts llama-swap's service over SSH; resolves when the server answers again. */
	restart(signal?: AbortSignal): Promise<void>;
}

export interface AdminDeps {
	readonly routes: Routes;
	readonly configPath: string;
	readonly http: Http;
	readonly ssh: Ssh;
	/** Throws AiServerError "settings" where no service is named in a usable way. */
	readonly service: () => Service;
	/** True when a key goes along, so that a 401 is worded right. */
	readonly keySent: boolean;
}

export function createAdmin(deps: AdminDeps): Admin {
	const { routes, configPath, http, ssh, service, keySent } = deps;
	const ask = async (request: HttpRequest, what: string, modelId?: string): Promise<string> => {
		const response = await http.request(request);
		const body = await readText(response, BODY_LIMIT);
		if (response.status >= 200 && response.status < 300) return body;
		const location = response.headers["location"];
		throw statusFault(response.status, body, { what, modelId, keySent, location });
	};
	const get = (path: string, what: string, signal: AbortSignal | undefined): Promise<string> =>
		within(LIST_DEADLINE_MS, what, signal, (limit) => ask({ path, signal: limit }, what));
	const post = (path: string, what: string, signal?: AbortSignal, id?: string): Promise<string> =>
		within(UNLOAD_DEADLINE_MS, what, signal, (limit) =>
			ask({ method: "POST", path, signal: limit }, what, id),
		);
	const explainLoad = async (id: string): Promise<string | undefined> =>
		tellingLines(await readAtMost(http, modelPath(LOG_PATH, id), LOG_DEADLINE_MS));
	const readPreset = async (signal?: AbortSignal): Promise<string> => {
		const { readRemoteText } = await configFile();
		return readRemoteText(ssh, configPath, signal);
	};
	const isAnswering = async (signal: AbortSignal | undefined): Promise<true | undefined> => {
		try {
			await within(HEALTH_DEADLINE_MS, "its health", signal, (limit) =>
				ask({ path: "/health", signal: limit }, "its health"),
			);
			return true;
		} catch {
			signal?.throwIfAborted();
			return undefined;
		}
	};

	return {
		listModels: async (signal) =>
			parseModelList(await get(routes.models, "the model list", signal)),
		listRunning: async (signal) =>
			parseRunning(await get(routes.running, "the running models", signal)),
		load: async (id, signal) => {
			// llama-swap loads a model for any request to it; its health page does nothing else.
			try {
				await ask({ path: modelPath(routes.upstreamHealth, id), signal }, `loading ${id}`, id);
			} catch (error) {
				throw (await withReason(error, () => explainLoad(id))) ?? error;
			}
		},
		explainLoad,
		unload: async (id, signal) => {
			await post(modelPath(routes.unload, id), `unloading ${id}`, signal, id);
		},
		unloadAll: async (signal) => {
			await post(routes.unloadAll, "unloading all models", signal);
		},
		readPreset,
		writePreset: async (expected, text, signal) => {
			const { replaceRemoteText } = await configFile();
			return replaceRemoteText(ssh, configPath, { expected, text, signal });
		},
		trainedContext: async (id, yaml, signal) => {
			const { readTrainedContext } = await trainedContexts();
			const page = modelPath("/upstream/<id>/v1/models", id);
			return readTrainedContext(id, yaml, {
				readRange: (path, start, length) => ssh.readRange(path, start, length, { signal }),
				// Asked of a model that is not loaded, this page would load it.
				isReady: async (model) =>
					parseRunning(await get(routes.running, "the running models", signal)).some(
						(entry) => entry.id === model && entry.state === "ready",
					),
				models: () => get(page, `the properties of ${id}`, signal),
			});
		},
		version: async (signal) => {
			try {
				const body = await get("/api/version", "its version", signal);
				const version = recordOf(parseJson(body))?.["version"];
				return typeof version === "string" ? version : undefined;
			} catch {
				signal?.throwIfAborted();
				return undefined;
			}
		},
		inFlight: async (signal) => (await eventClient()).readInFlight(http, signal),
		watchReload: async (signal) => (await eventClient()).watchReload(http, signal),
		reloadBySignal: async (signal) => {
			await runService(ssh, service(), "kill-hup", signal);
		},
		restart: async (signal) => {
			const named = service();
			await runService(ssh, named, "restart", signal);
			const back = await poll(() => isAnswering(signal), { ...RESTART_POLL, signal });
			if (back === undefined) throw await stillDown(ssh, named, signal);
		},
		readConfig: async (signal) => {
			const yaml = await readPreset(signal);
			return (await configReader()).parseConfig(yaml);
		},
		readProps: async (id, signal) => {
			const path = modelPath(PROPS_PATH, id);
			const what = `the properties of ${id}`;
			const props = parseProps(
				await within(PROPS_DEADLINE_MS, what, signal, (limit) =>
					ask({ path, signal: limit }, what),
				),
			);
			const { readTemplate } = await chatTemplates();
			const { contextWindow, images, chatTemplate, tools } = props;
			const template = chatTemplate === undefined ? undefined : readTemplate(chatTemplate);
			return {
				contextWindow,
				images,
				thinking: template && toThinking(template),
				tools: tools ?? template?.tools,
			};
		},
		readTrained: async (path, signal) => {
			const { trainedContextOf } = await gguf();
			const read = (start: number, length: number): Promise<Uint8Array> =>
				ssh.readRange(path, start, length, { signal });
			return trainedContextOf(read);
		},
	};
}

/** A service that starts, and then has no server in it: its journal says why. */
async function stillDown(
	ssh: Ssh,
	service: Service,
	signal: AbortSignal | undefined,
): Promise<AiServerError> {
	const seconds = RESTART_POLL.limitMs / 1000;
	const message = `${service.unit} was restarted, but nothing answers after ${seconds} s`;
	const log = await runService(ssh, service, "journal", signal).catch(() => "");
	const why = tellingLines(log);
	const hint = why === undefined ? "Look at its log on the server" : `Its log says: ${why}`;
	return new AiServerError("network", message, { hint });
}

/** What has come within a time, of a page that need not end. Nothing when it cannot be had. */
async function readAtMost(http: Http, path: string, milliseconds: number): Promise<string> {
	const decoder = new TextDecoder();
	let text = "";
	try {
		const signal = AbortSignal.timeout(milliseconds);
		const response = await http.request({ path, signal });
		for await (const chunk of response.body) {
			if (response.status === 200) text += decoder.decode(chunk, { stream: true });
		}
	} catch {
		// The time is up, or there is no such page: what came so far is what there is to read.
	}
	return text;
}

/** The error of a load with what the log says as its hint; undefined where the log cannot help. */
async function withReason(
	error: unknown,
	explain: () => Promise<string | undefined>,
): Promise<AiServerError | undefined> {
	if (!(error instanceof AiServerError) || (error.status ?? 0) < 500) return undefined;
	const why = error.hint === undefined ? await explain() : undefined;
	if (why === undefined) return undefined;
	const { code, message, status, said } = error;
	const hint = `Its log says: ${why}`;
	return new AiServerError(code, message, { hint, status, said, cause: error });
}

/** Runs with a deadline of its own beside the caller's signal. */
async function within<T>(
	milliseconds: number,
	what: string,
	signal: AbortSignal | undefined,
	run: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
	const deadline = AbortSignal.timeout(milliseconds);
	try {
		return await run(signal === undefined ? deadline : AbortSignal.any([signal, deadline]));
	} catch (error) {
		if (!deadline.aborted || signal?.aborted === true) throw error;
		throw new AiServerError("timeout", `No answer within ${milliseconds / 1000} s for ${what}`, {
			hint: "The server may be hanging; look at its log",
			cause: error,
		});
	}
}
