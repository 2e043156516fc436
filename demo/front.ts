import {
	createServer as createPlain,
	type IncomingMessage,
	type Server,
	type ServerResponse,
} from "node:http";
import { createServer as createTls } from "node:https";
import type { AddressInfo, Socket } from "node:net";
import type { Identity } from "./authority.ts";

/** What the front door saw of a request. */
export interface SeenRequest {
	readonly method: string;
	readonly path: string;
	readonly headers: Readonly<Record<string, string>>;
}

export interface FrontOptions {
	/** Undefined for plain http. */
	readonly tls: { readonly ca: string; readonly server: Identity } | undefined;
	/** A path that every request must begin with, and that is taken off; "" for none. */
	readonly prefix: string;
	readonly handle: (request: IncomingMessage, response: ServerResponse) => void;
}

/** The proxy in front of llama-swap, in the role of Caddy: only clients with the right certificate get through. */
export interface Front {
	readonly port: number;
	/** Every request that came through, in order. */
	readonly seen: readonly SeenRequest[];
	/** For each of them when its answer is over: true when all was sent, false when the client left. */
	readonly answered: readonly Promise<boolean>[];
	/** How many connections were opened. */
	connections(): number;
	/** Ends every connection at once, but goes on listening. */
	cut(): void;
	close(): Promise<void>;
}

export async function startFront({ tls, prefix, handle }: FrontOptions): Promise<Front> {
	const seen: SeenRequest[] = [];
	const answered: Promise<boolean>[] = [];
	const sockets = new Set<Socket>();
	let opened = 0;
	const listener = (request: IncomingMessage, response: ServerResponse): void => {
		const path = request.url ?? "/";
		seen.push({ method: request.method ?? "", path, headers: toRecord(request) });
		const { promise, resolve } = Promise.withResolvers<boolean>();
		response.once("close", () => resolve(response.writableFinished));
		answered.push(promise);
		if (!path.startsWith(prefix)) {
			response.writeHead(404).end();
			return;
		}
		request.url = path.slice(prefix.length) || "/";
		handle(request, response);
	};
	const server: Server =
		tls === undefined
			? createPlain({ noDelay: true }, listener)
			: createTls(
					{
						ca: tls.ca,
						cert: tls.server.cert,
						key: tls.server.key,
						requestCert: true,
						rejectUnauthorized: true,
						noDelay: true,
					},
					listener,
				);
	server.on("connection", (socket: Socket) => {
		opened += 1;
		sockets.add(socket);
		socket.once("close", () => sockets.delete(socket));
		socket.on("error", () => socket.destroy());
	});
	await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
	const cut = (): void => {
		for (const socket of sockets) socket.destroy();
	};
	return {
		port: (server.address() as AddressInfo).port,
		seen,
		answered,
		connections: () => opened,
		cut,
		close() {
			cut();
			return new Promise((resolve) => server.close(() => resolve()));
		},
	};
}

function toRecord({ headers }: IncomingMessage): Readonly<Record<string, string>> {
	return Object.fromEntries(
		Object.entries(headers).map(([name, value]) => [name, [value].flat().join(", ")]),
	);
}
