import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import {
	brotliCompressSync,
	deflateRawSync,
	deflateSync,
	gzipSync,
	zstdCompressSync,
} from "node:zlib";

/** An OpenAI-compatible server on loopback whose answers are scripted, one model for each. */
export interface ScriptedServer {
	readonly url: string;
	/** The bodies of the chat requests so far. */
	readonly asked: readonly Readonly<Record<string, unknown>>[];
	close(): Promise<void>;
}

export interface Reply {
	readonly status?: number;
	readonly headers?: Readonly<Record<string, string>>;
	readonly body: string | Uint8Array;
	/** The answer begins and does not end. */
	readonly hold?: boolean;
}

/** What a model answers; `nth` counts its chats from 1. */
export type Script = (
	body: Readonly<Record<string, unknown>>,
	nth: number,
	headers: IncomingMessage["headers"],
) => Reply;

const frame = (value: unknown): string => `data: ${JSON.stringify(value)}\n\n`;
const HEAD = { id: "c1", model: "m", object: "chat.completion.chunk", created: 1 };
export const part = (delta: unknown, finish: string | null = null, more: object = {}): string =>
	frame({ ...HEAD, choices: [{ index: 0, delta, finish_reason: finish }], ...more });
export const words = (content: string): string => part({ content });
export const calls = (...tool_calls: readonly object[]): string => part({ tool_calls });
export const ended = (reason = "stop"): string => `${part({}, reason)}data: [DONE]\n\n`;
export const fine: string = words("fine") + ended();
export const refused = (status: number, body: unknown): Reply => ({
	status,
	body: typeof body === "string" ? body : JSON.stringify(body),
});
export const count = (tokens: object): string => frame({ id: "c", choices: [], ...tokens });

const CODERS: Readonly<Record<string, (text: string) => Uint8Array>> = {
	gzip: gzipSync,
	br: brotliCompressSync,
	deflate: deflateSync,
	"raw deflate": deflateRawSync,
	zstd: zstdCompressSync,
};

/** Compressed whatever the client accepts, as some proxies do. */
export function coded(coding: string, text: string): Reply {
	const encode = CODERS[coding];
	if (encode === undefined) throw new Error(`No coder for ${coding}`);
	return { headers: { "content-encoding": coding.replace("raw ", "") }, body: encode(text) };
}

/** `listed`: more fields of a model in the list, by its id. */
export async function startScripted(
	scripts: Readonly<Record<string, Script>>,
	listed: Readonly<Record<string, object>> = {},
): Promise<ScriptedServer> {
	const asked: Record<string, unknown>[] = [];
	const times = new Map<string, number>();
	const list = Object.keys(scripts).map((id) => ({
		id,
		object: "model",
		created: 1,
		owned_by: "llama-swap",
		...listed[id],
	}));
	const chat = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
		const parts: Buffer[] = [];
		for await (const piece of request) parts.push(piece as Buffer);
		const body = JSON.parse(Buffer.concat(parts).toString()) as Record<string, unknown>;
		asked.push(body);
		const id = String(body["model"]);
		const nth = (times.get(id) ?? 0) + 1;
		times.set(id, nth);
		const last = (body["messages"] as readonly { role: string }[]).at(-1);
		// Results of tools end the turn; otherwise the same calls would come for ever.
		const script = last?.role === "tool" ? undefined : scripts[id];
		const reply = script?.(body, nth, request.headers) ?? { body: fine };
		const { status = 200, headers = {}, body: answer, hold = false } = reply;
		const type = status === 200 ? "text/event-stream" : "application/json";
		response.writeHead(status, { "content-type": type, ...headers }).flushHeaders();
		if (!hold) response.end(answer);
	};
	const server = createServer((request, response) => {
		const json = (status: number, value: unknown): void => {
			response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(value));
		};
		if (request.url === "/v1/models") json(200, { object: "list", data: list });
		else if (request.url === "/running") json(200, { running: [] });
		else if (request.url === "/v1/chat/completions") void chat(request, response);
		else json(404, {});
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
