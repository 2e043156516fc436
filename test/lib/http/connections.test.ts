import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { createAuthority, writeClientFiles } from "../../../demo/authority.ts";
import { startFront } from "../../../demo/front.ts";
import { createHttp } from "../../../lib/http/client.ts";
import { readText } from "../../../lib/http/read-text.ts";
import type { WarmHttp } from "../../../lib/http/types.ts";
import { type LongLine, longLine } from "../../support/long-line.ts";

/** On a busy machine an answer may miss its trip, so that more are counted; never fewer. */
const BUSY = { retry: 4 };

interface Rig {
	readonly line: LongLine;
	readonly http: WarmHttp;
	readonly connections: () => number;
}

/** A server behind a long line; its stream sends a first piece and no end. */
async function rig(): Promise<Rig> {
	const authority = await createAuthority();
	const front = await startFront({
		tls: { ca: authority.ca, server: await authority.server() },
		prefix: "",
		handle: (request, response) => {
			if (request.url === "/stream") response.write("first");
			else response.end("hello");
		},
	});
	onTestFinished(() => front.close());
	const line = await longLine(front.port, 60);
	const folder = await mkdtemp(join(tmpdir(), "ai-server-line-"));
	onTestFinished(() => rm(folder, { recursive: true, force: true }));
	await writeClientFiles(folder, authority.ca, await authority.client());
	const http = createHttp({
		baseUrl: `https://localhost:${line.port}`,
		certificates: {
			ca: join(folder, "root-ca.pem"),
			cert: join(folder, "client.pem"),
			key: join(folder, "client-key.pem"),
		},
	});
	onTestFinished(() => http.close());
	return { line, http, connections: front.connections };
}

test("a first request is three round trips, each one after it a single one", BUSY, async () => {
	const { line, http } = await rig();
	const get = async (): Promise<string> => readText(await http.request({ path: "/" }), 100);
	expect(await line.during(get)).toBeLessThanOrEqual(3);
	expect(await line.during(get)).toBe(1);
	expect(await line.during(get)).toBe(1);
});

test("after an abort the next request is a single round trip again", BUSY, async () => {
	const { line, http, connections } = await rig();
	const controller = new AbortController();
	const { signal } = controller;
	const { body } = await http.request({ path: "/stream", signal });
	const pieces = body[Symbol.asyncIterator]();
	await pieces.next();
	controller.abort(new Error("the user pressed Escape"));
	await expect(pieces.next()).rejects.toBe(signal.reason);
	await expect.poll(connections).toBe(2);
	await http.warm(); // which runs already
	const next = async (): Promise<string> => readText(await http.request({ path: "/" }), 100);
	expect(await line.during(next)).toBe(1);
	expect(connections()).toBe(2);
});
