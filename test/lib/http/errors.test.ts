import { errors } from "undici";
import { expect, test } from "vitest";
import { AiServerError, type ErrorCode } from "../../../lib/errors.ts";
import { type FailureContext, toHttpError } from "../../../lib/http/errors.ts";

const ORIGIN = "https://ai.example.net:8443";
const CONTEXT: FailureContext = { origin: ORIGIN, mutualTls: true };

/** An error as Node or OpenSSL makes it. */
function system(code: string, message: string): Error {
	return Object.assign(new Error(message), { code });
}

/** Recorded from OpenSSL 3.5. */
function alert(number: number, code: string, reason: string): Error {
	const message = `4097C3B4A17F0000:error:0A000${(1000 + number).toString(16)}:SSL routines:ssl3_read_bytes:${reason}:../deps/openssl/openssl/ssl/record/rec_layer_s3.c:916:SSL alert number ${number}:\n`;
	return Object.assign(system(code, message), { library: "SSL routines", reason });
}

function hangup(bytesRead: number): Error {
	const socket = { localPort: 50_000, remotePort: 8443, bytesWritten: 120, bytesRead };
	return Object.assign(new errors.SocketError("other side closed"), { socket });
}

function dualStack(code: string): Error {
	const inner = ["::1", "127.0.0.1"].map((address) =>
		system(code, `connect ${code} ${address}:8443`),
	);
	return Object.assign(new AggregateError(inner), { code });
}

interface Row {
	readonly situation: string;
	readonly error: unknown;
	readonly context?: Partial<FailureContext>;
	readonly code: ErrorCode;
	readonly message: RegExp;
	readonly hint?: RegExp;
}

const CLIENT_CERTIFICATE = /refused the client certificate|requires a client certificate/;
const CUT = /lost in the middle of the answer/;

const ROWS: readonly Row[] = [
	{
		situation: "certificate refused, alert lost",
		error: hangup(0),
		code: "tls",
		message: CLIENT_CERTIFICATE,
		hint: /client\.pem/,
	},
	{
		situation: "the same without a client certificate to refuse",
		error: hangup(0),
		context: { mutualTls: false },
		code: "network",
		message: /connection lost/,
	},
	{
		situation: "a kept connection is closed before the head",
		error: hangup(812),
		code: "network",
		message: /connection lost/,
	},
	{
		situation: "certificate refused, alert kept",
		error: hangup(0),
		context: { alert: alert(48, "ERR_SSL_TLSV1_ALERT_UNKNOWN_CA", "tlsv1 alert unknown ca") },
		code: "tls",
		message: /does not know the CA/,
		hint: /trusts/,
	},
	{
		situation: "another error kept that is no alert",
		error: hangup(0),
		context: { alert: new Error("bad record mac") },
		code: "tls",
		message: CLIENT_CERTIFICATE,
	},
	{
		situation: "no certificate, Caddy 2.11",
		error: alert(
			116,
			"ERR_SSL_TLSV13_ALERT_CERTIFICATE_REQUIRED",
			"tlsv13 alert certificate required",
		),
		code: "tls",
		message: /requires a client certificate/,
		hint: /client\.pem and client-key\.pem/,
	},
	{
		situation: "no certificate, TLS 1.2",
		error: alert(40, "ERR_SSL_SSL/TLS_ALERT_HANDSHAKE_FAILURE", "ssl/tls alert handshake failure"),
		code: "tls",
		message: /refused the TLS handshake/,
		hint: /certificate/,
	},
	{
		situation: "bad certificate, Caddy 2.6",
		error: alert(42, "ERR_SSL_SSL/TLS_ALERT_BAD_CERTIFICATE", "ssl/tls alert bad certificate"),
		code: "tls",
		message: /refused the client certificate as bad/,
		hint: /CA.*expired/,
	},
	{
		situation: "revoked certificate",
		error: alert(
			44,
			"ERR_SSL_SSL/TLS_ALERT_CERTIFICATE_REVOKED",
			"ssl/tls alert certificate revoked",
		),
		code: "tls",
		message: /as revoked/,
	},
	{
		situation: "expired certificate",
		error: alert(
			45,
			"ERR_SSL_SSL/TLS_ALERT_CERTIFICATE_EXPIRED",
			"ssl/tls alert certificate expired",
		),
		code: "tls",
		message: /as expired/,
		hint: /signed/,
	},
	{
		situation: "certificate refused for an unspecified reason",
		error: alert(
			46,
			"ERR_SSL_SSL/TLS_ALERT_CERTIFICATE_UNKNOWN",
			"ssl/tls alert certificate unknown",
		),
		code: "tls",
		message: CLIENT_CERTIFICATE,
		hint: /log/,
	},
	{
		situation: "certificate of another CA",
		error: alert(48, "ERR_SSL_TLSV1_ALERT_UNKNOWN_CA", "tlsv1 alert unknown ca"),
		code: "tls",
		message: /does not know the CA/,
	},
	{
		situation: "a name that the proxy does not serve",
		error: alert(80, "ERR_SSL_TLSV1_ALERT_INTERNAL_ERROR", "tlsv1 alert internal error"),
		code: "tls",
		message: /does not serve this name/,
		hint: /^Use the name/,
	},
	{
		situation: "another alert",
		error: alert(70, "ERR_SSL_TLSV1_ALERT_PROTOCOL_VERSION", "tlsv1 alert protocol version"),
		code: "tls",
		message: /alert 70/,
	},
	{
		situation: "server certificate expired",
		error: system("CERT_HAS_EXPIRED", "certificate has expired"),
		code: "tls",
		message: /certificate of .* has expired/,
		hint: /Renew/,
	},
	{
		situation: "server certificate not yet valid",
		error: system("CERT_NOT_YET_VALID", "certificate is not yet valid"),
		code: "tls",
		message: /not valid yet/,
		hint: /clocks/,
	},
	{
		situation: "server certificate for another name",
		error: Object.assign(
			system(
				"ERR_TLS_CERT_ALTNAME_INVALID",
				"Hostname/IP does not match certificate's altnames: Host: ai.example.net. is not in the cert's altnames: DNS:localhost",
			),
			{ host: "ai.example.net", reason: "Host: ai.example.net. is not in the altnames" },
		),
		code: "tls",
		message: /for another name/,
		hint: /subjectAltName/,
	},
	...(
		[
			["UNABLE_TO_VERIFY_LEAF_SIGNATURE", "unable to verify the first certificate"],
			["UNABLE_TO_GET_ISSUER_CERT", "unable to get issuer certificate"],
			["UNABLE_TO_GET_ISSUER_CERT_LOCALLY", "unable to get local issuer certificate"],
			["SELF_SIGNED_CERT_IN_CHAIN", "self-signed certificate in certificate chain"],
			["DEPTH_ZERO_SELF_SIGNED_CERT", "self-signed certificate"],
			["CERT_SIGNATURE_FAILURE", "certificate signature failure"],
		] as const
	).map(
		([code, words]): Row => ({
			situation: `unknown CA: ${code}`,
			error: system(
				code,
				`${words}; if the root CA is installed locally, try running Node.js with --use-system-ca`,
			),
			code: "tls",
			message: /^The certificate of \S+ is not signed by the CA in the CA file$/,
			hint: /^Use the file of the CA /,
		}),
	),
	// What else Node names after X509_V_ERR_... is about the certificate as well: no retry helps.
	...(
		[
			["INVALID_PURPOSE", "unsuitable certificate purpose"],
			["INVALID_CA", "invalid CA certificate"],
			["PATH_LENGTH_EXCEEDED", "path length constraint exceeded"],
			["CERT_CHAIN_TOO_LONG", "certificate chain too long"],
			["CERT_REVOKED", "certificate revoked"],
			["CERT_UNTRUSTED", "certificate not trusted"],
			["CERT_REJECTED", "certificate rejected"],
		] as const
	).map(
		([code, words]): Row => ({
			situation: `server certificate unusable: ${code}`,
			error: system(code, words),
			code: "tls",
			message: /certificate/,
		}),
	),
	{
		situation: "https to a plain port",
		error: system("ERR_SSL_WRONG_VERSION_NUMBER", "wrong version number"),
		code: "tls",
		message: /does not speak TLS/,
		hint: /http:\/\//,
	},
	{
		situation: "https to a plain port, long first record",
		error: system("ERR_SSL_PACKET_LENGTH_TOO_LONG", "packet length too long"),
		code: "tls",
		message: /does not speak TLS/,
	},
	{
		situation: "another error of TLS",
		error: system("ERR_SSL_NO_PROTOCOLS_AVAILABLE", "no protocols available"),
		code: "tls",
		message: /TLS with .* failed: no protocols available/,
	},
	{
		situation: "client key that does not fit after all",
		error: system("ERR_OSSL_X509_KEY_VALUES_MISMATCH", "key values mismatch"),
		code: "tls",
		message: /key values mismatch/,
	},
	{
		situation: "nothing listens",
		error: system("ECONNREFUSED", "connect ECONNREFUSED 127.0.0.1:8443"),
		code: "network",
		message: /Nothing listens at .*connection refused/,
		hint: /URL/,
	},
	{
		situation: "nothing listens on either address of a name",
		error: dualStack("ECONNREFUSED"),
		code: "network",
		message: /Nothing listens at .*connection refused/,
	},
	{
		situation: "the same where only the inner errors have a code",
		error: new AggregateError([system("EHOSTUNREACH", "connect EHOSTUNREACH ::1:8443")]),
		code: "network",
		message: /^No route to /,
	},
	...(["ENOTFOUND", "EAI_AGAIN"] as const).map(
		(code): Row => ({
			situation: `name not resolved: ${code}`,
			error: system(code, `getaddrinfo ${code} ai.example.net`),
			code: "network",
			message: /cannot be resolved/,
			hint: /DNS/,
		}),
	),
	...(["EHOSTUNREACH", "ENETUNREACH"] as const).map(
		(code): Row => ({
			situation: code,
			error: system(code, `connect ${code} 192.0.2.1:8443`),
			code: "network",
			message: /^No route to /,
			hint: /VPN/,
		}),
	),
	{
		situation: "packets swallowed",
		error: new errors.ConnectTimeoutError(
			"Connect Timeout Error (attempted address: ai.example.net:8443, timeout: 10000ms)",
		),
		code: "network",
		message: /timed out/,
		hint: /firewall/,
	},
	{
		situation: "dead peer",
		error: system("ETIMEDOUT", "read ETIMEDOUT"),
		code: "network",
		message: /timed out/,
	},
	{
		situation: "no HTTP at all",
		error: new errors.HTTPParserError("Expected HTTP/, RTSP/ or ICE/"),
		code: "protocol",
		message: /does not speak HTTP$/,
		hint: /URL/,
	},
	{
		situation: "a head that is too large",
		error: new errors.HeadersOverflowError(),
		code: "protocol",
		message: /response headers of \S+ are too large$/,
	},
	{
		situation: "cut off mid-answer",
		error: hangup(4096),
		context: { begun: true },
		code: "network",
		message: CUT,
	},
	{
		situation: "cut off mid-answer, with an alert that no longer matters",
		error: hangup(4096),
		context: { begun: true, alert: alert(80, "ERR_SSL_TLSV1_ALERT_INTERNAL_ERROR", "x") },
		code: "network",
		message: CUT,
	},
	{
		situation: "reset mid-answer",
		error: system("ECONNRESET", "read ECONNRESET"),
		context: { begun: true },
		code: "network",
		message: CUT,
	},
	{
		situation: "reset before the head",
		error: system("ECONNRESET", "read ECONNRESET"),
		context: { answered: true },
		code: "network",
		message: /connection lost/,
	},
	{
		situation: "reset before the head, plain http",
		error: system("ECONNRESET", "read ECONNRESET"),
		context: { mutualTls: false },
		code: "network",
		message: /connection lost/,
	},
	{
		situation: "reset before the head of the first answer, after a client certificate",
		error: system("ECONNRESET", "read ECONNRESET"),
		code: "tls",
		message: CLIENT_CERTIFICATE,
	},
	{
		situation: "broken pipe before the head",
		error: system("EPIPE", "write EPIPE"),
		context: { answered: true },
		code: "network",
		message: /connection lost/,
	},
	{
		situation: "broken pipe before the head, plain http",
		error: system("EPIPE", "write EPIPE"),
		context: { mutualTls: false },
		code: "network",
		message: /connection lost/,
	},
	{
		situation: "broken pipe before the head of the first answer, after a client certificate",
		error: system("EPIPE", "write EPIPE"),
		code: "tls",
		message: CLIENT_CERTIFICATE,
	},
	{
		situation: "shorter than its content-length",
		error: new errors.ResponseContentLengthMismatchError(),
		context: { begun: true },
		code: "network",
		message: /failed: /,
	},
	{
		situation: "the pool is destroyed",
		error: new errors.ClientDestroyedError(),
		code: "network",
		message: /shutting down/,
	},
	{
		situation: "the pool is closed",
		error: new errors.ClientClosedError(),
		code: "network",
		message: /shutting down/,
	},
	{
		situation: "an error without a code",
		error: new Error("odd"),
		code: "network",
		message: /failed: odd$/,
	},
	{
		situation: "an error without a message",
		error: new RangeError(""),
		code: "network",
		message: /failed: RangeError$/,
	},
	{ situation: "no error at all", error: undefined, code: "network", message: /failed: / },
];

test.each(ROWS)("the message for: $situation", ({ error, context, code, message, hint }) => {
	const failure = toHttpError(error, { ...CONTEXT, ...context });
	expect(failure).toBeInstanceOf(AiServerError);
	expect(failure).toMatchObject({ code, message: expect.stringMatching(message) });
	if (hint !== undefined) expect(failure).toMatchObject({ hint: expect.stringMatching(hint) });
	expect((failure as AiServerError).cause).toBe(error);
	expect(`${(failure as AiServerError).message} ${(failure as AiServerError).hint}`).not.toMatch(
		/use-system-ca|undefined:|\n/,
	);
});

test.each([
	["an abort", AbortSignal.abort().reason],
	["undici's abort", new errors.RequestAbortedError()],
	["a time limit", new DOMException("The operation timed out", "TimeoutError")],
	["an error that is ours already", new AiServerError("settings", "no")],
])("lets %s through untouched", (_what, error: unknown) => {
	expect(toHttpError(error, CONTEXT)).toBe(error);
});

test("names the server in every message about it", () => {
	for (const { error, context } of ROWS) {
		const { message, hint } = toHttpError(error, { ...CONTEXT, ...context }) as AiServerError;
		if (!message.includes("shutting down")) expect(message).toContain(ORIGIN);
		expect(hint ?? "").not.toMatch(/\.$/);
	}
});
