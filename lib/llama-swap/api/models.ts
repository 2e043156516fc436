import {
	idOf,
	type JsonRecord,
	lineOf,
	parseJson,
	recordOf,
	textOf,
	unexpected,
} from "../../json.ts";
import type { ModelKind } from "../../llama-server/servers.ts";
import { type DeclaredContext, readDeclared } from "./capabilities.ts";

/** What a listed id is, in llama-swap's words (`meta.llamaswap.type`). */
export type EntryType = "model" | "alias" | "peer" | "selector" | "profile";

/** A record of `GET /v1/models`. What it does not have is undefined. */
export interface ListedModel {
	readonly id: string;
	/** A name for people, where the config gives one. */
	readonly name: string | undefined;
	/** False only where image input is ruled out, not where nothing is known. */
	readonly images: boolean | undefined;
	readonly description?: string | undefined;
	/** v241 and later; up to v240 only peers are distinguished. */
	readonly type?: EntryType | undefined;
	/** Other ids of the same model, listed or not; setParamsByID variants among them (v241 and later). */
	readonly aliases?: readonly string[] | undefined;
	/** Of an alias: the model behind it, whose id `/running` shows. */
	readonly baseId?: string | undefined;
	/** Of a peer's model: the peer. Such a model cannot be loaded or unloaded from here. */
	readonly peer?: string | undefined;
	/** Of a selector: the models it chooses among. */
	readonly targets?: readonly string[] | undefined;
	readonly context?: DeclaredContext | undefined;
	readonly tools?: boolean | undefined;
	readonly thinking?: boolean | undefined;
	readonly kind?: ModelKind | undefined;
	/** Of a llama-server router: the words of the command that runs, or would run, this model. */
	readonly args?: readonly string[] | undefined;
}

/** States of `GET /running`; up to v217 only "ready" appears there. "unknown": no word we know. */
export type RunningState = "starting" | "ready" | "stopping" | "unknown";

/** An entry of `GET /running`. Up to v185 it has only id and state. */
export interface RunningModel {
	readonly id: string;
	readonly state: RunningState;
	/** The expanded command as llama-swap holds it: several lines, quotes and backslashes as written. */
	readonly cmd: string | undefined;
	/** Seconds without a request until it is unloaded; 0 = never. */
	readonly ttl?: number | undefined;
	readonly name?: string | undefined;
	readonly description?: string | undefined;
}

/**
 * Reads the body of `GET /v1/models`: the OpenAI list, or a bare array of it. Entries without a
 * usable id are left out. `status.value` is not read: its "loaded" covers starting and stopping.
 * Throws AiServerError "protocol" for anything that is no list.
 */
export function parseModelList(body: string): readonly ListedModel[] {
	const parsed = parseJson(body);
	const data = Array.isArray(parsed) ? parsed : recordOf(parsed)?.["data"];
	if (!Array.isArray(data)) throw unexpected("The model list", "llama-swap", body);
	return data.flatMap((entry) => {
		const record = recordOf(entry);
		const id = idOf(record?.["id"]);
		return record === undefined || id === undefined ? [] : [readListed(id, record)];
	});
}

function readListed(id: string, record: JsonRecord): ListedModel {
	const own = recordOf(recordOf(record["meta"])?.["llamaswap"]);
	const peer = lineOf(own?.["peerID"]);
	const type = typeOf(own?.["type"]) ?? (peer === undefined ? undefined : "peer");
	const aliases = idsOf(own?.["aliases"] ?? record["aliases"])?.filter((alias) => alias !== id);
	return {
		id,
		name: lineOf(record["name"]),
		description: lineOf(record["description"]),
		type,
		aliases: aliases?.length === 0 ? undefined : aliases,
		baseId: type === "alias" ? idOf(own?.["modelID"]) : undefined,
		peer,
		targets: type === "selector" ? idsOf(own?.["targets"]) : undefined,
		...readDeclared(record),
		args: argsOf(recordOf(record["status"])?.["args"]),
	};
}

/**
 * Reads the body of `GET /running`. The id is in `model`, never in `id`, on every llama-swap; `id`
 * is accepted all the same. What has stopped is left out. Throws AiServerError "protocol" for
 * anything else.
 */
export function parseRunning(body: string): readonly RunningModel[] {
	const running = recordOf(parseJson(body))?.["running"];
	if (!Array.isArray(running)) {
		throw unexpected("The list of running models", "llama-swap", body);
	}
	return running.flatMap((entry) => {
		const record = recordOf(entry);
		const id = idOf(record?.["model"]) ?? idOf(record?.["id"]);
		const state = stateOf(record?.["state"]);
		if (record === undefined || id === undefined || state === undefined) return [];
		return [
			{
				id,
				state,
				cmd: textOf(record["cmd"]),
				ttl: secondsOf(record["ttl"]),
				name: lineOf(record["name"]),
				description: lineOf(record["description"]),
			},
		];
	});
}

/** Undefined for what does not run; up to v106 stopped models were listed too. */
function stateOf(state: unknown): RunningState | undefined {
	switch (state) {
		case "starting":
		case "ready":
		case "stopping":
			return state;
		case "stopped":
		case "shutdown":
			return undefined;
		default:
			return "unknown";
	}
}

function typeOf(type: unknown): EntryType | undefined {
	switch (type) {
		case "model":
		case "alias":
		case "peer":
		case "selector":
		case "profile":
			return type;
		default:
			return undefined; // up to v240 the config's author may mean anything by it
	}
}

function idsOf(value: unknown): readonly string[] | undefined {
	return Array.isArray(value) ? value.flatMap((id) => idOf(id) ?? []) : undefined;
}

/** A command with a word missing would be another command, so it is taken whole or not at all. */
function argsOf(value: unknown): readonly string[] | undefined {
	const whole = Array.isArray(value) && value.every((word) => typeof word === "string");
	return whole && value.length > 0 ? value : undefined;
}

function secondsOf(value: unknown): number | undefined {
	return typeof value === "number" && Number.isSafeInteger(value) && value >= 0 ? value : undefined;
}
