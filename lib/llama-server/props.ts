import {
	flagOf,
	type JsonRecord,
	lineOf,
	parseJson,
	recordOf,
	textOf,
	unexpected,
	windowOf,
} from "../json.ts";

/** What llama-server found when it tried the chat template; undefined where its build does not say. */
export interface TemplateCaps {
	/** The template puts the list of tools into the prompt. */
	readonly tools: boolean | undefined;
	/** It puts earlier calls back into the prompt. */
	readonly toolCalls: boolean | undefined;
	readonly parallelToolCalls: boolean | undefined;
	/** It can keep the thoughts of earlier turns. False says nothing about thinking itself. */
	readonly preserveReasoning: boolean | undefined;
	/** It reads `reasoning_effort`. */
	readonly reasoningEffort: boolean | undefined;
	readonly systemRole: boolean | undefined;
	/** It takes content as parts, not only as a string. */
	readonly typedContent: boolean | undefined;
}

/** What a loaded llama-server says of itself at `GET /props`. No field of it says "this model thinks". */
export interface Props {
	/** Tokens that one request can have, as allocated; undefined for a router, which has no model. */
	readonly contextWindow: number | undefined;
	/** Requests that it works on at the same time. */
	readonly slots: number | undefined;
	readonly images: boolean | undefined;
	readonly audio: boolean | undefined;
	/** Jinja, as the server uses it. */
	readonly chatTemplate: string | undefined;
	readonly templateCaps: TemplateCaps | undefined;
	/** Of the GGUF file on the server, as it is there: not for a terminal. */
	readonly modelPath: string | undefined;
	readonly modelAlias: string | undefined;
	/** "b11669-Debian". */
	readonly build: string | undefined;
}

/** The longest templates in use have some 60 KB. */
const TEMPLATE_LIMIT = 512 * 1024;
const MOST_SLOTS = 4096;

/**
 * Reads the body of `GET /props`, or of `/upstream/<id>/props`. Throws AiServerError "protocol" for
 * what is not llama-server's: other servers behind llama-swap may answer any path with some JSON.
 */
export function parseProps(body: string): Props {
	const record = recordOf(parseJson(body));
	const settings = recordOf(record?.["default_generation_settings"]);
	if (record === undefined || settings === undefined) {
		throw unexpected("The page of the model's properties", "llama-server", body);
	}
	const modalities = recordOf(record["modalities"]);
	return {
		contextWindow: windowOf(settings["n_ctx"]),
		slots: slotsOf(record["total_slots"]),
		images: flagOf(modalities?.["vision"]),
		audio: flagOf(modalities?.["audio"]),
		chatTemplate: templateOf(record["chat_template"]),
		templateCaps: capsOf(recordOf(record["chat_template_caps"])),
		modelPath: textOf(record["model_path"]),
		modelAlias: lineOf(record["model_alias"]),
		build: lineOf(record["build_info"]),
	};
}

function capsOf(caps: JsonRecord | undefined): TemplateCaps | undefined {
	if (caps === undefined) return undefined;
	const supports = (name: string): boolean | undefined => flagOf(caps[`supports_${name}`]);
	return {
		tools: supports("tools"),
		toolCalls: supports("tool_calls"),
		parallelToolCalls: supports("parallel_tool_calls"),
		preserveReasoning: supports("preserve_reasoning"),
		reasoningEffort: supports("reasoning_effort"),
		systemRole: supports("system_role"),
		typedContent: supports("typed_content"),
	};
}

function templateOf(value: unknown): string | undefined {
	const template = textOf(value);
	return template === undefined || template.length > TEMPLATE_LIMIT ? undefined : template;
}

function slotsOf(value: unknown): number | undefined {
	const sane =
		typeof value === "number" && Number.isInteger(value) && value >= 1 && value <= MOST_SLOTS;
	return sane ? value : undefined;
}
