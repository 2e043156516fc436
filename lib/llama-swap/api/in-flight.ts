import { type JsonRecord, lineOf, recordOf, textOf } from "../../json.ts";

/** A request that a model is answering, or that waits for one. What a version does not report is undefined. */
export interface InFlightRequest {
	readonly id: string;
	/** As the client wrote it: an alias stays one. */
	readonly model: string | undefined;
	readonly path: string | undefined;
	/** Milliseconds since 1970, by the server's clock. */
	readonly startedAt: number | undefined;
	/** v240 and later, as all below. */
	readonly elapsedMs: number | undefined;
	/** Bytes of the answer so far; 0 while the request waits. */
	readonly responseBytes: number | undefined;
	readonly clientAddress: string | undefined;
	readonly userAgent: string | undefined;
}

/** How many requests are under way at one moment. */
export interface RequestCounts {
	readonly total: number;
	/** By model id; empty up to v234, which count them all together. */
	readonly byModel: ReadonlyMap<string, number>;
}

/** The requests under way at one moment. */
export interface InFlight extends RequestCounts {
	/** Empty up to v234. */
	readonly requests: readonly InFlightRequest[];
}

/**
 * What an "inflight" message makes of the requests known before. v192 sends a number, v235 the whole
 * list, v240 a list that it leaves out when it is empty, and then single changes. Undefined for a
 * message that is not understood, and for a change of a list that is not known.
 */
export function nextInFlight(
	known: InFlight | undefined,
	data: JsonRecord | undefined,
): InFlight | undefined {
	const total = data?.["total"];
	if (typeof total === "number") return { total, byModel: new Map(), requests: [] };
	const { operation, requests, request, id } = data ?? {};
	switch (operation) {
		case undefined:
			return Array.isArray(requests) ? inFlightOf(readRequests(requests)) : undefined;
		case "snapshot":
			return inFlightOf(Array.isArray(requests) ? readRequests(requests) : []);
		case "upsert": {
			const changed = readRequest(request);
			if (known === undefined || changed === undefined) return undefined;
			const at = known.requests.findIndex((other) => other.id === changed.id);
			return inFlightOf(at < 0 ? [...known.requests, changed] : known.requests.with(at, changed));
		}
		case "remove":
			return known && inFlightOf(known.requests.filter((other) => other.id !== String(id)));
		default:
			return undefined;
	}
}

function inFlightOf(requests: readonly InFlightRequest[]): InFlight {
	const byModel = new Map<string, number>();
	for (const { model } of requests) {
		if (model !== undefined) byModel.set(model, (byModel.get(model) ?? 0) + 1);
	}
	return { total: requests.length, byModel, requests };
}

function readRequests(list: readonly unknown[]): readonly InFlightRequest[] {
	return list.flatMap((entry) => readRequest(entry) ?? []);
}

function readRequest(entry: unknown): InFlightRequest | undefined {
	const record = recordOf(entry);
	const id = record?.["id"];
	if (record === undefined || (typeof id !== "string" && typeof id !== "number")) return undefined;
	const started = Date.parse(textOf(record["timestamp"]) ?? "");
	return {
		id: String(id),
		model: textOf(record["model"]),
		path: lineOf(record["req_path"]),
		startedAt: Number.isNaN(started) ? undefined : started,
		elapsedMs: countOf(record["elapsed_ms"]),
		responseBytes: countOf(record["resp_bytes"]),
		clientAddress: lineOf(record["remote_ip"]),
		userAgent: lineOf(recordOf(record["req_headers"])?.["User-Agent"]),
	};
}

function countOf(value: unknown): number | undefined {
	return typeof value === "number" && value >= 0 ? value : undefined;
}
