import { idOf, type JsonRecord, lineOf, parseJson, recordOf } from "../../json.ts";
import { createEventReader } from "../../sse.ts";
import { type Activity, readActivity } from "./activity.ts";
import { type InFlight, nextInFlight } from "./in-flight.ts";
import type { RunningState } from "./models.ts";

/** A model in `GET /api/events`, which lists every one that is configured, running or not. */
export interface ModelStatus {
	readonly id: string;
	readonly name: string | undefined;
	readonly description: string | undefined;
	/** "unknown" for a peer's model. */
	readonly state: RunningState | "stopped";
	readonly aliases: readonly string[];
	/** True for a model that `/v1/models` leaves out. */
	readonly unlisted: boolean;
	/** The server that has it, where llama-swap only passes requests on. */
	readonly peer: string | undefined;
}

export type LogSource = "proxy" | "upstream";

/** What a server reports by its events, whatever its version. */
export type ServerEvent =
	/** All models, after every change of a state; the same list may come twice. */
	| { readonly kind: "models"; readonly models: readonly ModelStatus[] }
	/** All requests under way, after every change. */
	| { readonly kind: "in-flight"; readonly inFlight: InFlight }
	/** A piece of a log, which may end within a line. History is all there is until now. */
	| {
			readonly kind: "log";
			readonly source: LogSource;
			readonly text: string;
			readonly history: boolean;
	  }
	/** Finished requests, up to v235. History is all of them until now. */
	| {
			readonly kind: "activity";
			readonly entries: readonly Activity[];
			readonly history: boolean;
	  }
	/** A finished request, from v236 on: its entry is to be asked for. */
	| { readonly kind: "activity-added"; readonly id: number }
	/** The profile that is active now (v241 and later). */
	| { readonly kind: "profile"; readonly active: string | undefined }
	/** A changed config is in use, and the models of the old one are gone (v218 and later). */
	| { readonly kind: "config-reloaded" }
	/** A changed config that llama-swap does not take over; `line` is its log's (v218 and later). */
	| { readonly kind: "config-rejected"; readonly line: string };

/** An unfinished line of the log, as far as it can matter. */
const MAX_LINE = 64 * 1024;

/** Turns the messages of one stream into events. What comes before the models is of the past. */
export function createEventParser(): (message: string) => readonly ServerEvent[] {
	let begun = false;
	let hasActivity = false;
	let inFlight: InFlight | undefined;
	let line = "";

	/** Pieces of the log break anywhere, so a line counts when its end is there. */
	const reloads = (text: string): readonly ServerEvent[] => {
		const lines = (line + text).split("\n");
		line = (lines.pop() ?? "").slice(-MAX_LINE);
		return lines.flatMap((whole) => readReload(whole) ?? []);
	};
	const logOf = (data: JsonRecord | undefined): readonly ServerEvent[] => {
		const { source, data: text } = data ?? {};
		if ((source !== "proxy" && source !== "upstream") || typeof text !== "string") return [];
		const piece = { kind: "log", source, text, history: !begun } as const;
		return begun && source === "proxy" ? [piece, ...reloads(text)] : [piece];
	};

	return (message) => {
		const envelope = recordOf(parseJson(message));
		const inner = envelope?.["data"];
		const data = typeof inner === "string" ? parseJson(inner) : undefined;
		switch (envelope?.["type"]) {
			case "modelStatus": {
				if (!Array.isArray(data)) return [];
				begun = true;
				return [{ kind: "models", models: data.flatMap((entry) => readStatus(entry) ?? []) }];
			}
			case "logData":
				return logOf(recordOf(data));
			case "inflight": {
				const next = nextInFlight(inFlight, recordOf(data));
				inFlight = next ?? inFlight;
				return next === undefined ? [] : [{ kind: "in-flight", inFlight: next }];
			}
			case "metrics": {
				if (!Array.isArray(data)) return [];
				const entries = data.flatMap((entry) => readActivity(entry) ?? []);
				const history = !hasActivity;
				hasActivity = true;
				return [{ kind: "activity", entries, history }];
			}
			case "activity": {
				const id = recordOf(data)?.["id"];
				return typeof id === "number" ? [{ kind: "activity-added", id }] : [];
			}
			case "profileChanged": {
				const profile = recordOf(data);
				return profile === undefined ? [] : [{ kind: "profile", active: idOf(profile["active"]) }];
			}
			default:
				return []; // of a version to come, or of no use here
		}
	};
}

/** What a line of the proxy's log reports about its config. */
function readReload(line: string): ServerEvent | undefined {
	if (/\[INFO\] configuration reloaded$/.test(line)) return { kind: "config-reloaded" };
	const found = /failed to reload config.*/i.exec(line)?.[0];
	return found === undefined ? undefined : { kind: "config-rejected", line: found };
}

function readStatus(entry: unknown): ModelStatus | undefined {
	const record = recordOf(entry);
	const id = idOf(record?.["id"]);
	if (record === undefined || id === undefined) return undefined;
	const aliases: readonly unknown[] = Array.isArray(record["aliases"]) ? record["aliases"] : [];
	return {
		id,
		name: lineOf(record["name"]),
		description: lineOf(record["description"]),
		state: stateOf(record["state"]),
		aliases: aliases.flatMap((alias) => idOf(alias) ?? []),
		unlisted: record["unlisted"] === true,
		peer: lineOf(record["peerID"]),
	};
}

function stateOf(state: unknown): ModelStatus["state"] {
	switch (state) {
		case "stopped":
		case "starting":
		case "ready":
		case "stopping":
			return state;
		case "shutdown":
			return "stopped";
		default:
			return "unknown";
	}
}

/** The events of a body until it ends. Throws what the body throws. */
export async function* readServerEvents(
	body: AsyncIterable<Uint8Array>,
): AsyncGenerator<ServerEvent> {
	const reader = createEventReader();
	const parse = createEventParser();
	for await (const bytes of body) {
		for (const message of reader.feed(bytes)) yield* parse(message);
	}
}
