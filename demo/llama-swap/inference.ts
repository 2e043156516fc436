import type { IncomingMessage, ServerResponse } from "node:http";
import { readBody, redirect, sendError } from "./answers.ts";
import type { Running } from "./running.ts";
import { Refused } from "./scheduler.ts";

/** POST of a model route: the model is named in the body, and loaded when it is not there. */
export async function answerInference(
	running: Running,
	request: IncomingMessage,
	response: ServerResponse,
	url: URL,
): Promise<void> {
	const body = await readBody(request);
	const id = modelIn(request, body);
	const model = id === undefined ? undefined : running.scheduler.find(id);
	if (model === undefined) {
		const words =
			id === undefined ? "no model id could be identified" : "no router for requested model";
		sendError(request, response, 404, words);
		return;
	}
	const wantsStream = /"stream"\s*:\s*true/.test(body) && url.pathname === "/v1/chat/completions";
	const loading =
		model.sendLoadingState && wantsStream && running.scheduler.stateOf(model.id) !== "ready";
	await withModel(running, model.id, request, response, { path: url.pathname, body, loading });
}

/** /upstream/<id>/<path>: anything goes through to the model, whose id is the longest that fits. */
export async function answerUpstream(
	running: Running,
	request: IncomingMessage,
	response: ServerResponse,
	url: URL,
): Promise<void> {
	const segments = url.pathname.slice("/upstream/".length).split("/").map(decodeURIComponent);
	const names = segments.map((_, at) => segments.slice(0, at + 1).join("/"));
	const name = names.findLast((candidate) => running.scheduler.find(candidate) !== undefined);
	const model = name === undefined ? undefined : running.scheduler.find(name);
	if (name === undefined || model === undefined) {
		sendError(request, response, 404, "model not found");
		return;
	}
	const rest = segments.join("/").slice(name.length);
	if (rest === "") {
		const status = request.method === "GET" || request.method === "HEAD" ? 301 : 308;
		const words = status === 301 ? "Moved Permanently" : "Permanent Redirect";
		redirect(response, status, words, `${url.pathname}/`);
		return;
	}
	const ready = running.scheduler.stateOf(model.id) === "ready";
	if (!ready && /\.(?:js|json|css|png|gif|jpe?g|ico|txt)$/.test(rest)) {
		const words = `model ${model.id} is not loaded; path matches upstream.ignorePaths`;
		sendError(request, response, 409, words);
		return;
	}
	const body = await readBody(request);
	await withModel(running, model.id, request, response, { path: rest, body, loading: false });
}

interface Forwarded {
	readonly path: string;
	readonly body: string;
	/** Writes llama-swap's loading text into the answer while the model loads. */
	readonly loading: boolean;
}

async function withModel(
	{ scheduler, upstream }: Running,
	id: string,
	request: IncomingMessage,
	response: ServerResponse,
	{ path, body, loading }: Forwarded,
): Promise<void> {
	const left = new AbortController();
	response.once("close", () => left.abort());
	const told = loading ? tellLoading(response, id) : undefined;
	try {
		const hold = await scheduler.acquire(id, left.signal);
		try {
			await told?.done();
			const signal = AbortSignal.any([hold.signal, left.signal]);
			const method = request.method ?? "GET";
			const { model } = hold;
			await upstream({ model, method, path, body, response, signal, stopped: hold.signal });
		} finally {
			hold.release();
		}
	} catch (error) {
		told?.stop();
		if (!(error instanceof Refused)) throw error;
		if (left.signal.aborted) return;
		if (told === undefined) sendError(request, response, error.status, error.message);
		// Behind its own loading text llama-swap writes the error bare, without a "data:".
		else response.end(JSON.stringify({ error: error.message, src: "llama-swap" }));
	}
}

interface Telling {
	done(): Promise<void>;
	stop(): void;
}

/** The frames of sendLoadingState: thinking without id, model or anything else. */
function tellLoading(response: ServerResponse, id: string): Telling {
	const started = Date.now();
	response.writeHead(200, { "content-type": "text/event-stream", "cache-control": "no-cache" });
	const say = (text: string): void => {
		for (const piece of text.match(/[\s\S]{1,5}/gu) ?? []) {
			const frame = { choices: [{ delta: { reasoning_content: piece } }] };
			response.write(`data: ${JSON.stringify(frame)}\n\n`);
		}
	};
	say(`━━━━━\nllama-swap loading model: ${id}\n\n`);
	const dots = setInterval(() => say("."), 750);
	return {
		async done() {
			clearInterval(dots);
			say(`\nDone! (${((Date.now() - started) / 1000).toFixed(2)}s)\n━━━━━\n `);
		},
		stop: () => clearInterval(dots),
	};
}

/** llama-swap looks for the model in JSON bodies only; a number counts by its text. */
function modelIn(request: IncomingMessage, body: string): string | undefined {
	if (!/^application\/json\b/.test(request.headers["content-type"] ?? "")) return undefined;
	// Broken JSON that names a model still reaches that model.
	const found = /"model"\s*:\s*(?:"((?:\\.|[^"\\])*)"|(\d+))/.exec(body);
	return found === null ? undefined : (found[1] ?? found[2]);
}
