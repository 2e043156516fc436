import { flagOf, parseJson, recordOf, textOf, unexpected, windowOf } from "../json.ts";

/** What a loaded llama-server reports at `GET /props`. No field of it says "this model thinks". */
export interface Props {
	/** Tokens that one request can have, as allocated; undefined for a router, which has no model. */
	readonly contextWindow: number | undefined;
	/** Requests that it works on at the same time. */
	readonly slots: number | undefined;
	readonly images: boolean | undefined;
	/** Jinja, as the server uses it. */
	readonly chatTemplate: string | undefined;
	/** Whether the template puts the list of tools into the prompt; undefined for older builds. */
	readonly tools: boolean | undefined;
}

/** The longest templates in use have some 60 KB. */
const MAX_TEMPLATE = 512 * 1024;
const MAX_SLOTS = 4096;

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
	return {
		contextWindow: windowOf(settings["n_ctx"]),
		slots: slotsOf(record["total_slots"]),
		images: flagOf(recordOf(record["modalities"])?.["vision"]),
		chatTemplate: templateOf(record["chat_template"]),
		tools: flagOf(recordOf(record["chat_template_caps"])?.["supports_tools"]),
	};
}

function templateOf(value: unknown): string | undefined {
	const template = textOf(value);
	return template === undefined || template.length > MAX_TEMPLATE ? undefined : template;
}

function slotsOf(value: unknown): number | undefined {
	const sane =
		typeof value === "number" && Number.isInteger(value) && value >= 1 && value <= MAX_SLOTS;
	return sane ? value : undefined;
}
