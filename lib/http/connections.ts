import type { Socket } from "node:net";
import { buildConnector, errors, Pool } from "undici";
import {
	type CertificatePaths,
	certificatesVersion,
	checkCertificates,
	type Pem,
	readCertificates,
} from "../certificates/check.ts";
import { toHttpError } from "./errors.ts";

const CONNECT_TIMEOUT_MS = 10_000;
/** A little below the five minutes after which Caddy closes an idle connection. */
const KEEP_ALIVE_MS = 290_000;
/** A dead peer is noticed 25 s after the last byte: this plus ten probes a second apart. */
const PROBE_AFTER_MS = 15_000;
/** How long an alert is kept for the error that follows it. */
const ALERT_KEPT_MS = 1000;
const MAX_TICKETS = 4;

/** The connections made with one state of the certificate files. */
export interface Generation {
	readonly pool: Pool;
	/** TLS alerts by local port. */
	readonly alerts: Map<number, Error>;
	/** True once a handshake was done, so that the server has seen the client certificate. */
	handshaken: boolean;
	/** True once the server has answered over one of them. */
	answered: boolean;
	/** True from an abort until the connection that it costs is gone. */
	missesOne: boolean;
}

export interface ConnectionsOptions {
	readonly origin: string;
	/** For https:. */
	readonly certificates: CertificatePaths | undefined;
	readonly now: () => Date;
	/** The connection that an abort cost is gone. */
	readonly onMissing: () => void;
}

export interface Connections {
	/** Those that belong to the certificate files as they are now. Rejects with AiServerError. */
	current(): Promise<Generation>;
	close(): Promise<void>;
}

/** Running streams keep their connections when the certificate files change; new requests do not. */
export function createConnections(options: ConnectionsOptions): Connections {
	const { origin, certificates } = options;
	const pools = new Set<Pool>();
	let current: Promise<Generation> | undefined;
	let version = "";
	let closed = false;

	const refuseWhenClosed = (): void => {
		if (closed) throw toHttpError(new errors.ClientClosedError(), { origin, mutualTls: false });
	};
	const open = async (): Promise<Generation> => {
		const pem = await readUsable(options);
		refuseWhenClosed();
		const made = createGeneration(origin, pem);
		pools.add(made.pool);
		// Any earlier, and the pool would open a second one in addition to the place that becomes free.
		made.pool.on("disconnect", () => {
			if (made.missesOne && !closed) setImmediate(options.onMissing);
			made.missesOne = false;
		});
		return made;
	};
	const retire = async ({ pool }: Generation): Promise<void> => {
		await pool.close(); // waits for its streams
		pools.delete(pool);
	};
	return {
		async current() {
			const wanted = certificates === undefined ? "" : certificatesVersion(certificates);
			refuseWhenClosed();
			if (current !== undefined && version === wanted) return current;
			void current?.then(retire, () => undefined);
			version = wanted;
			current = open();
			current.catch(() => {
				version = "failed"; // the next request reads the files again
			});
			return current;
		},
		async close() {
			closed = true;
			await Promise.all([...pools].map((pool) => pool.destroy()));
			pools.clear();
		},
	};
}

async function readUsable({ certificates, now }: ConnectionsOptions): Promise<Pem | undefined> {
	if (certificates === undefined) return undefined;
	const pem = await readCertificates(certificates);
	checkCertificates(pem, certificates, now());
	return pem;
}

function createGeneration(origin: string, pem: Pem | undefined): Generation {
	const connect = buildConnector({
		allowH2: false,
		timeout: CONNECT_TIMEOUT_MS,
		keepAlive: true,
		keepAliveInitialDelay: PROBE_AFTER_MS,
		...pem,
	});
	const pool = new Pool(origin, {
		allowH2: false,
		headersTimeout: 0,
		bodyTimeout: 0,
		keepAliveTimeout: KEEP_ALIVE_MS,
		keepAliveMaxTimeout: KEEP_ALIVE_MS,
		connect: (options, callback) => watch(connect(options, callback)),
	});
	const made: Generation = {
		pool,
		alerts: new Map(),
		handshaken: false,
		answered: false,
		missesOne: false,
	};
	const watch = watcher(made);
	return made;
}

/** Keeps what undici lets go: the TLS alert before "other side closed", and the session tickets. */
function watcher(generation: Generation): (socket: unknown) => Socket {
	const { alerts } = generation;
	// undici holds sessions weakly, so that a garbage collection would cost a full handshake.
	const tickets: Buffer[] = [];
	return (made) => {
		const socket = made as Socket; // the types leave out that the connector returns its socket
		let port: number | undefined;
		socket.once("secureConnect", () => {
			port = socket.localPort;
			generation.handshaken = true;
		});
		socket.on("session", (ticket: Buffer) => {
			tickets.push(ticket);
			if (tickets.length > MAX_TICKETS) tickets.shift();
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

/** The TLS alert that came on the connection of an error. */
export function alertOf(error: unknown, { alerts }: Generation): Error | undefined {
	const { socket } = (error ?? {}) as { socket?: { localPort?: number } };
	return socket?.localPort === undefined ? undefined : alerts.get(socket.localPort);
}
