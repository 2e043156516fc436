// Connections with a client certificate: `connections.ts <task> <tls origin> <plain origin> <folder>`.

import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { createHttp } from "../lib/http/client.ts";
import { readText } from "../lib/http/read-text.ts";
import { firstEvents } from "./extension/first-events.ts";
import { barePool, bareReader, CONTEXT, eventReader, modelOf, ownStream } from "./readers.ts";

const [task = "", origin = "", plain = "", folder = ""] = process.argv.slice(2);
const certificates = {
	ca: join(folder, "root-ca.pem"),
	cert: join(folder, "client.pem"),
	key: join(folder, "client-key.pem"),
};
const IDLE_MS = 60_000;
const NEW_CONNECTIONS = 20;
const ABORTS = 15;

/** Part of the new connections, after the first, that resumed a session, 0 to 1. */
async function resumed(): Promise<{ readonly part: number }> {
	const http = createHttp({ baseUrl: origin, certificates });
	let count = 0;
	for (let turn = 0; turn <= NEW_CONNECTIONS; turn += 1) {
		globalThis.gc?.(); // undici's own cache forgets its sessions here
		const response = await http.request(chat("closing"));
		await readText(response, 10_000);
		if (response.headers["x-resumed"] === "true" && turn > 0) count += 1;
	}
	await http.close();
	return { part: count / NEW_CONNECTIONS };
}

/** 1 when a request after the pause went over the connection of the one before it. */
async function idle(): Promise<{ readonly alive: number }> {
	const http = createHttp({ baseUrl: origin, certificates });
	const ask = async (): Promise<string | undefined> => {
		const response = await http.request(chat("text-1"));
		await readText(response, 10_000);
		return response.headers["x-connection"];
	};
	const before = await ask();
	await sleep(IDLE_MS);
	const after = await ask();
	await http.close();
	return { alive: before !== undefined && before === after ? 1 : 0 };
}

/** Median milliseconds from an abort to the terminal event, and until the server sees it. */
async function abort(): Promise<{ readonly client: number; readonly server: number }> {
	const stream = ownStream({ baseUrl: origin, certificates });
	const told: number[] = [];
	const seen: number[] = [];
	for (let turn = 0; turn < ABORTS; turn += 1) {
		const controller = new AbortController();
		const mark = `abort-${process.pid}-${turn}`;
		const options = { signal: controller.signal, headers: { "x-mark": mark } };
		let aborted = 0n;
		let deltas = 0;
		for await (const event of stream(modelOf("text-5000-paced"), CONTEXT, options)) {
			if (event.type === "error") told.push(millisecondsSince(aborted, process.hrtime.bigint()));
			if (!event.type.endsWith("_delta")) continue;
			deltas += 1;
			if (deltas !== 20) continue;
			aborted = process.hrtime.bigint();
			controller.abort();
		}
		seen.push(millisecondsSince(aborted, await closedAt(mark)));
	}
	return { client: median(told), server: median(seen) };
}

async function closedAt(mark: string): Promise<bigint> {
	const http = createHttp({ baseUrl: plain });
	try {
		for (let look = 0; look < 200; look += 1) {
			const text = await readText(await http.request({ path: `/closed/${mark}` }), 100);
			if (text !== "") return BigInt(text);
			await sleep(5);
		}
		throw new Error("The server never saw the abort");
	} finally {
		await http.close();
	}
}

async function first(): Promise<Readonly<Record<string, number>>> {
	const [ca, cert, key] = await Promise.all(
		[certificates.ca, certificates.cert, certificates.key].map((path) => readFile(path)),
	);
	const pool = barePool(origin, { ca, cert, key });
	return firstEvents({
		bare: bareReader(pool),
		ours: eventReader(ownStream({ baseUrl: origin, certificates })),
	});
}

function chat(model: string) {
	return {
		method: "POST",
		path: "/v1/chat/completions",
		body: JSON.stringify({ model }),
	} as const;
}

function millisecondsSince(start: bigint, end: bigint): number {
	return Number(end - start) / 1e6;
}

function median(values: readonly number[]): number {
	return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0;
}

const TASKS: Readonly<Record<string, () => Promise<object>>> = { resumed, idle, abort, first };
const found = await TASKS[task]?.();
process.stdout.write(JSON.stringify(found), () => process.exit(0));
