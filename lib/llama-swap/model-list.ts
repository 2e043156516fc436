import { AiServerError, plainText } from "../errors.ts";

/** A record of `GET /v1/models`, as far as we use it. */
export interface ListedModel {
	readonly id: string;
	/** A name for people, where the config gives one. */
	readonly name: string | undefined;
	/** True when the server declares image input (llama-swap v225 and later). */
	readonly images: boolean;
}

/** States of `GET /running`; up to v217 only "ready" appears there. */
export type RunningState = "starting" | "ready" | "stopping";

/** An entry of `GET /running`. */
export interface RunningModel {
	readonly id: string;
	readonly state: RunningState;
	/** The expanded command, v186 and later. */
	readonly cmd: string | undefined;
}

/**
 * Reads the body of `GET /v1/models`: the OpenAI list, or a bare array of it. Entries without a
 * usable id are left out. Throws AiServerError "protocol" for anything that is no list.
 */
export function parseModelList(body: string): readonly ListedModel[] {
	const parsed = parse(body);
	const data = Array.isArray(parsed) ? parsed : recordOf(parsed)?.["data"];
	if (!Array.isArray(data)) throw unexpected("The model list", body);
	return data.flatMap((entry) => {
		const record = recordOf(entry);
		const id = textOf(record?.["id"]);
		// An id that a terminal would take for a command could neither be shown nor typed.
		if (record === undefined || id === undefined || plainText(id) !== id || /[\t\n]/.test(id)) {
			return [];
		}
		const name = textOf(record["name"]);
		const images = declaresImages(record);
		return [{ id, name: name === undefined ? undefined : plainText(name), images }];
	});
}

/**
 * Reads the body of `GET /running`. The id is in `model`, never in `id`, on every llama-swap; `id`
 * is accepted all the same. Throws AiServerError "protocol" for anything else.
 */
export function parseRunning(body: string): readonly RunningModel[] {
	const running = recordOf(parse(body))?.["running"];
	if (!Array.isArray(running)) throw unexpected("The list of running models", body);
	return running.flatMap((entry) => {
		const record = recordOf(entry);
		const id = textOf(record?.["model"]) ?? textOf(record?.["id"]);
		if (record === undefined || id === undefined) return [];
		return [{ id, state: stateOf(record["state"]), cmd: textOf(record["cmd"]) }];
	});
}

function declaresImages(record: Readonly<Record<string, unknown>>): boolean {
	if (recordOf(record["capabilities"])?.["vision"] === true) return true;
	const modalities = recordOf(record["architecture"])?.["input_modalities"];
	return Array.isArray(modalities) && modalities.includes("image");
}

function stateOf(state: unknown): RunningState {
	return state === "starting" || state === "stopping" ? state : "ready";
}

function parse(body: string): unknown {
	try {
		return JSON.parse(body);
	} catch {
		return undefined;
	}
}

function unexpected(what: string, body: string): AiServerError {
	const start = plainText(body).replace(/\s+/g, " ").trim().slice(0, 60);
	const quote = start === "" ? "nothing" : `"${start}${body.length > 60 ? "..." : ""}"`;
	return new AiServerError("protocol", `${what} is not what llama-swap sends, but ${quote}`, {
		hint: "Check that AI_SERVER_URL leads to llama-swap and not to some other page",
	});
}

function recordOf(value: unknown): Readonly<Record<string, unknown>> | undefined {
	return typeof value === "object" && value !== null && !Array.isArray(value)
		? (value as Record<string, unknown>)
		: undefined;
}

function textOf(value: unknown): string | undefined {
	return typeof value === "string" && value !== "" ? value : undefined;
}
