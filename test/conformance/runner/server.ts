import {
	createServer,
	type IncomingHttpHeaders,
	type Server,
	type ServerResponse,
} from "node:http";
import type { AddressInfo } from "node:net";
import type { Reply, Scenario } from "./scenario.ts";

/** How long a held connection stays open when the turn does not end before. */
const HOLD_MS = 4000;

export interface Asked {
	readonly headers: IncomingHttpHeaders;
	readonly body: string;
}

/** What the server saw of one row on one side. */
export interface Seen {
	readonly requests: Asked[];
	/** Who ended the held connection first. */
	connection: "" | "the turn ended first" | "the server closed it first";
}

export interface ScriptServer {
	/** The address of a row on one side; closed for rows with `nobody`. */
	url(side: string, row: number): string;
	seen(side: string, row: number): Seen;
	close(): Promise<void>;
}

/** Answers every row's requests with its script, on this machine. */
export async function startScript(rows: readonly Scenario[]): Promise<ScriptServer> {
	const all = new Map<string, Seen>();
	const waiting = new Map<string, () => void>();
	// What happens at a row's "reached" or "ended", which may come before it is known what.
	const held = new Map<string, () => void>();
	const told = new Set<string>();
	const whenTold = (key: string, act: () => void): void => {
		if (told.has(key)) act();
		else held.set(key, act);
	};
	const seenAt = (key: string): Seen => {
		const seen = all.get(key) ?? { requests: [], connection: "" };
		all.set(key, seen);
		return seen;
	};
	const hold = (key: string, response: ServerResponse): void => {
		const seen = seenAt(key);
		const end = (who: Seen["connection"]): void => {
			clearTimeout(timer);
			seen.connection ||= who;
			response.end();
		};
		const timer = setTimeout(() => end("the server closed it first"), HOLD_MS);
		response.once("close", () => end("the turn ended first"));
		whenTold(key, () => end("the turn ended first"));
	};
	const give = async (key: string, reply: Reply, response: ServerResponse): Promise<void> => {
		const { status = 200, headers = {}, pieces, end = "close" } = reply;
		if (end === "silent") return hold(key, response);
		response.writeHead(status, { "content-type": "text/event-stream", ...headers });
		response.flushHeaders();
		for (const piece of pieces) {
			response.write(piece);
			// Lets the network deliver this piece before the next.
			await new Promise((resolve) => setTimeout(resolve, 2));
		}
		if (end === "hold") hold(key, response);
		else if (end === "reset" && pieces.length === 0) response.socket?.resetAndDestroy();
		// A reset may overtake what is on its way, so the client says when it has it.
		else if (end === "reset") whenTold(key, () => response.socket?.resetAndDestroy());
		else if (end === "unframed") response.socket?.end();
		else response.end();
	};
	const server = createServer((request, response) => {
		const [, side = "", number = "", what] = (request.url ?? "").split("/");
		const key = `${side}/${number}`;
		let body = "";
		request.setEncoding("utf8").on("data", (text: string) => {
			body += text;
		});
		request.once("end", () => {
			if (what === "arrived") {
				if (seenAt(key).requests.length > 0) response.end();
				else waiting.set(key, () => response.end());
				return;
			}
			if (what === "ended" || what === "reached") {
				told.add(key);
				held.get(key)?.();
				response.end();
				return;
			}
			const seen = seenAt(key);
			seen.requests.push({ headers: request.headers, body });
			waiting.get(key)?.();
			if (number === "") return void response.end("<title>Sign in</title>");
			const replies = rows[Number(number)]?.replies ?? [];
			const reply = replies[seen.requests.length - 1] ?? replies.at(-1);
			if (reply === undefined) response.writeHead(500).end();
			else void give(key, reply, response);
		});
	});
	const port = await listen(server);
	const nobody = createServer();
	const closed = await listen(nobody);
	await new Promise((resolve) => nobody.close(resolve));
	return {
		url: (side, row) =>
			`http://127.0.0.1:${rows[row]?.nobody === true ? closed : port}/${side}/${row}`,
		seen: (side, row) => seenAt(`${side}/${row}`),
		close: () =>
			new Promise((resolve) => {
				server.close(() => resolve());
				server.closeAllConnections();
			}),
	};
}

async function listen(server: Server): Promise<number> {
	await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
	return (server.address() as AddressInfo).port;
}
