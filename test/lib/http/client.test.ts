import "reflect-metadata";
import { execFileSync } from "node:child_process";
import { createPrivateKey, X509Certificate } from "node:crypto";
import { once } from "node:events";
import { mkdtemp, open, rename, rm, writeFile } from "node:fs/promises";
import type { IncomingMessage, ServerResponse } from "node:http";
import { type AddressInfo, createServer, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { TLSSocket } from "node:tls";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { ExtendedKeyUsage } from "@peculiar/x509";
import { expect, onTestFinished, test } from "vitest";
import { createAuthority, type Identity, writeClientFiles } from "../../../demo/authority.ts";
import { type Front, type FrontOptions, startFront } from "../../../demo/front.ts";
import type { CertificatePaths } from "../../../lib/certificates/check.ts";
import { createHttp, type HttpOptions } from "../../../lib/http/client.ts";
import { readText } from "../../../lib/http/read-text.ts";
import type { Http, HttpRequest, HttpResponse, WarmHttp } from "../../../lib/http/types.ts";

const LIMIT = 1_000_000;
const PAST = { notBefore: new Date("2020-01-01"), notAfter: new Date("2021-01-01") };
const FUTURE = { notBefore: new Date("2120-01-01"), notAfter: new Date("2121-01-01") };
const authority = await createAuthority();
const stranger = await createAuthority("another CA");
const clientIdentity = await authority.client();
const serverIdentity = await authority.server();

type Handle = FrontOptions["handle"];

interface Setup {
	readonly handle?: Handle;
	/** False for plain http. */
	readonly tls?: boolean;
	readonly server?: Identity;
	/** What the client holds. */
	readonly client?: Identity;
	readonly ca?: string;
	/** A path after the origin. */
	readonly path?: string;
	readonly options?: Partial<HttpOptions>;
}

interface Rig {
	readonly front: Front;
	readonly http: WarmHttp;
	readonly certificates: CertificatePaths;
	readonly baseUrl: string;
}

const hello: Handle = (_request, response) => void response.end("hello");

async function rig(setup: Setup = {}): Promise<Rig> {
	const { handle = hello, tls = true, server = serverIdentity, path = "" } = setup;
	const front = await startFront({
		tls: tls ? { ca: authority.ca, server } : undefined,
		prefix: "",
		handle,
	});
	onTestFinished(() => front.close());
	const folder = await mkdtemp(join(tmpdir(), "ai-server-pool-"));
	onTestFinished(() => rm(folder, { recursive: true, force: true }));
	await writeClientFiles(folder, setup.ca ?? authority.ca, setup.client ?? clientIdentity);
	const certificates = {
		ca: join(folder, "root-ca.pem"),
		cert: join(folder, "client.pem"),
		key: join(folder, "client-key.pem"),
	};
	const baseUrl = `${tls ? "https" : "http"}://localhost:${front.port}${path}`;
	const http = createHttp({ baseUrl, ...(tls ? { certificates } : {}), ...setup.options });
	onTestFinished(() => http.close());
	return { front, http, certificates, baseUrl };
}

/** Streams a first piece and leaves the answer open; reports each answer that began. */
function streaming(): { readonly handle: Handle; readonly begun: ServerResponse[] } {
	const begun: ServerResponse[] = [];
	const handle: Handle = (request, response) => {
		if (request.url !== "/stream") return hello(request, response);
		begun.push(response);
		response.write("first");
	};
	return { handle, begun };
}

/** Never answers; resolves with the request's response once the request is there. */
function silent(): { readonly handle: Handle; readonly arrived: Promise<ServerResponse> } {
	const { promise, resolve } = Promise.withResolvers<ServerResponse>();
	return { handle: (_request, response) => resolve(response), arrived: promise };
}

async function get(http: Http, path = "/"): Promise<string> {
	return readText(await http.request({ path }), LIMIT);
}

async function firstChunk({ body }: HttpResponse): Promise<AsyncIterator<Uint8Array>> {
	const chunks = body[Symbol.asyncIterator]();
	const { value } = (await chunks.next()) as IteratorYieldResult<Uint8Array>;
	expect(Buffer.from(value).toString()).toBe("first");
	return chunks;
}

async function restOf(chunks: AsyncIterator<Uint8Array>): Promise<string> {
	let text = "";
	for (;;) {
		const { done, value } = (await chunks.next()) as IteratorResult<Uint8Array, undefined>;
		if (done === true) return text;
		text += Buffer.from(value).toString();
	}
}

/** Puts a file in place at once, as a careful administrator does. */
async function replace(path: string, text: string): Promise<void> {
	await writeFile(`${path}.new`, text, { mode: 0o600 });
	await rename(`${path}.new`, path);
}

function peerSerial(request: IncomingMessage): string {
	return (request.socket as TLSSocket).getPeerCertificate().serialNumber;
}

function serialOf({ cert }: Identity): string {
	return new X509Certificate(cert).serialNumber;
}

test("sends a request as it is and gives back status, headers and body", async () => {
	const { front, http } = await rig({
		handle: async (request, response) => {
			const body = (await request.toArray()).join("");
			response.writeHead(201, { "Set-Cookie": ["a=1", "b=2"], "X-Own": "yes" });
			response.end(`got ${body}`);
		},
	});
	const response = await http.request({
		method: "POST",
		path: "/v1/chat?x=%20y",
		headers: { "content-type": "application/json" },
		body: '{"ü":1}',
	});
	expect(response.status).toBe(201);
	expect(response.headers).toMatchObject({ "set-cookie": "a=1, b=2", "x-own": "yes" });
	expect(await readText(response, LIMIT)).toBe('got {"ü":1}');
	expect(front.seen).toMatchObject([
		{
			method: "POST",
			path: "/v1/chat?x=%20y",
			headers: expect.objectContaining({
				accept: "application/json",
				"content-type": "application/json",
				"user-agent": "pi-ai-server",
				host: `localhost:${front.port}`,
			}),
		},
	]);
});

test("a header of the request beats the general one", async () => {
	const { front, http } = await rig();
	const response = await http.request({ path: "/", headers: { accept: "text/event-stream" } });
	await readText(response, LIMIT);
	expect(front.seen[0]?.headers["accept"]).toBe("text/event-stream");
});

test.each([
	["", "/v1/models?a=b", "/v1/models?a=b"],
	["/", "/v1/models", "/v1/models"],
	["/ai", "/v1/models?a=b", "/ai/v1/models?a=b"],
	["/deep/er", "/", "/deep/er/"],
])("with base path %j asks %s as %s", async (path, asked, seen) => {
	const { front, http } = await rig({ path });
	expect(await get(http, asked)).toBe("hello");
	expect(front.seen.map((request) => request.path)).toEqual([seen]);
});

test.each([
	["https", true],
	["http", false],
] as const)("sends Authorization over %s only with a key", async (_scheme, tls) => {
	const without = await rig({ tls });
	await get(without.http);
	expect(Object.keys(without.front.seen[0]?.headers ?? {})).not.toContain("authorization");
	const withKey = await rig({ tls, options: { apiKey: "sk-test" } });
	await get(withKey.http);
	expect(withKey.front.seen[0]?.headers["authorization"]).toBe("Bearer sk-test");
});

test("uses one connection for request after request", async () => {
	const { front, http } = await rig();
	for (let count = 0; count < 5; count += 1) expect(await get(http)).toBe("hello");
	expect(front.seen).toHaveLength(5);
	expect(front.connections()).toBe(1);
});

test("parallel streams get a connection each", async () => {
	const { handle, begun } = streaming();
	const { front, http } = await rig({ handle });
	const responses = await Promise.all([1, 2, 3].map(() => http.request({ path: "/stream" })));
	expect(front.connections()).toBe(3);
	for (const response of begun) response.end(" last");
	expect(await Promise.all(responses.map((response) => readText(response, LIMIT)))).toEqual(
		Array.from({ length: 3 }, () => "first last"),
	);
});

test("speaks plain http, without certificates", async () => {
	const { front, http } = await rig({ tls: false });
	expect(await get(http)).toBe("hello");
	expect(await get(http)).toBe("hello");
	expect(front.seen).toHaveLength(2);
});

test.each([200, 204, 400, 404, 421, 500, 502, 503])("resolves with status %i", async (status) => {
	const { http } = await rig({
		tls: false,
		handle: (_request, response) => void response.writeHead(status).end(),
	});
	const response = await http.request({ path: "/" });
	expect(response.status).toBe(status);
	expect(await readText(response, LIMIT)).toBe("");
});

test.each([301, 302, 307, 308])("does not follow a redirect (%i)", async (status) => {
	const { front, http } = await rig({
		handle: (_request, response) =>
			void response.writeHead(status, { location: "/elsewhere" }).end("moved"),
		options: { apiKey: "sk-test" },
	});
	const response = await http.request({ path: "/" });
	expect(response).toMatchObject({ status, headers: { location: "/elsewhere" } });
	expect(await readText(response, LIMIT)).toBe("moved");
	expect(front.seen).toHaveLength(1);
});

test("opens an encrypted key with its passphrase", async () => {
	const passphrase = "open sesame";
	const key = createPrivateKey(clientIdentity.key)
		.export({ type: "pkcs8", format: "pem", cipher: "aes-256-cbc", passphrase })
		.toString();
	const { certificates, baseUrl } = await rig({ client: { ...clientIdentity, key } });
	const http = createHttp({ baseUrl, certificates: { ...certificates, passphrase } });
	onTestFinished(() => http.close());
	expect(await get(http)).toBe("hello");
});

test("trusts a CA out of a bundle", async () => {
	const { http } = await rig({ ca: `${stranger.ca}\n${authority.ca}` });
	expect(await get(http)).toBe("hello");
});

interface Handshake {
	readonly situation: string;
	readonly setup: () => Promise<Setup>;
	readonly request?: Omit<HttpRequest, "path">;
	readonly message: RegExp;
}

const CA_FILE =
	/^The certificate of https:\/\/localhost:\d+ is not signed by the CA in the CA file$/;
const REFUSED = /refused the client certificate/;
const foreignClient = async (): Promise<Setup> => ({ client: await stranger.client() });

const HANDSHAKES: readonly Handshake[] = [
	{
		situation: "wrong CA file",
		setup: async () => ({ ca: stranger.ca }),
		message: CA_FILE,
	},
	{
		situation: "server certificate of another CA",
		setup: async () => ({ server: await stranger.server() }),
		message: CA_FILE,
	},
	{
		situation: "server certificate expired",
		setup: async () => ({ server: await authority.server(PAST) }),
		message: /certificate of .* has expired$/,
	},
	{
		situation: "server certificate not yet valid",
		setup: async () => ({ server: await authority.server(FUTURE) }),
		message: /certificate of .* is not valid yet$/,
	},
	{
		situation: "server certificate for another name",
		setup: async () => ({
			server: await authority.client({ usage: ExtendedKeyUsage.serverAuth }),
		}),
		message: /certificate of .* is for another name$/,
	},
	{
		situation: "server certificate not made for servers",
		setup: async () => ({ server: await authority.client() }),
		message: /certificate/,
	},
	{ situation: "client certificate of another CA", setup: foreignClient, message: REFUSED },
	{
		situation: "client certificate of another CA, small body",
		setup: foreignClient,
		request: { method: "POST", body: "{}" },
		message: REFUSED,
	},
	{
		situation: "client certificate of another CA, large body",
		setup: foreignClient,
		request: { method: "POST", body: "x".repeat(400_000) },
		message: REFUSED,
	},
	{
		situation: "client certificate that only the server considers expired",
		setup: async () => ({
			client: await authority.client(PAST),
			options: { now: () => new Date("2020-06-01") },
		}),
		message: REFUSED,
	},
];

test.each(HANDSHAKES)("a failed handshake is code tls: $situation", async (row) => {
	const { front, http } = await rig(await row.setup());
	await expect(http.request({ path: "/", ...row.request })).rejects.toMatchObject({
		name: "AiServerError",
		code: "tls",
		message: expect.stringMatching(row.message),
		hint: expect.any(String),
	});
	expect(front.seen).toEqual([]);
});

test("https to a port of plain http is code tls", async () => {
	const { front, certificates } = await rig({ tls: false });
	const http = createHttp({ baseUrl: `https://localhost:${front.port}`, certificates });
	onTestFinished(() => http.close());
	await expect(http.request({ path: "/" })).rejects.toMatchObject({
		code: "tls",
		message: expect.stringContaining("does not speak TLS"),
	});
});

test("unusable certificate files fail before any connection", async () => {
	const { front, http, certificates } = await rig({
		client: { cert: clientIdentity.cert, key: (await authority.client()).key },
	});
	await expect(http.request({ path: "/" })).rejects.toMatchObject({ code: "tls" });
	await rm(certificates.cert);
	await expect(http.request({ path: "/" })).rejects.toMatchObject({
		code: "tls",
		message: expect.stringContaining(certificates.cert),
	});
	expect(front.connections()).toBe(0);
});

test("the clock of this machine is asked for the client certificate's dates, each time", async () => {
	let now = new Date("2130-01-01");
	const { front, http } = await rig({ options: { now: () => now } });
	await expect(http.request({ path: "/" })).rejects.toMatchObject({
		code: "tls",
		message: expect.stringContaining("expired on"),
	});
	expect(front.connections()).toBe(0);
	now = new Date(); // the clock has been set
	expect(await get(http)).toBe("hello");
});

test.each([true, false])("a server that is down is code network (tls: %s)", async (tls) => {
	const { front, http, baseUrl } = await rig({ tls });
	await front.close();
	await expect(http.request({ path: "/" })).rejects.toMatchObject({
		code: "network",
		message: `Nothing listens at ${baseUrl} (connection refused)`,
		settings: ["url"],
	});
});

test("something that is not a web server is code protocol", async () => {
	const server = createServer((socket) => {
		socket.on("error", () => undefined);
		socket.end("SSH-2.0-OpenSSH_9.2\r\n");
	});
	await once(server.listen(0, "127.0.0.1"), "listening");
	onTestFinished(() => void server.close());
	const { port } = server.address() as AddressInfo;
	const http = createHttp({ baseUrl: `http://127.0.0.1:${port}` });
	onTestFinished(() => http.close());
	await expect(http.request({ path: "/" })).rejects.toMatchObject({
		code: "protocol",
		message: expect.stringContaining("does not speak HTTP"),
	});
});

test("a head that is too large is code protocol", async () => {
	const { http } = await rig({
		handle: (_request, response) =>
			void response.writeHead(200, { "x-long": "x".repeat(40_000) }).end(),
	});
	await expect(http.request({ path: "/" })).rejects.toMatchObject({
		code: "protocol",
		message: expect.stringContaining("too large"),
	});
});

const REASONS = [
	["the usual reason", undefined],
	["a time limit", new DOMException("too long", "TimeoutError")],
	["a reason of its own", new Error("the user pressed escape")],
] as const;

test.each(REASONS)("an abort before the head rejects with %s", async (_what, reason) => {
	const { handle, arrived } = silent();
	const { http } = await rig({ handle });
	const controller = new AbortController();
	const request = http.request({ path: "/", signal: controller.signal });
	const rejected = expect(request).rejects.toSatisfy(
		(error: unknown) => error === controller.signal.reason,
	);
	const response = await arrived;
	const closed = once(response, "close");
	controller.abort(reason);
	await rejected;
	await closed; // the server notices
});

test.each(REASONS)("an abort mid-body rejects with %s", async (_what, reason) => {
	const { handle, begun } = streaming();
	const { http } = await rig({ handle });
	const controller = new AbortController();
	const response = await http.request({ path: "/stream", signal: controller.signal });
	const chunks = await firstChunk(response);
	const closed = once(begun[0] as ServerResponse, "close");
	const rest = restOf(chunks);
	const rejected = expect(rest).rejects.toSatisfy(
		(error: unknown) => error === controller.signal.reason,
	);
	controller.abort(reason);
	await rejected;
	await closed;
});

test.each(REASONS)("a signal aborted beforehand rejects with %s", async (_what, reason) => {
	const { front, http } = await rig();
	const signal = AbortSignal.abort(reason);
	await expect(http.request({ path: "/", signal })).rejects.toBe(signal.reason);
	expect(front.seen).toEqual([]);
});

test("an abort after the end has no effect, and the connection is kept", async () => {
	const { front, http } = await rig();
	const controller = new AbortController();
	await readText(await http.request({ path: "/", signal: controller.signal }), LIMIT);
	controller.abort();
	expect(await get(http)).toBe("hello");
	expect(front.connections()).toBe(1);
});

test("an abort of one request leaves the others alone", async () => {
	const { handle, begun } = streaming();
	const { http } = await rig({ handle });
	const controller = new AbortController();
	const doomed = await http.request({ path: "/stream", signal: controller.signal });
	const other = await http.request({ path: "/stream" });
	controller.abort();
	await expect(readText(doomed, LIMIT)).rejects.toBe(controller.signal.reason);
	begun[1]?.end(" last");
	expect(await readText(other, LIMIT)).toBe("first last");
	expect(await get(http)).toBe("hello");
});

interface Cut {
	readonly how: string;
	readonly tls: boolean;
	readonly head?: Readonly<Record<string, string>>;
	readonly cut: (front: Front, response: ServerResponse) => void;
}

const CUTS: readonly Cut[] = [
	{ how: "connection closed", tls: true, cut: (front) => front.cut() },
	{ how: "connection closed, plain", tls: false, cut: (front) => front.cut() },
	{
		how: "reset",
		tls: false,
		cut: (_front, response) => void response.socket?.resetAndDestroy(),
	},
	{
		how: "shorter than its content-length",
		tls: true,
		head: { "content-length": "100" },
		cut: (front) => front.cut(),
	},
];

test.each(CUTS)("an answer that breaks off is code network: $how", async ({ tls, head, cut }) => {
	const { promise, resolve } = Promise.withResolvers<ServerResponse>();
	const { front, http } = await rig({
		tls,
		handle: (request, response) => {
			if (request.url !== "/stream") return hello(request, response);
			response.writeHead(200, head).write("first");
			resolve(response);
		},
	});
	const chunks = await firstChunk(await http.request({ path: "/stream" }));
	const rest = restOf(chunks);
	const rejected = expect(rest).rejects.toMatchObject({
		name: "AiServerError",
		code: "network",
		message: expect.stringContaining("lost in the middle of the answer"),
	});
	cut(front, await promise);
	await rejected;
	expect(await get(http)).toBe("hello"); // over a new connection
});

test("a connection that breaks before the body is read is reported when it is read", async () => {
	const { handle } = streaming();
	const { front, http } = await rig({ handle });
	const response = await http.request({ path: "/stream" });
	front.cut();
	expect(await get(http, "/again").catch(() => get(http, "/again"))).toBe("hello");
	await expect(readText(response, LIMIT)).rejects.toMatchObject({ code: "network" });
});

test.each<readonly [string, (socket: Socket) => void]>([
	["closed", (socket) => void socket.once("data", () => socket.end())],
	["reset", (socket) => void socket.once("data", () => socket.resetAndDestroy())],
])("a connection %s before the handshake is done is code network", async (_how, end) => {
	// As a proxy that is just starting, or a tunnel to one that is not there.
	const server = createServer((socket) => {
		socket.on("error", () => undefined);
		end(socket);
	});
	await once(server.listen(0, "127.0.0.1"), "listening");
	onTestFinished(() => void server.close());
	const { port } = server.address() as AddressInfo;
	const { certificates } = await rig();
	const http = createHttp({ baseUrl: `https://127.0.0.1:${port}`, certificates });
	onTestFinished(() => http.close());
	await expect(http.request({ path: "/" })).rejects.toMatchObject({ code: "network" });
});

test("a kept connection that closes without an answer is no matter of certificates", async () => {
	const { http } = await rig({
		handle: (request, response) => {
			if (request.url === "/die") request.socket.destroy();
			else hello(request, response);
		},
	});
	expect(await get(http)).toBe("hello");
	await expect(http.request({ path: "/die" })).rejects.toMatchObject({ code: "network" });
});

test("a plain connection that closes without an answer is code network", async () => {
	const { http } = await rig({
		tls: false,
		handle: (request) => void request.socket.destroy(),
	});
	await expect(http.request({ path: "/" })).rejects.toMatchObject({ code: "network" });
});

test("a body that is dropped closes its connection, quietly", async () => {
	const { handle, begun } = streaming();
	const { http } = await rig({ handle });
	const response = await http.request({ path: "/stream" });
	const closed = once(begun[0] as ServerResponse, "close");
	response.body.destroy();
	await closed;
	expect(await get(http)).toBe("hello");
});

test("a loop that is left early closes the connection", async () => {
	const { handle, begun } = streaming();
	const { http } = await rig({ handle });
	const response = await http.request({ path: "/stream" });
	const closed = once(begun[0] as ServerResponse, "close");
	for await (const chunk of response.body) {
		expect(Buffer.from(chunk).toString()).toBe("first");
		break;
	}
	await closed;
});

test("a text beyond its limit is refused and its connection dropped", async () => {
	const { promise: closed, resolve } = Promise.withResolvers<void>();
	const { http } = await rig({
		handle: (request, response) => {
			if (request.url !== "/endless") return hello(request, response);
			response.once("close", resolve);
			const more = (): void => {
				while (response.write("x".repeat(16_384))) if (response.destroyed) return;
			};
			response.on("drain", more);
			more();
		},
	});
	await expect(readText(await http.request({ path: "/endless" }), 50_000)).rejects.toMatchObject({
		code: "protocol",
		message: "The server sent more than 50000 bytes",
	});
	await closed;
	expect(await get(http)).toBe("hello");
});

test("close() rejects a running stream and a waiting request", async () => {
	const { promise: arrived, resolve } = Promise.withResolvers<void>();
	const { http } = await rig({
		handle: (request, response) => {
			if (request.url === "/silent") resolve();
			else response.write("first");
		},
	});
	const chunks = await firstChunk(await http.request({ path: "/stream" }));
	const waiting = http.request({ path: "/silent" });
	const rest = restOf(chunks);
	const rejected = Promise.all([
		expect(rest).rejects.toMatchObject({ name: "AiServerError", code: "network" }),
		expect(waiting).rejects.toMatchObject({ name: "AiServerError", code: "network" }),
	]);
	await arrived;
	await http.close();
	await rejected;
});

test("after close() every request fails, and closing again is harmless", async () => {
	const { front, http } = await rig();
	await get(http);
	await http.close();
	await http.close();
	await expect(http.request({ path: "/" })).rejects.toMatchObject({
		code: "network",
		message: expect.stringContaining("closed"),
	});
	expect(front.seen).toHaveLength(1);
});

test("close() while the certificates are read ends that request too", async () => {
	const { front, certificates, baseUrl } = await rig();
	const http = createHttp({
		baseUrl,
		certificates,
		now: () => {
			void http.close(); // the files are read, the connection is not made yet
			return new Date();
		},
	});
	await expect(http.request({ path: "/" })).rejects.toMatchObject({ code: "network" });
	expect(front.seen).toEqual([]);
});

test("new certificate files count from the next request, a running stream goes on", async () => {
	const serials: string[] = [];
	const { handle, begun } = streaming();
	const { front, http, certificates } = await rig({
		handle: (request, response) => {
			serials.push(peerSerial(request));
			handle(request, response);
		},
	});
	const chunks = await firstChunk(await http.request({ path: "/stream" }));

	const renewed = await authority.client();
	await replace(certificates.cert, renewed.cert);
	await replace(certificates.key, renewed.key);
	expect(await get(http)).toBe("hello");
	expect(await get(http)).toBe("hello");
	expect(serials).toEqual([serialOf(clientIdentity), serialOf(renewed), serialOf(renewed)]);
	expect(front.connections()).toBe(2);

	begun[0]?.end(" last");
	expect(await restOf(chunks)).toBe(" last");
});

test("close() ends a stream on the connections of before the new files, too", async () => {
	const { handle } = streaming();
	const { http, certificates } = await rig({ handle });
	const chunks = await firstChunk(await http.request({ path: "/stream" }));
	await replace(certificates.ca, `${authority.ca}\n`);
	expect(await get(http)).toBe("hello");
	const rest = restOf(chunks);
	const rejected = expect(rest).rejects.toMatchObject({ code: "network" });
	await http.close();
	await rejected;
});

test("a broken new file fails the next request, until it is whole again", async () => {
	const { handle, begun } = streaming();
	const { http, certificates } = await rig({ handle });
	const chunks = await firstChunk(await http.request({ path: "/stream" }));

	await replace(certificates.cert, clientIdentity.cert.slice(0, 200));
	for (let count = 0; count < 2; count += 1) {
		await expect(http.request({ path: "/" })).rejects.toMatchObject({
			code: "tls",
			message: expect.stringContaining(certificates.cert),
		});
	}
	begun[0]?.write(" second");
	const { value } = (await chunks.next()) as IteratorYieldResult<Uint8Array>;
	expect(Buffer.from(value).toString()).toBe(" second");

	await replace(certificates.cert, clientIdentity.cert);
	expect(await get(http)).toBe("hello");
	begun[0]?.end();
	expect(await restOf(chunks)).toBe("");
});

test("files that were not there at the first request are found later", async () => {
	const { http, certificates } = await rig();
	await rm(certificates.key);
	await expect(http.request({ path: "/" })).rejects.toMatchObject({ code: "tls" });
	await writeFile(certificates.key, clientIdentity.key);
	expect(await get(http)).toBe("hello");
});

test.skipIf(process.platform === "win32")(
	"a request that is still reading its files survives their replacement",
	async () => {
		const { http, certificates } = await rig();
		await rm(certificates.key);
		execFileSync("mkfifo", [certificates.key]);
		const slow = get(http);
		slow.catch(() => undefined); // looked at below
		const pipe = await open(certificates.key, "w"); // opens when the reader is there
		await replace(certificates.key, clientIdentity.key);
		expect(await get(http)).toBe("hello"); // with the new files
		await pipe.writeFile(clientIdentity.key);
		await pipe.close();
		expect(await slow).toBe("hello");
	},
);

test("a connection opened ahead is the one that the next request uses", async () => {
	const { front, http } = await rig();
	await Promise.all([http.warm(), http.warm()]);
	expect(front.connections()).toBe(1);
	expect(front.seen.map(({ path }) => path)).toEqual(["/health"]);
	expect(await get(http)).toBe("hello");
	expect(front.connections()).toBe(1);
});

test("after an abort a spare connection is opened", async () => {
	const { handle } = streaming();
	const { front, http } = await rig({ handle });
	const controller = new AbortController();
	const response = await http.request({ path: "/stream", signal: controller.signal });
	const rest = restOf(await firstChunk(response));
	controller.abort();
	await expect(rest).rejects.toBe(controller.signal.reason);
	await expect.poll(() => front.connections()).toBe(2);
	await http.warm(); // the one that runs already
	expect(await get(http)).toBe("hello");
	expect(front.connections()).toBe(2);
});

test("new connections resume the session, also after a garbage collection", async () => {
	const resumed: boolean[] = [];
	const { front, certificates } = await rig({
		handle: (request, response) => {
			resumed.push((request.socket as TLSSocket).isSessionReused());
			response.setHeader("connection", "close").end("hello");
		},
	});
	// Where "localhost" is ::1 as well, Node tries that first, and forgets the session for the second.
	const http = createHttp({ baseUrl: `https://127.0.0.1:${front.port}`, certificates });
	onTestFinished(() => http.close());
	setFlagsFromString("--expose-gc");
	const collect = runInNewContext("gc") as () => void;
	for (let count = 0; count < 4; count += 1) {
		expect(await get(http)).toBe("hello");
		await new Promise((resolve) => setImmediate(resolve)); // weak references outlive the task
		collect();
	}
	expect(resumed).toEqual([false, true, true, true]);
});

test("opening ahead fails silently, and the request reports why", async () => {
	const { http, certificates } = await rig();
	await rm(certificates.cert);
	await expect(http.warm()).resolves.toBeUndefined();
	await expect(http.request({ path: "/" })).rejects.toMatchObject({ code: "tls" });
	await http.close();
	await expect(http.warm()).resolves.toBeUndefined();
});
