import "reflect-metadata";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import type { IncomingMessage, ServerResponse } from "node:http";
import { createServer } from "node:https";
import type { AddressInfo, Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type {
	AssistantMessageEvent,
	AssistantMessageEventStream,
	Model,
	SimpleStreamOptions,
} from "@earendil-works/pi-ai";
import { onTestFinished } from "vitest";
import { createAuthority, type Identity, writeClientFiles } from "../../demo/authority.ts";
import { createHttp, type HttpOptions } from "../../lib/http/client.ts";
import type { WarmHttp } from "../../lib/http/types.ts";
import { createStreamSimple, type StreamDeps } from "../../stream.ts";
import { readTurn, type Turn } from "./chat.ts";

export const MODEL: Model<"test"> = {
	id: "tiny",
	name: "tiny",
	api: "test",
	provider: "ai-server",
	baseUrl: "",
	reasoning: false,
	input: ["text"],
	contextWindow: 4096,
	maxTokens: 4096,
	cost: { input: 0, output: 0, cacheRead: 0, cacheWrite: 0 },
};

const frame = (value: unknown): string => `data: ${JSON.stringify(value)}\n\n`;
const delta = (part: unknown, finish: string | null = null): string =>
	frame({ id: "c1", model: "tiny", choices: [{ index: 0, delta: part, finish_reason: finish }] });

/** What llama-server sends, an event each. */
export const TEXT = (content: string): string => delta({ content });
export const CALL = (args: string): string =>
	delta({ tool_calls: [{ index: 0, id: "a", function: { name: "write", arguments: args } }] });
/** llama-swap's words while it loads a model. */
export const LOADING = (reasoning_content: string): string =>
	frame({ choices: [{ delta: { reasoning_content } }] });
export const STOP: string = `${delta({}, "stop")}data: [DONE]\n\n`;

const authority = await createAuthority();
const stranger = await createAuthority("another CA");
const serverIdentity = await authority.server();

/** A client certificate that the server trusts, and one that it does not. */
export const friend: Identity = await authority.client();
export const foreigner: Identity = await stranger.client();
export const expired: Identity = await authority.client({
	notBefore: new Date("2020-01-01"),
	notAfter: new Date("2021-01-01"),
});

/** One chat request as the server sees it; the test answers it by hand. */
export interface ChatCall {
	/** Number of the TCP connection that it came on, from 1. */
	readonly connection: number;
	readonly body: string;
	readonly response: ServerResponse;
	/** The connection below TLS. */
	readonly socket: Socket;
	/** Resolves when its connection is closed. */
	readonly closed: Promise<unknown>;
	/** The head of an event stream, and these events. */
	send(...events: readonly string[]): void;
}

export interface TlsServer {
	readonly port: number;
	/** The next chat request, whether it has come already or not. */
	next(): Promise<ChatCall>;
	/** TCP connections and finished TLS handshakes so far. */
	connections(): number;
	handshakes(): number;
	/** Requests that were no chat. */
	readonly others: readonly string[];
}

/** Asks for a client certificate, and answers everything but the chat with a word. */
async function startTlsServer(): Promise<TlsServer> {
	const opened: { readonly socket: Socket; readonly closed: Promise<unknown> }[] = [];
	const others: string[] = [];
	const arrived: ChatCall[] = [];
	const waiting: ((call: ChatCall) => void)[] = [];
	let handshakes = 0;
	const take = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
		if (request.url !== "/v1/chat/completions") {
			others.push(request.url ?? "");
			response.end("OK");
			return;
		}
		const port = request.socket.remotePort;
		const index = opened.findIndex(({ socket }) => socket.remotePort === port);
		const body = (await request.toArray()).join("");
		const call: ChatCall = {
			connection: index + 1,
			body,
			response,
			...opened[index]!,
			send(...events) {
				if (!response.headersSent) response.writeHead(200, { "content-type": "text/event-stream" });
				response.flushHeaders();
				for (const event of events) response.write(event);
			},
		};
		const taker = waiting.shift();
		if (taker === undefined) arrived.push(call);
		else taker(call);
	};
	const server = createServer(
		{
			ca: authority.ca,
			cert: serverIdentity.cert,
			key: serverIdentity.key,
			requestCert: true,
			rejectUnauthorized: true,
			noDelay: true,
		},
		(request, response) => void take(request, response).catch(() => undefined),
	);
	server.on("connection", (socket: Socket) => {
		opened.push({ socket, closed: new Promise((resolve) => socket.once("close", resolve)) });
		socket.on("error", () => undefined);
	});
	server.on("secureConnection", () => {
		handshakes += 1;
	});
	await once(server.listen(0, "127.0.0.1"), "listening");
	onTestFinished(async () => {
		for (const { socket } of opened) socket.destroy();
		server.close();
	});
	return {
		port: (server.address() as AddressInfo).port,
		others,
		connections: () => opened.length,
		handshakes: () => handshakes,
		next() {
			const call = arrived.shift();
			return call === undefined
				? new Promise((resolve) => waiting.push(resolve))
				: Promise.resolve(call);
		},
	};
}

/** A turn that runs, and what it has sent so far. */
export interface RunningTurn {
	/** Resolves with the next event of this type, or the last one where it has come already. */
	seen(type: AssistantMessageEvent["type"]): Promise<AssistantMessageEvent>;
	/** The whole, when it is over. */
	readonly over: Promise<Turn>;
	abort(): void;
}

export interface TlsClient {
	readonly http: WarmHttp;
	/** Begins a turn. */
	ask(options?: SimpleStreamOptions): RunningTurn;
}

export interface TlsChat extends TlsClient {
	readonly server: TlsServer;
}

export interface TlsClientSetup {
	readonly identity?: Identity;
	readonly http?: Partial<HttpOptions>;
	/** What to put around the connections. */
	readonly around?: (http: WarmHttp) => WarmHttp;
	readonly deps?: Partial<StreamDeps>;
}

/** The chat stream over real TLS, and the server at its other end. */
export async function startTlsChat(setup: TlsClientSetup = {}): Promise<TlsChat> {
	const server = await startTlsServer();
	return { server, ...(await connectTlsChat(server.port, setup)) };
}

/** The same with a server of another kind. */
export async function connectTlsChat(port: number, setup: TlsClientSetup): Promise<TlsClient> {
	const folder = await mkdtemp(join(tmpdir(), "ai-server-stream-"));
	onTestFinished(() => rm(folder, { recursive: true, force: true }));
	await writeClientFiles(folder, authority.ca, setup.identity ?? friend);
	const certificates = {
		ca: join(folder, "root-ca.pem"),
		cert: join(folder, "client.pem"),
		key: join(folder, "client-key.pem"),
	};
	const http = createHttp({ baseUrl: `https://localhost:${port}`, certificates, ...setup.http });
	onTestFinished(() => http.close());
	const streamSimple = createStreamSimple({
		http: setup.around?.(http) ?? http,
		timeoutMs: 300_000,
		...setup.deps,
	});
	return {
		http,
		ask(options = {}) {
			const controller = new AbortController();
			const { signal } = controller;
			const stream = streamSimple(MODEL, { messages: [] }, { signal, ...options });
			return { ...follow(stream), abort: () => controller.abort() };
		},
	};
}

/**
 * A server that checks client certificates during the handshake and says in an alert what is wrong,
 * as proxies do (Node's own ends the connection without a word). Resolves with its port.
 */
export async function startAlertingServer(openssl: string, version: string): Promise<number> {
	const folder = await mkdtemp(join(tmpdir(), "ai-server-alert-"));
	onTestFinished(() => rm(folder, { recursive: true, force: true }));
	await writeClientFiles(folder, authority.ca, serverIdentity);
	const files = ["-cert", "client.pem", "-key", "client-key.pem", "-CAfile", "root-ca.pem"];
	const verify = ["-Verify", "2", "-verify_return_error", `-${version}`];
	const child = spawn(openssl, ["s_server", "-accept", "127.0.0.1:0", ...files, ...verify], {
		cwd: folder,
		stdio: ["pipe", "pipe", "ignore"],
	});
	onTestFinished(async () => {
		const ended = once(child, "close");
		child.kill();
		await ended;
	});
	let said = "";
	for await (const part of child.stdout.setEncoding("utf8").iterator({ destroyOnReturn: false })) {
		said += part;
		const port = /ACCEPT \S+:(\d+)\n/.exec(said)?.[1];
		if (port !== undefined) {
			child.stdout.resume();
			return Number(port);
		}
	}
	throw new Error(`openssl s_server did not start: ${said}`);
}

function follow(stream: AssistantMessageEventStream): Omit<RunningTurn, "abort"> {
	const last = new Map<string, AssistantMessageEvent>();
	const waiting = new Map<string, (event: AssistantMessageEvent) => void>();
	async function* tapped(): AsyncGenerator<AssistantMessageEvent> {
		for await (const event of stream) {
			last.set(event.type, event);
			waiting.get(event.type)?.(event);
			yield event;
		}
	}
	const tap = { [Symbol.asyncIterator]: tapped, result: () => stream.result() };
	return {
		over: readTurn(tap as unknown as AssistantMessageEventStream),
		async seen(type) {
			const { promise, resolve } = Promise.withResolvers<AssistantMessageEvent>();
			waiting.set(type, resolve);
			return last.get(type) ?? promise;
		},
	};
}
