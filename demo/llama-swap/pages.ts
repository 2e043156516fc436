import type { IncomingMessage, ServerResponse } from "node:http";
import { readBody, redirect, sendError, sendJson, sendText } from "./answers.ts";
import { answerInference, answerUpstream } from "./inference.ts";
import { modelRecords, runningRecords } from "./records.ts";
import type { Running } from "./running.ts";

type Page = (
	running: Running,
	request: IncomingMessage,
	response: ServerResponse,
	url: URL,
) => Promise<void> | void;

const ok: Page = (_running, _request, response) =>
	sendText(response, 200, "text/plain; charset=utf-8", "OK");

/** Pages without a key, whatever `apiKeys` says. */
const OPEN: readonly string[] = ["/health", "/wol-health", "/", "/upstream", "/favicon.ico"];

const PAGES: Readonly<Record<string, Page>> = {
	"GET /health": ok,
	"GET /wol-health": ok,
	"GET /": (_running, _request, response) => redirect(response, 302, "Found", "/ui"),
	"GET /upstream": (_running, _request, response) => redirect(response, 302, "Found", "/ui/models"),
	"GET /v1/models": listModels,
	"GET /models": listModels,
	"GET /running": ({ config, scheduler }, _request, response) =>
		sendJson(response, 200, { running: runningRecords(config, scheduler.stateOf) }),
	"GET /unload": async (running, request, response, url) => {
		await running.scheduler.unloadAll();
		await ok(running, request, response, url);
	},
	"POST /api/models/unload": async ({ scheduler }, _request, response) => {
		await scheduler.unloadAll();
		sendJson(response, 200, { msg: "ok" });
	},
	"GET /api/version": ({ version }, _request, response) =>
		sendJson(response, 200, {
			build_date: "2026-08-14T08:45:40Z",
			commit: "60226b63",
			version: version < 233 ? String(version) : `v${version}`,
		}),
	"GET /api/events": ({ events }, _request, response) => events.subscribe(response),
	"GET /logs": ({ proxyLog }, request, response) =>
		request.headers.accept?.includes("text/html") === true
			? redirect(response, 302, "Found", "/ui/")
			: sendText(response, 200, "text/plain", proxyLog()),
	"GET /props": answerProps,
	"POST /v1/chat/completions": answerInference,
	"POST /v1/completions": answerInference,
	"POST /v1/embeddings": answerInference,
};

/** One request, routed as Go's ServeMux does: GET also serves HEAD, a known path refuses other methods. */
export async function answerPage(
	running: Running,
	request: IncomingMessage,
	response: ServerResponse,
): Promise<void> {
	const raw = request.url ?? "/";
	const url = new URL(raw.replace(/^\/+/, "/"), "http://swap");
	if (request.method === "OPTIONS") {
		preflight(request, response);
		return;
	}
	if (raw.startsWith("//")) {
		redirect(response, 307, "Temporary Redirect", url.pathname);
		return;
	}
	const method = request.method === "HEAD" ? "GET" : (request.method ?? "GET");
	const known = Object.keys(PAGES).some((name) => name.endsWith(` ${url.pathname}`));
	const page = PAGES[`${method} ${url.pathname}`] ?? nested(method, url.pathname);
	if (page === undefined) {
		const status = known ? 405 : 404;
		const words = known ? "Method Not Allowed\n" : "404 page not found\n";
		if (known) response.setHeader("allow", allowed(url.pathname));
		response.setHeader("x-content-type-options", "nosniff");
		sendText(response, status, "text/plain; charset=utf-8", words);
		return;
	}
	if (!isAuthorised(running, request, url.pathname)) {
		await readBody(request);
		sendError(request, response, 401, "unauthorized: invalid or missing API key");
		return;
	}
	await page(running, request, response, url);
}

function nested(method: string, path: string): Page | undefined {
	if (method === "POST" && path.startsWith("/api/models/unload/")) return unloadOne;
	if (path.startsWith("/upstream/")) return answerUpstream;
	if (method === "GET" && path.startsWith("/logs/stream")) return streamLog;
	return undefined;
}

function allowed(path: string): string {
	const methods = Object.keys(PAGES)
		.filter((name) => name.endsWith(` ${path}`))
		.map((name) => name.split(" ")[0] ?? "");
	return methods.flatMap((name) => (name === "GET" ? ["GET", "HEAD"] : [name])).join(", ");
}

function listModels(
	{ config, scheduler }: Running,
	request: IncomingMessage,
	response: ServerResponse,
): void {
	const { origin } = request.headers;
	if (origin !== undefined) response.setHeader("access-control-allow-origin", origin);
	const data = modelRecords(config, scheduler.stateOf);
	sendJson(response, 200, { data, object: "list" });
}

async function unloadOne(
	{ scheduler }: Running,
	request: IncomingMessage,
	response: ServerResponse,
	url: URL,
): Promise<void> {
	const id = decodeURIComponent(url.pathname.slice("/api/models/unload/".length));
	if (scheduler.find(id) === undefined) {
		sendError(request, response, 404, "model not found");
		return;
	}
	await scheduler.unload(id);
	sendText(response, 200, "text/plain; charset=utf-8", "OK");
}

/** GET /props?model=: loads the model, as llama-swap does from v234 on. */
async function answerProps(
	running: Running,
	request: IncomingMessage,
	response: ServerResponse,
	url: URL,
): Promise<void> {
	const id = url.searchParams.get("model");
	if (id === null || running.scheduler.find(id) === undefined) {
		const words = id === null ? "no model id could be identified" : "no router for requested model";
		sendError(request, response, 404, words);
		return;
	}
	await answerUpstream(running, request, response, new URL(`/upstream/${id}/props`, url));
}

/** Without a byte to send there is not even a head, until the first line comes. */
function streamLog(
	running: Running,
	request: IncomingMessage,
	response: ServerResponse,
	url: URL,
): void {
	const id = decodeURIComponent(url.pathname.replace(/^\/logs\/stream\/?/, ""));
	const model = running.scheduler.find(id);
	if (id !== "" && id !== "proxy" && id !== "upstream" && model === undefined) {
		sendError(request, response, 400, "invalid logger. Use 'proxy', 'upstream' or a model's ID");
		return;
	}
	const text = url.searchParams.has("no-history")
		? ""
		: model === undefined
			? running.proxyLog()
			: running.logOf(model.id);
	if (text === "") return;
	response.writeHead(200, {
		"content-type": "text/plain",
		"x-accel-buffering": "no",
		"x-content-type-options": "nosniff",
	});
	response.write(text);
}

function preflight(request: IncomingMessage, response: ServerResponse): void {
	const headers = request.headers["access-control-request-headers"] ?? "";
	response.writeHead(204, {
		"access-control-allow-headers": headers.split(/,\s*/).join(", "),
		"access-control-allow-methods": "GET, POST, PUT, PATCH, DELETE, OPTIONS",
		"access-control-allow-origin": "*",
		"access-control-max-age": "86400",
	});
	response.end();
}

/** Basic password, else bearer, else x-api-key: the first that is there decides. */
function isAuthorised({ config }: Running, request: IncomingMessage, path: string): boolean {
	if (config.apiKeys.length === 0 || OPEN.includes(path)) return true;
	const [scheme = "", value = ""] = (request.headers.authorization ?? "").split(" ");
	const basic = Buffer.from(value, "base64").toString("utf8");
	const key =
		scheme.toLowerCase() === "basic"
			? basic.slice(basic.indexOf(":") + 1)
			: scheme.toLowerCase() === "bearer"
				? value
				: request.headers["x-api-key"];
	return typeof key === "string" && config.apiKeys.includes(key);
}
