import type { Routes } from "../config.ts";
import { withDeadline } from "../lib/deadline.ts";
import { AiServerError } from "../lib/errors.ts";
import type { Http } from "../lib/http/types.ts";
import { lazy } from "../lib/lazy.ts";
import { tellingLines } from "../lib/llama-server/failure-lines.ts";
import { parseProps } from "../lib/llama-server/props.ts";
import { type Thinking, toThinking } from "../lib/llama-server/thinking.ts";
import {
	type ListedModel,
	parseModelList,
	parseRunning,
	type RunningModel,
} from "../lib/llama-swap/api/models.ts";
import { modelPath } from "../lib/llama-swap/api/paths.ts";
import type { ReadPage } from "./pages.ts";

// Start-up can do without it.
const chatTemplates = lazy(() => import("../lib/llama-server/chat-template.ts"));

/** What a loaded model's server reports of itself; undefined where it does not. */
export interface ServerFacts {
	/** Tokens of one request, as the server has allocated them. */
	readonly contextWindow?: number | undefined;
	readonly images?: boolean | undefined;
	readonly thinking?: Thinking | undefined;
	readonly tools?: boolean | undefined;
}

/** What llama-swap's API does with models. All reject with AiServerError. */
export interface ModelAdmin {
	listModels(signal?: AbortSignal): Promise<readonly ListedModel[]>;
	listRunning(signal?: AbortSignal): Promise<readonly RunningModel[]>;
	/**
	 * Resolves when the model is ready. No time limit: a load may queue behind a busy model, and one
	 * whose connection is dropped is unloaded again as soon as it is ready.
	 */
	load(id: string, signal?: AbortSignal): Promise<void>;
	/** The lines of a model's log that explain a failed load; undefined without any. Never rejects. */
	explainLoad(id: string): Promise<string | undefined>;
	unload(id: string, signal?: AbortSignal): Promise<void>;
	unloadAll(signal?: AbortSignal): Promise<void>;
	/** What a loaded model's server reports of itself. Loads the model if it is not, and restarts its TTL. */
	readProps(id: string, signal?: AbortSignal): Promise<ServerFacts>;
}

/** A log stream goes on for ever, and has not even a head before its first line. */
const LOG_DEADLINE_MS = 1000;
const MAX_LOG_CHARACTERS = 1024 * 1024;
const PROPS_PATH = "/upstream/<id>/props";
const OWN_MODELS_PATH = "/upstream/<id>/v1/models";
/** A page of a model that is loaded: it comes at once, or not at all. */
const PROPS_DEADLINE_MS = 3000;
const LOG_PATH = "/logs/stream/<id>";
/** llama-swap stops a model with a grace of 10 s, then kills it; several in turn take longer. */
const UNLOAD_DEADLINE_MS = 60_000;

export function createModelAdmin(http: Http, readPage: ReadPage, routes: Routes): ModelAdmin {
	const explainLoad = async (id: string): Promise<string | undefined> =>
		tellingLines(await readAtMost(http, modelPath(LOG_PATH, id), LOG_DEADLINE_MS));
	const listRunning = async (signal?: AbortSignal): Promise<readonly RunningModel[]> => {
		const what = "the running models";
		return parseRunning(await readPage({ path: routes.running, what, signal }));
	};
	/** A 404 of a server that has no list of running models either is not about the model. */
	const orPlain = async (error: unknown, signal: AbortSignal | undefined): Promise<unknown> => {
		if (!isMissing(error)) return error;
		const failure = await listRunning(signal).then(
			() => undefined,
			(reason: unknown) => reason,
		);
		return isMissing(failure) ? noLoading(error) : error;
	};
	const unload = async (path: string, what: string, signal?: AbortSignal, modelId?: string) => {
		const named = modelId === undefined ? {} : { modelId };
		const deadlineMs = UNLOAD_DEADLINE_MS;
		try {
			await readPage({ method: "POST", path, what, deadlineMs, signal, ...named });
		} catch (error) {
			throw await orPlain(error, signal);
		}
	};
	return {
		async listModels(signal) {
			const what = "the model list";
			return parseModelList(await readPage({ path: routes.models, what, signal }));
		},
		listRunning,
		async load(id, signal) {
			// llama-swap loads a model for any request to it; its health page does nothing else.
			const path = modelPath(routes.upstreamHealth, id);
			const what = `loading ${id}`;
			try {
				await readPage({ path, what, modelId: id, deadlineMs: "none", signal });
			} catch (error) {
				throw (await withReason(error, () => explainLoad(id))) ?? (await orPlain(error, signal));
			}
		},
		explainLoad,
		unload: (id, signal) => unload(modelPath(routes.unload, id), `unloading ${id}`, signal, id),
		unloadAll: (signal) => unload(routes.unloadAll, "unloading all models", signal),
		async readProps(id, signal) {
			const page = (template: string): Promise<string> =>
				readPage({
					path: modelPath(template, id),
					what: `the properties of ${id}`,
					deadlineMs: PROPS_DEADLINE_MS,
					signal,
				});
			try {
				return await factsIn(await page(PROPS_PATH));
			} catch (error) {
				if (!isOtherServer(error)) throw error;
				// Servers other than llama-server name the window in their own list.
				return windowIn(await page(OWN_MODELS_PATH), id);
			}
		},
	};
}

function isMissing(error: unknown): boolean {
	return error instanceof AiServerError && error.status === 404;
}

function noLoading(cause: unknown): AiServerError {
	return new AiServerError("http", "This server does not load or unload models on request", {
		hint: "Loading and unloading need llama-swap; other servers keep the model they were started with",
		status: 404,
		cause,
	});
}

/** True for the answer of a server that is alive and has no page of properties. */
function isOtherServer(error: unknown): boolean {
	if (!(error instanceof AiServerError)) return false;
	const { code, status = 0 } = error;
	return code === "protocol" || status === 404 || status === 405 || status === 501;
}

/** The window in a model's own list, which may have further names of the model; the smallest counts. */
function windowIn(body: string, id: string): ServerFacts {
	const listed = parseModelList(body);
	const own = listed.filter((model) => model.id === id);
	const windows = (own.length === 0 ? listed : own).flatMap(({ context }) =>
		context?.measured === true ? [context.tokens] : [],
	);
	return windows.length === 0 ? {} : { contextWindow: Math.min(...windows) };
}

async function factsIn(body: string): Promise<ServerFacts> {
	const { contextWindow, images, chatTemplate, tools } = parseProps(body);
	const { readTemplate } = await chatTemplates();
	const template = chatTemplate === undefined ? undefined : readTemplate(chatTemplate);
	return {
		contextWindow,
		images,
		thinking: template && toThinking(template),
		tools: tools ?? template?.tools,
	};
}

/** What has come within a time, of a page that need not end. Nothing when it cannot be had. */
async function readAtMost(http: Http, path: string, milliseconds: number): Promise<string> {
	const decoder = new TextDecoder();
	let text = "";
	const read = async (signal: AbortSignal): Promise<void> => {
		const { status, body } = await http.request({ path, signal });
		for await (const chunk of body) {
			if (signal.aborted) return;
			if (status === 200) text += decoder.decode(chunk, { stream: true });
			if (text.length > MAX_LOG_CHARACTERS) text = text.slice(-MAX_LOG_CHARACTERS);
		}
	};
	// The time is up, or there is no such page: what came so far is what there is to read.
	await withDeadline(milliseconds, read).catch(() => undefined);
	return text;
}

/** The error of a load with lines of the log as its hint; undefined where the log cannot help. */
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
