import { AiServerError, type ErrorCode, type ErrorFacts, isAbort } from "../errors.ts";

/** What is known about the connection besides the error itself. */
export interface FailureContext {
	/** "https://host:port", for the message. */
	readonly origin: string;
	/** True when the server has seen a client certificate: its handshake was done. */
	readonly mutualTls: boolean;
	/** The TLS alert that undici drops behind "other side closed". */
	readonly alert?: unknown;
	/** True when the response had begun. */
	readonly begun?: boolean;
	/** True when the server has answered before, with the same certificate. */
	readonly answered?: boolean;
}

interface Explanation extends Pick<ErrorFacts, "hint" | "setting"> {
	readonly code: ErrorCode;
	readonly message: string;
}

/**
 * The AiServerError for a failure of undici or of TLS; an abort or a timeout is returned as it is.
 * "network" is only what another try may cure; a failure because of a certificate is always "tls".
 */
export function toHttpError(error: unknown, context: FailureContext): unknown {
	if (error instanceof AiServerError || isAbort(error) || nameOf(error) === "TimeoutError")
		return error;
	const { code, message, hint, setting } = explain(error, context);
	return new AiServerError(code, message, { hint, setting, cause: error });
}

function explain(error: unknown, context: FailureContext): Explanation {
	const { origin, begun = false } = context;
	const code = codeOf(error);
	const alert = alertNumber(context.alert) ?? alertNumber(error);
	if (alert !== undefined && !begun) return explainAlert(alert, origin);
	const explanation = explainCertificate(code, error, origin) ?? explainReach(code, origin);
	if (explanation !== undefined) return explanation;
	if (nameOf(error) === "HTTPParserError") {
		return protocol(`${origin} does not speak HTTP`, "Check the URL", "url");
	}
	if (code === "UND_ERR_HEADERS_OVERFLOW") {
		return protocol(`The response headers of ${origin} are too large`, "Check the URL", "url");
	}
	if (code === "UND_ERR_SOCKET" || code === "ECONNRESET" || code === "EPIPE") {
		return explainClosed(error, context);
	}
	if (code === "Z_BUF_ERROR" || code === "ERR_STREAM_PREMATURE_CLOSE") {
		return network(`The connection to ${origin} was lost in the middle of the answer`);
	}
	if (/^(?:Z_|ZSTD_|ERR__?(?:ERROR|BROTLI|PADDING|FORMAT))/.test(code ?? "")) {
		return protocol(`The compressed answer of ${origin} is broken`, "Check the proxy");
	}
	return network(`The connection to ${origin} failed: ${messageOf(error)}`);
}

/**
 * The server closed the connection. Before one byte, right after a handshake with a certificate, that
 * means that it refused the certificate.
 */
function explainClosed(
	error: unknown,
	{ origin, mutualTls, begun = false, answered = false }: FailureContext,
): Explanation {
	if (begun) return network(`The connection to ${origin} was lost in the middle of the answer`);
	// The end is noticed while a large request is being written: then there is no count.
	if (mutualTls && (bytesRead(error) ?? (answered ? 1 : 0)) === 0) {
		return tls(
			`${origin} refused the client certificate, or closed the connection without an answer`,
			"Check that client.pem is signed by the CA that the proxy trusts, and that it has not expired",
		);
	}
	return network(`${origin} closed the connection: connection lost`);
}

/** Alerts of RFC 8446, section 6, that a server sends about a client certificate or a name. */
function explainAlert(alert: number, origin: string): Explanation {
	const refused = `${origin} refused the client certificate`;
	switch (alert) {
		case 40:
			return tls(
				`${origin} refused the TLS handshake`,
				"Most likely it expects another client certificate",
			);
		case 42:
			return tls(
				`${refused} as bad`,
				"Check that it is signed by the CA the proxy trusts and not expired",
			);
		case 44:
			return tls(`${refused} as revoked`, "Have a new one signed");
		case 45:
			return tls(`${refused} as expired`, "Have a new one signed, or check the server's clock");
		case 46:
			return tls(`${refused} for an unspecified reason`, "Check the proxy's log");
		case 48:
			return tls(
				`${refused}: it does not know the CA that signed it`,
				"Add that CA to the ones that the proxy trusts",
			);
		case 80:
			return tls(
				`${origin} does not serve this name`,
				"Use the name that the proxy is configured for",
				"url",
			);
		case 116:
			return tls(
				`${origin} requires a client certificate`,
				"Check client.pem and client-key.pem",
				"certsDir",
			);
		default:
			return tls(`${origin} aborted the TLS handshake (alert ${alert})`, "Check the proxy's log");
	}
}

function explainCertificate(
	code: string | undefined,
	error: unknown,
	origin: string,
): Explanation | undefined {
	switch (code) {
		case "CERT_HAS_EXPIRED":
			return tls(`The certificate of ${origin} has expired`, "Renew it on the proxy");
		case "CERT_NOT_YET_VALID":
			return tls(
				`The certificate of ${origin} is not valid yet`,
				"Check the clocks of both machines",
			);
		case "ERR_TLS_CERT_ALTNAME_INVALID":
			return tls(
				`The certificate of ${origin} is for another name`,
				"Add this name to its subjectAltName, or use a name that is in it",
				"url",
			);
		case "UNABLE_TO_VERIFY_LEAF_SIGNATURE":
		case "UNABLE_TO_GET_ISSUER_CERT":
		case "UNABLE_TO_GET_ISSUER_CERT_LOCALLY":
		case "SELF_SIGNED_CERT_IN_CHAIN":
		case "DEPTH_ZERO_SELF_SIGNED_CERT":
		case "CERT_SIGNATURE_FAILURE":
			return tls(
				`The certificate of ${origin} is not signed by the CA in the CA file`,
				"Use the file of the CA that signed the proxy's certificate",
				"ca",
			);
		case "INVALID_PURPOSE":
		case "INVALID_CA":
		case "PATH_LENGTH_EXCEEDED":
		case "CERT_CHAIN_TOO_LONG":
		case "CERT_REVOKED":
		case "CERT_UNTRUSTED":
		case "CERT_REJECTED":
			return tls(
				`The certificate of ${origin} cannot be used (${code})`,
				"Have a new one issued for the proxy, with extendedKeyUsage=serverAuth",
			);
		case "ERR_SSL_WRONG_VERSION_NUMBER":
		case "ERR_SSL_PACKET_LENGTH_TOO_LONG":
			return tls(`${origin} does not speak TLS`, "Use http://, or the TLS port", "url");
		default:
			return /^ERR_(?:SSL|OSSL|TLS)_/.test(code ?? "")
				? tls(`TLS with ${origin} failed: ${messageOf(error)}`, "Check the proxy's log")
				: undefined;
	}
}

function explainReach(code: string | undefined, origin: string): Explanation | undefined {
	switch (code) {
		case "ECONNREFUSED":
			return network(
				`Nothing listens at ${origin} (connection refused)`,
				"Start the proxy there, or check the URL",
				"url",
			);
		case "ENOTFOUND":
		case "EAI_AGAIN":
			return network(
				`The host name in ${origin} cannot be resolved (${code})`,
				"Check DNS, the VPN and the URL",
				"url",
			);
		case "EHOSTUNREACH":
		case "ENETUNREACH":
			return network(`No route to ${origin}`, "Check the network and the VPN");
		case "ETIMEDOUT":
		case "UND_ERR_CONNECT_TIMEOUT":
			return network(
				`${origin} does not answer (timed out)`,
				"Check that the server is on and that no firewall blocks it",
			);
		case "UND_ERR_DESTROYED":
		case "UND_ERR_CLOSED":
			return network("The connections are closed because pi is shutting down");
		default:
			return undefined;
	}
}

function tls(message: string, hint: string, setting?: ErrorFacts["setting"]): Explanation {
	return { code: "tls", message, hint, setting };
}

function network(message: string, hint?: string, setting?: ErrorFacts["setting"]): Explanation {
	return { code: "network", message, hint, setting };
}

function protocol(message: string, hint: string, setting?: ErrorFacts["setting"]): Explanation {
	return { code: "protocol", message, hint, setting };
}

/** From OpenSSL's text; the hex code at its start differs between versions. */
function alertNumber(error: unknown): number | undefined {
	const found = /SSL alert number (\d+)/.exec(error instanceof Error ? error.message : "")?.[1];
	return found === undefined ? undefined : Number(found);
}

function codeOf(error: unknown): string | undefined {
	const { code, errors } = (error ?? {}) as { code?: unknown; errors?: unknown };
	if (typeof code === "string") return code;
	return Array.isArray(errors) ? codeOf(errors[0]) : undefined;
}

/** The first message that is not empty: that of a dual-stack host's AggregateError is. */
function messageOf(error: unknown): string {
	if (!(error instanceof Error)) return String(error);
	if (error.message !== "") return error.message;
	if (error instanceof AggregateError) return messageOf(error.errors[0]);
	return error.name;
}

function nameOf(error: unknown): string | undefined {
	return error instanceof Error ? error.name : undefined;
}

/** undici's SocketError counts the bytes that had come; 0 means "closed before one byte". */
function bytesRead(error: unknown): number | undefined {
	const { socket } = (error ?? {}) as { socket?: { bytesRead?: unknown } };
	return typeof socket?.bytesRead === "number" ? socket.bytesRead : undefined;
}
