// The server of the benchmark, in a process of its own: plain on one port, with client certificates
// on the other. Prints both ports as JSON and lives until it is killed.
import { readFileSync } from "node:fs";
import { createServer, type IncomingMessage, type RequestListener } from "node:http";
import { createServer as createTls } from "node:https";
import type { AddressInfo, Server, Socket } from "node:net";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { TLSSocket } from "node:tls";
import { renderEvents } from "./bodies.ts";
import { parseWorkload } from "./workloads.ts";

const WRITE_BYTES = 64 * 1024;
/** As long as Caddy keeps an idle connection. */
const KEEP_ALIVE_MS = 300_000;
const folder = process.argv[2] ?? "";
const bodies = new Map<string, readonly (string | Buffer)[]>();
/** When the request of that mark lost its connection, on the clock that all processes share. */
const closedAt = new Map<string, string>();
const connections = new WeakMap<Socket, number>();
let opened = 0;

const listener: RequestListener = async (request, response) => {
	const url = request.url ?? "/";
	const [, route, mark = ""] = url.split("/");
	if (route === "closed") {
		response.end(closedAt.get(mark) ?? "");
		return;
	}
	if (url.endsWith("/models")) {
		response.setHeader("content-type", "application/json");
		response.end('{"object":"list","data":[{"id":"bench","object":"model"}]}');
		return;
	}
	if (!url.endsWith("/chat/completions")) {
		response.writeHead(404).end();
		return;
	}
	const { model } = JSON.parse(await textOf(request)) as { model: string };
	const { socket } = request;
	const seen = request.headers["x-mark"];
	response.once("close", () => {
		if (typeof seen === "string") closedAt.set(seen, String(process.hrtime.bigint()));
	});
	if (model === "silent") return;
	response.setHeader("content-type", "text/event-stream");
	response.setHeader("x-connection", String(connections.get(socket) ?? 0));
	if (model === "closing") {
		response.setHeader("connection", "close");
		response.setHeader("x-resumed", String((socket as TLSSocket).isSessionReused()));
	}
	response.flushHeaders();
	const { paced, ...rest } = parseWorkload(model === "closing" ? "text-1" : model);
	const pieces = bodies.get(model) ?? cut(renderEvents({ paced, ...rest }), paced);
	bodies.set(model, pieces);
	const started = performance.now();
	let sent = 0;
	for (const piece of pieces) {
		if (response.destroyed) return;
		if (!response.write(piece)) await new Promise((resolve) => onceEither(resolve));
		sent += 1;
		// Timers are late more often than early, so the pace is that of the clock.
		if (paced && performance.now() - started < sent) await sleep(1);
	}
	response.end();

	function onceEither(resolve: (value: unknown) => void): void {
		const done = (): void => {
			response.off("drain", done);
			response.off("close", done);
			resolve(undefined);
		};
		response.once("drain", done);
		response.once("close", done);
	}
};

function cut(events: readonly string[], paced: boolean): readonly (string | Buffer)[] {
	if (paced) return events;
	const whole = Buffer.from(events.join(""));
	const pieces: Buffer[] = [];
	for (let at = 0; at < whole.length; at += WRITE_BYTES) {
		pieces.push(whole.subarray(at, at + WRITE_BYTES));
	}
	return pieces;
}

async function textOf(request: IncomingMessage): Promise<string> {
	return (await request.setEncoding("utf8").toArray()).join("");
}

async function listen(server: Server): Promise<number> {
	await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
	return (server.address() as AddressInfo).port;
}

const read = (name: string): string => readFileSync(join(folder, name), "utf8");
const plain = createServer({ noDelay: true, keepAliveTimeout: KEEP_ALIVE_MS }, listener);
const tls = createTls(
	{
		ca: read("root-ca.pem"),
		cert: read("server.pem"),
		key: read("server-key.pem"),
		requestCert: true,
		rejectUnauthorized: true,
		noDelay: true,
		keepAliveTimeout: KEEP_ALIVE_MS,
	},
	listener,
);
for (const [server, event] of [
	[plain, "connection"],
	[tls, "secureConnection"],
] as const) {
	server.on(event, (socket: Socket) => {
		opened += 1;
		connections.set(socket, opened);
		socket.on("error", () => socket.destroy());
	});
}
console.log(JSON.stringify({ plain: await listen(plain), tls: await listen(tls) }));
