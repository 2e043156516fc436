import { parseJson, recordOf } from "../../json.ts";
import { createEventReader } from "../../sse.ts";

/** Requests that models are answering, or that wait for one. */
export interface InFlight {
	readonly total: number;
	/** By model id; empty up to v234, which count them all together. */
	readonly byModel: ReadonlyMap<string, number>;
}

/** A message of `GET /api/events`, as far as it is of use here. */
export type ServerEvent =
	| { readonly kind: "proxy-log"; readonly text: string }
	/** The states of all models. The first one ends what comes at once: logs of the past. */
	| { readonly kind: "models" }
	| { readonly kind: "in-flight"; readonly requests: InFlight };

/** Undefined for a message of another kind, or one that is not understood. */
export function parseServerEvent(text: string): ServerEvent | undefined {
	const message = recordOf(parseJson(text));
	const inner = typeof message?.["data"] === "string" ? parseJson(message["data"]) : undefined;
	const data = recordOf(inner);
	switch (message?.["type"]) {
		case "modelStatus":
			return { kind: "models" };
		case "logData":
			if (data?.["source"] !== "proxy" || typeof data["data"] !== "string") return undefined;
			return { kind: "proxy-log", text: data["data"] };
		case "inflight": {
			const requests = inFlightOf(data);
			return requests === undefined ? undefined : { kind: "in-flight", requests };
		}
		default:
			return undefined;
	}
}

/** v192 sends a number, v235 a list, v240 a list that it leaves out when it is empty. */
function inFlightOf(data: Readonly<Record<string, unknown>> | undefined): InFlight | undefined {
	const total = data?.["total"];
	if (typeof total === "number") return { total, byModel: new Map() };
	const { operation, requests } = data ?? {};
	if (operation !== undefined && operation !== "snapshot") return undefined;
	if (!Array.isArray(requests) && operation === undefined) return undefined;
	const byModel = new Map<string, number>();
	const list: readonly unknown[] = Array.isArray(requests) ? requests : [];
	for (const request of list) {
		const id = recordOf(request)?.["model"];
		if (typeof id === "string") byModel.set(id, (byModel.get(id) ?? 0) + 1);
	}
	return { total: list.length, byModel };
}

/** The messages of a body until it ends. Throws what the body throws. */
export async function* readServerEvents(
	body: AsyncIterable<Uint8Array>,
): AsyncGenerator<ServerEvent> {
	const reader = createEventReader();
	for await (const bytes of body) {
		for (const text of reader.feed(bytes)) {
			const event = parseServerEvent(text);
			if (event !== undefined) yield event;
		}
	}
}

/** What llama-swap did about a changed config. */
export type ReloadOutcome =
	/** Its event stream ended, as it does when a new config or a new process takes over. */
	| { readonly kind: "ended" }
	/** It keeps the old config; `line` is its log's. */
	| { readonly kind: "rejected"; readonly line: string }
	| { readonly kind: "silent" };

/** Looks for the end of a stream of events, or the line in the log that says why it does not come. */
export async function awaitReload(
	events: AsyncIterable<ServerEvent>,
	onReady: () => void,
): Promise<ReloadOutcome> {
	let ready = false;
	let log = "";
	try {
		for await (const event of events) {
			if (event.kind === "models" && !ready) {
				ready = true;
				onReady();
			}
			// Pieces of the log break anywhere, so a line counts when its end is there.
			if (event.kind === "proxy-log" && ready) log = (log + event.text).slice(-LOG_LIMIT);
			const line = /(failed to reload config[^\n]*)\n/i.exec(log)?.[1];
			if (line !== undefined) return { kind: "rejected", line };
		}
	} catch {
		// A proxy that loses its server cuts the stream; whether it took over shows in /running.
	}
	return ready ? { kind: "ended" } : { kind: "silent" };
}

const LOG_LIMIT = 64 * 1024;
