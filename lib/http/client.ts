import type { Readable } from "node:stream";
import { type Dispatcher, errors } from "undici";
import type { CertificatePaths } from "../certificates/check.ts";
import { withDeadline } from "../deadline.ts";
import { readBody } from "./body.ts";
import { alertOf, createConnections, type Generation } from "./connections.ts";
import { decodeBody } from "./decode.ts";
import { type FailureContext, toHttpError } from "./errors.ts";
import { readText } from "./read-text.ts";
import type { HttpBody, HttpRequest, HttpResponse, WarmHttp } from "./types.ts";

/** llama-swap answers it with one word, and it does not restart the idle time of any model. */
const WARM_PATH = "/health";
const WARM_DEADLINE_MS = 10_000;
const MAX_WARM_BYTES = 64 * 1024;

export interface HttpOptions {
	/** http: or https:, may have a path prefix, no slash at the end. */
	readonly baseUrl: string;
	/** Sent as a bearer token; without it no request carries an Authorization header. */
	readonly apiKey?: string | undefined;
	/** For https:; read at the first request, and again whenever they change on disk. */
	readonly certificates?: CertificatePaths | undefined;
	readonly now?: () => Date;
}

/**
 * The connections to one server: HTTP/1.1, kept alive for minutes, without time limits. An abort costs
 * its connection, so another one is opened at once.
 */
export function createHttp(options: HttpOptions): WarmHttp {
	const { baseUrl, apiKey, certificates, now = () => new Date() } = options;
	const { origin, pathname } = new URL(baseUrl);
	const prefix = pathname === "/" ? "" : pathname;
	const headers = baseHeaders(apiKey);
	const context: FailureContext = { origin, mutualTls: certificates !== undefined };
	const connections = createConnections({ origin, certificates, now, onMissing: () => warm() });

	const send = async (request: HttpRequest, again: boolean): Promise<HttpResponse> => {
		const { signal } = request;
		const used = await connections.current();
		const onAbort = (): void => {
			used.missesOne = true;
		};
		try {
			const answer = await used.pool.request(toDispatch(request, prefix, headers));
			used.answered = true;
			return toResponse(answer, context, { signal, onAbort });
		} catch (error) {
			if (signal?.aborted === true) {
				onAbort();
				throw signal.reason;
			}
			// The files were replaced between the look at them and the request, which was never sent.
			if (error instanceof errors.ClientClosedError && again) return send(request, false);
			throw toHttpError(error, contextOf(error, context, used));
		}
	};
	let warming: Promise<void> | undefined;
	const warm = (): Promise<void> => {
		warming ??= withDeadline(WARM_DEADLINE_MS, async (signal) => {
			await readText(await send({ path: WARM_PATH, signal }, true), MAX_WARM_BYTES);
		})
			.catch(() => undefined) // the next request reports what is wrong
			.finally(() => {
				warming = undefined;
			});
		return warming;
	};
	return {
		request: (request) => send(request, true),
		warm,
		close: () => connections.close(),
	};
}

function baseHeaders(apiKey: string | undefined): Readonly<Record<string, string>> {
	return {
		accept: "application/json",
		// Without it any coding would be allowed (RFC 9110, 12.5.3).
		"accept-encoding": "identity",
		"user-agent": "pi-ai-server",
		...(apiKey === undefined ? {} : { authorization: `Bearer ${apiKey}` }),
	};
}

/** The same with what the connections of the failed request have seen. */
function contextOf(error: unknown, context: FailureContext, used: Generation): FailureContext {
	return {
		origin: context.origin,
		mutualTls: context.mutualTls && used.handshaken,
		alert: alertOf(error, used),
		answered: used.answered,
	};
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
	/** The caller gave up, and with it the connection. */
	readonly onAbort: () => void;
}

function toResponse(
	{ statusCode, headers, body }: Dispatcher.ResponseData,
	context: FailureContext,
	caller: Caller,
): HttpResponse {
	const joined = Object.fromEntries(
		Object.entries(headers).flatMap(([name, value]) =>
			value === undefined ? [] : [[name, Array.isArray(value) ? value.join(", ") : value] as const],
		),
	);
	return {
		status: statusCode,
		headers: joined,
		body: toBody(decodeBody(body, joined["content-encoding"]), context, caller),
	};
}

function toBody(body: Readable, context: FailureContext, { signal, onAbort }: Caller): HttpBody {
	const fail = (error: unknown): never => {
		if (signal?.aborted !== true) throw toHttpError(error, { ...context, begun: true });
		onAbort();
		throw signal.reason;
	};
	return {
		destroy() {
			body.on("error", () => undefined); // the caller reads no further
			body.destroy();
		},
		[Symbol.asyncIterator]: () => readBody(body, fail),
	};
}
