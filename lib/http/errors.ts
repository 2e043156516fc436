import { AiServerError, type ErrorCode, isAbort } from "../errors.ts";

/** What is known about the connection beside the error itself. */
export interface FaultContext {
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

interface Words {
	readonly code: ErrorCode;
	readonly message: string;
	readonly hint?: string;
}

/**
 * Words a failure of undici or of TLS for a person. An abort passes through untouched. "network" is
 * only what another try may cure; what a certificate is to blame for is always "tls".
 */
export function toFault(error: unknown, context: FaultContext): unknown {
	if (error instanceof AiServerError || isAbort(error) || nameOf(error) === "TimeoutError")
		return error;
	const words = explain(error, context);
	return new AiServerError(words.code, words.message, { hint: words.hint, cause: error });
}

function explain(error: unknown, context: FaultContext): Words {
	const { origin, begun = false } = context;
	const code = codeOf(error);
	const alert = alertNumber(context.alert) ?? alertNumber(error);
	if (alert !== undefined && !begun) return alertWords(alert, origin);
	const words = serverCertificateWords(code, error, origin) ?? reachWords(code, origin);
	if (words !== undefined) return words;
	if (nameOf(error) === "HTTPParserError") {
		return protocol(
			`Something that is not a web server answers at ${origin}`,
			"Check AI_SERVER_URL",
		);
	}
	if (code === "UND_ERR_HEADERS_OVERFLOW") {
		return protocol(`${origin} sends a response head that is too large`, "Check AI_SERVER_URL");
	}
	if (code === "UND_ERR_SOCKET" || code === "ECONNRESET" || code === "EPIPE") {
		return closedWords(error, context);
	}
	return { code: "network", message: `The connection to ${origin} failed: ${messageOf(error)}` };
}

/** The peer hung up. Before one byte, right after a handshake with a certificate, that is its verdict. */
function closedWords(
	error: unknown,
	{ origin, mutualTls, begun = false, answered = false }: FaultContext,
): Words {
	if (begun) return network(`The connection to ${origin} was lost in the middle of the answer`);
	// A large request meets the closed door while it is being written: then there is no count.
	if (mutualTls && (bytesRead(error) ?? (answered ? 1 : 0)) === 0) {
		return {
			code: "tls",
			message: `${origin} refused the client certificate, or closed the connection without a word`,
			hint: "Check that the CA which the proxy trusts has signed client.pem, and that it has not expired",
		};
	}
	return network(`${origin} closed the connection: connection lost`);
}

/** Alerts of RFC 8446, section 6, that a server sends about a client certificate or a name. */
function alertWords(alert: number, origin: string): Words {
	const refused = `${origin} refused the client certificate`;
	switch (alert) {
		case 40:
			return tls(
				`${origin} refused the handshake`,
				"Most likely it wants another client certificate",
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
			return tls(`${refused} for a reason of its own`, "Look at the proxy's log");
		case 48:
			return tls(
				`${refused}: it does not know the CA that signed it`,
				"Give the proxy that CA as trusted",
			);
		case 80:
			return tls(
				`${origin} does not serve this name`,
				"AI_SERVER_URL must use the name the proxy is set up for",
			);
		case 116:
			return tls(`${origin} wants a client certificate`, "Check client.pem and client-key.pem");
		default:
			return tls(
				`${origin} broke off the TLS handshake (alert ${alert})`,
				"Look at the proxy's log",
			);
	}
}

function serverCertificateWords(
	code: string | undefined,
	error: unknown,
	origin: string,
): Words | undefined {
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
				"Use a name that is in the certificate, or add this one to it (subjectAltName)",
			);
		case "UNABLE_TO_VERIFY_LEAF_SIGNATURE":
		case "UNABLE_TO_GET_ISSUER_CERT":
		case "UNABLE_TO_GET_ISSUER_CERT_LOCALLY":
		case "SELF_SIGNED_CERT_IN_CHAIN":
		case "DEPTH_ZERO_SELF_SIGNED_CERT":
		case "CERT_SIGNATURE_FAILURE":
			return tls(
				`The CA file did not sign the certificate of ${origin}`,
				"AI_SERVER_CA must name the CA that signed the proxy's certificate",
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
				"Have a new one made for the proxy, with extendedKeyUsage=serverAuth",
			);
		case "ERR_SSL_WRONG_VERSION_NUMBER":
		case "ERR_SSL_PACKET_LENGTH_TOO_LONG":
			return tls(
				`${origin} does not speak TLS`,
				"Write AI_SERVER_URL with http://, or use the TLS port",
			);
		default:
			return /^ERR_(?:SSL|OSSL|TLS)_/.test(code ?? "")
				? tls(`TLS with ${origin} failed: ${messageOf(error)}`, "Look at the proxy's log")
				: undefined;
	}
}

function reachWords(code: string | undefined, origin: string): Words | undefined {
	switch (code) {
		case "ECONNREFUSED":
			return network(
				`Nothing listens at ${origin} (connection refused)`,
				"Start the proxy there, or check AI_SERVER_URL",
			);
		case "ENOTFOUND":
		case "EAI_AGAIN":
			return network(
				`The name in ${origin} is not known (${code})`,
				"Check AI_SERVER_URL, the DNS and the VPN",
			);
		case "EHOSTUNREACH":
		case "ENETUNREACH":
			return network(`There is no way to ${origin}`, "Check the network and the VPN");
		case "ETIMEDOUT":
		case "UND_ERR_CONNECT_TIMEOUT":
			return network(
				`${origin} does not answer (timed out)`,
				"The machine is off, or a firewall swallows the packets",
			);
		case "UND_ERR_DESTROYED":
		case "UND_ERR_CLOSED":
			return network("The connections are closed because pi is shutting down");
		default:
			return undefined;
	}
}

function tls(message: string, hint: string): Words {
	return { code: "tls", message, hint };
}

function network(message: string, hint?: string): Words {
	return hint === undefined ? { code: "network", message } : { code: "network", message, hint };
}

function protocol(message: string, hint: string): Words {
	return { code: "protocol", message, hint };
}

/** OpenSSL's own words; the hex code in front of them differs between versions. */
function alertNumber(error: unknown): number | undefined {
	const found = /SSL alert number (\d+)/.exec(error instanceof Error ? error.message : "")?.[1];
	return found === undefined ? undefined : Number(found);
}

function codeOf(error: unknown): string | undefined {
	const { code, errors } = (error ?? {}) as { code?: unknown; errors?: unknown };
	if (typeof code === "string") return code;
	return Array.isArray(errors) ? codeOf(errors[0]) : undefined;
}

/** The first words worth reading: an AggregateError of a dual-stack host has none of its own. */
function messageOf(error: unknown): string {
	if (!(error instanceof Error)) return String(error);
	if (error.message !== "") return error.message;
	if (error instanceof AggregateError) return messageOf(error.errors[0]);
	return error.name;
}

function nameOf(error: unknown): string | undefined {
	return error instanceof Error ? error.name : undefined;
}

/** undici's SocketError tells how much had come; 0 is "closed before one byte". */
function bytesRead(error: unknown): number | undefined {
	const { socket } = (error ?? {}) as { socket?: { bytesRead?: unknown } };
	return typeof socket?.bytesRead === "number" ? socket.bytesRead : undefined;
}
