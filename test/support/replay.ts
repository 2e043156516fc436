import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { type Exchange, readRecords } from "./records.ts";

/** A moment in the life of a recorded server: which of its answers are given again. */
export interface Scene {
	/** The file in test/fixtures, without its extension. */
	readonly file: string;
	/** Ids of exchanges. Several of one path differ in the key that was sent. */
	readonly answers: readonly string[];
	/** The exchange in which this server met a path that it does not have. */
	readonly missing: string;
}

export interface Replay {
	readonly url: string;
	/** How often each "GET /path?query" was asked. */
	readonly asked: ReadonlyMap<string, number>;
	close(): Promise<void>;
}

/** A server on this machine that answers GETs with what the scene's server once answered. */
export async function startReplay({ file, answers, missing }: Scene): Promise<Replay> {
	const { exchanges } = await readRecords(file);
	const recorded = (id: string): Exchange => {
		const found = exchanges.find((exchange) => exchange.id === id);
		if (found === undefined) throw new Error(`no exchange ${id} in ${file}`);
		return found;
	};
	const pages = Map.groupBy(answers.map(recorded), ({ request }) => request.path);
	const notFound = recorded(missing);
	const asked = new Map<string, number>();

	const server = createServer((request, response) => {
		const { method = "", url = "" } = request;
		const key = `${method} ${url}`;
		asked.set(key, (asked.get(key) ?? 0) + 1);
		request.resume();
		const page = method === "GET" ? pages.get(url) : undefined;
		give(page === undefined ? notFound : fitting(page, request), response);
	});
	await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
	return {
		url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
		asked,
		close: () =>
			new Promise((resolve) => {
				server.close(() => resolve());
				server.closeAllConnections();
			}),
	};
}

/**
 * What was asked that makes a llama-swap load a model or keep it loaded. The one thing allowed is to
 * ask a model that is ready for its properties, and where it has none for its own list, once.
 */
export function wakingRequests(
	asked: ReadonlyMap<string, number>,
	ready: readonly string[] = [],
): readonly string[] {
	const allowed = new Set(
		ready.flatMap((id) => [`GET /upstream/${id}/props`, `GET /upstream/${id}/v1/models`]),
	);
	return [...asked].flatMap(([request, times]) => {
		const wakes = !request.startsWith("GET ") || /^GET \/(?:upstream\/|props\?)/.test(request);
		return wakes && !(allowed.has(request) && times === 1) ? [`${request} (${times})`] : [];
	});
}

/** The answer to the key that came along; to a key that nobody recorded, the refusal. */
function fitting(page: readonly Exchange[], request: IncomingMessage): Exchange {
	const key = request.headers.authorization;
	const same = page.find(
		({ request: { headers } }) => (headers?.["Authorization"] ?? undefined) === key,
	);
	return same ?? page.find(({ status }) => status === 401) ?? (page[0] as Exchange);
}

/** Set by the connection that carries the answer now, not by the one that did then. */
const OF_THE_CONNECTION = new Set(["connection", "transfer-encoding", "content-length", "date"]);

function give(exchange: Exchange, response: ServerResponse): void {
	const { status, head, body, bodyBase64 } = exchange;
	const [, ...lines] = head.trimEnd().split("\r\n");
	for (const line of lines) {
		const at = line.indexOf(":");
		const name = line.slice(0, at);
		if (OF_THE_CONNECTION.has(name.toLowerCase())) continue;
		response.appendHeader(name, line.slice(at + 1).trim());
	}
	response.statusCode = status;
	response.end(bodyBase64 === undefined ? body : Buffer.from(bodyBase64, "base64"));
}
