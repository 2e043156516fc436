import type { Socket } from "node:net";
import { buildConnector, type Dispatcher, errors, Pool } from "undici";
import {
	type CertificatePaths,
	certificatesVersion,
	checkCertificates,
	type Pem,
	readCertificates,
} from "../certificates/check.ts";
import { readBody } from "./body.ts";
import { type FaultContext, toFault } from "./errors.ts";
import { readText } from "./read-text.ts";
import type { HttpBody, HttpRequest, HttpResponse, WarmHttp } from "./types.ts";

const CONNECT_TIMEOUT_MS = 10_000;
/** Below the five minutes after which Caddy closes an idle connection. */
const KEEP_ALIVE_MS = 4 * 60_000;
/** A dead peer is noticed 25 s after the last byte: this plus ten probes a second apart. */
const PROBE_AFTER_MS = 15_000;
/** llama-swap answers it in a word, and no model's idle time starts anew by it. */
const WARM_PATH = "/health";
const WARM_LIMIT_MS = 10_000;
const WARM_LIMIT_BYTES = 64 * 1024;
/** How long an alert is kept for the error that follows it. */
const ALERT_KEPT_MS = 1000;

export interface HttpOptions {
	/** http: or https:, may carry a path prefix, no slash at the end. */
	readonly baseUrl: string;
	/** Sent as a bearer token; without it no request carries an Authorization header. */
	readonly apiKey?: string;
	/** For https:; read at the first request, and again whenever they change on disk. */
	readonly certificates?: CertificatePaths;
	readonly now?: () => Date;
}

/** The connections made with one state of the certificate files. */
interface Generation {
	readonly pool: Pool;
	/** TLS alerts by local port. */
	readonly alerts: ReadonlyMap<number, Error>;
	/** True once a handshake was done, so that the server has seen the client certificate. */
	readonly offered: () => boolean;
	/** True once the server has answered over one of them. */
	answered: boolean;
	/** True from an abort until the connection that it costs is gone. */
	missesOne: boolean;
}

/**
 * The connections to one server: HTTP/1.1, kept alive for minutes, no time limits of their own. An
 * abort costs its connection, so another is opened at once.
 */
export function createHttp(options: HttpOptions): WarmHttp {
	const { baseUrl, apiKey, certificates, now = () => new Date() } = options;
	const { origin, pathname } = new URL(baseUrl);
	const prefix = pathname === "/" ? "" : pathname;
	const mutualTls = certificates !== undefined;
	const base = {
		accept: "application/json",
		"user-agent": "pi-ai-server",
		...(apiKey === undefined ? {} : { authorization: `Bearer ${apiKey}` }),
	};
	const pools = new Set<Pool>();
	let current: Promise<Generation> | undefined;
	let version = "";
	let closed = false;

	const refuseWhenClosed = (): void => {
		if (closed) throw toFault(new errors.ClientClosedError(), { origin, mutualTls });
	};
	const open = async (): Promise<Generation> => {
		const alerts = new Map<number, Error>();
		const pem = certificates === undefined ? undefined : await readCertificates(certificates);
		if (pem !== undefined && certificates !== undefined) {
			checkCertificates(pem, certificates, now());
		}
		refuseWhenClosed();
		let offered = false;
		const pool = createPool(origin, pem, alerts, () => {
			offered = true;
		});
		pools.add(pool);
		const made = { pool, alerts, offered: () => offered, answered: false, missesOne: false };
		// Any earlier, and the pool would open a second one beside the place that becomes free.
		pool.on("disconnect", () => {
			if (made.missesOne && !closed) setImmediate(warm);
			made.missesOne = false;
		});
		return made;
	};
	const generation = async (): Promise<Generation> => {
		const wanted = certificates === undefined ? "" : certificatesVersion(certificates);
		refuseWhenClosed();
		if (current !== undefined && version === wanted) return current;
		// Running streams keep the old connections until they end.
		void current?.then(
			({ pool }) => retire(pool, pools),
			() => undefined,
		);
		version = wanted;
		current = open();
		current.catch(() => {
			version = "failed"; // the next request reads the files again
		});
		return current;
	};
	let warming: Promise<void> | undefined;
	const warm = (): Promise<void> => {
		warming ??= visit().finally(() => {
			warming = undefined;
		});
		return warming;
	};
	const replace = (aborted: Generation): void => {
		aborted.missesOne = true;
	};
	const visit = async (): Promise<void> => {
		try {
			const signal = AbortSignal.timeout(WARM_LIMIT_MS);
			await readText(await send({ path: WARM_PATH, signal }, true), WARM_LIMIT_BYTES);
		} catch {
			// The request that comes next will say what is wrong.
		}
	};
	const send = async (request: HttpRequest, again: boolean): Promise<HttpResponse> => {
		const used = await generation();
		const context: FaultContext = { origin, mutualTls };
		try {
			const answer = await used.pool.request(toDispatch(request, prefix, base));
			used.answered = true;
			return toResponse(answer, context, { signal: request.signal, onAbort: () => replace(used) });
		} catch (error) {
			if (request.signal?.aborted === true) {
				replace(used);
				throw request.signal.reason;
			}
			// The files were replaced between the look at them and the request, which never left.
			if (error instanceof errors.ClientClosedError && again) return send(request, false);
			const { alerts, offered, answered } = used;
			const seen = mutualTls && offered();
			const alert = alertOf(error, alerts);
			throw toFault(error, { ...context, mutualTls: seen, alert, answered });
		}
	};

	return {
		request: (request) => send(request, true),
		warm,
		async close() {
			closed = true;
			await Promise.all([...pools].map((pool) => pool.destroy()));
			pools.clear();
		},
	};
}

function createPool(
	origin: string,
	pem: Pem | undefined,
	alerts: Map<number, Error>,
	onHandshake: () => void,
): Pool {
	const shared = {
		allowH2: false,
		timeout: CONNECT_TIMEOUT_MS,
		keepAlive: true,
		keepAliveInitialDelay: PROBE_AFTER_MS,
	};
	const connect = buildConnector(
		pem === undefined
			? shared
			: {
					...shared,
					ca: pem.ca,
					cert: pem.cert,
					key: pem.key,
					...(pem.passphrase === undefined ? {} : { passphrase: pem.passphrase }),
				},
	);
	return new Pool(origin, {
		allowH2: false,
		headersTimeout: 0,
		bodyTimeout: 0,
		keepAliveTimeout: KEEP_ALIVE_MS,
		keepAliveMaxTimeout: KEEP_ALIVE_MS,
		connect: watched(connect, alerts, onHandshake),
	});
}

/** Keeps what undici lets go: the TLS alert before "other side closed", and the session tickets. */
function watched(
	connect: buildConnector.connector,
	alerts: Map<number, Error>,
	onHandshake: () => void,
): buildConnector.connector {
	// undici holds sessions weakly, so that a garbage collection would cost a full handshake.
	const tickets: Buffer[] = [];
	return (options, callback) => {
		// The types leave out that the connector returns its socket.
		const socket = connect(options, callback) as unknown as Socket;
		let port: number | undefined;
		socket.once("secureConnect", () => {
			port = socket.localPort;
			onHandshake();
		});
		socket.on("session", (ticket: Buffer) => {
			tickets.push(ticket);
			if (tickets.length > 4) tickets.shift();
		});
		socket.prependListener("error", (error: Error & { library?: string }) => {
			if (port !== undefined && error.library === "SSL routines") alerts.set(port, error);
		});
		socket.once("close", () => {
			setTimeout(() => alerts.delete(port ?? 0), ALERT_KEPT_MS).unref();
		});
		return socket;
	};
}

function alertOf(error: unknown, alerts: ReadonlyMap<number, Error>): Error | undefined {
	const { socket } = (error ?? {}) as { socket?: { localPort?: number } };
	return socket?.localPort === undefined ? undefined : alerts.get(socket.localPort);
}

async function retire(pool: Pool, all: Set<Pool>): Promise<void> {
	await pool.close(); // waits for its streams
	all.delete(pool);
}

function toDispatch(
	{ method = "GET", path, headers, body, signal }: HttpRequest,
	prefix: string,
	base: Readonly<Record<string, string>>,
): Dispatcher.RequestOptions {
	return {
		method,
		path: prefix + path,
		headers: { ...base, ...headers },
		...(body === undefined ? {} : { body }),
		...(signal === undefined ? {} : { signal }),
	};
}

interface Caller {
	readonly signal: AbortSignal | undefined;
	/** The caller gave up, and the connection with it. */
	readonly onAbort: () => void;
}

function toResponse(
	{ statusCode, headers, body }: Dispatcher.ResponseData,
	context: FaultContext,
	caller: Caller,
): HttpResponse {
	const joined = Object.entries(headers).flatMap(([name, value]) =>
		value === undefined ? [] : [[name, Array.isArray(value) ? value.join(", ") : value] as const],
	);
	return {
		status: statusCode,
		headers: Object.fromEntries(joined),
		body: toBody(body, context, caller),
	};
}

function toBody(
	body: Dispatcher.ResponseData["body"],
	context: FaultContext,
	{ signal, onAbort }: Caller,
): HttpBody {
	const fail = (error: unknown): never => {
		if (signal?.aborted !== true) throw toFault(error, { ...context, begun: true });
		onAbort();
		throw signal.reason;
	};
	return {
		destroy() {
			body.on("error", () => undefined); // nobody reads on, so nobody is to be told
			body.destroy();
		},
		[Symbol.asyncIterator]: () => readBody(body, fail),
	};
}
