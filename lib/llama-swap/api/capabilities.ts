import { flagOf, type JsonRecord, recordOf, windowOf } from "../../json.ts";
import type { ModelKind } from "../../llama-server/servers.ts";

/** A context window that a model list names. */
export interface DeclaredContext {
	/** Tokens. */
	readonly tokens: number;
	/** The field of the record that has it. */
	readonly field: "context_length" | "max_model_len" | "meta.n_ctx" | `meta.llamaswap.${string}`;
	/** True for what the model's server itself has allocated, false for what a config declares. */
	readonly measured: boolean;
}

/** What a record of `GET /v1/models` declares of the model's abilities; undefined where it does not. */
export interface Declared {
	readonly context: DeclaredContext | undefined;
	readonly images: boolean | undefined;
	readonly tools: boolean | undefined;
	readonly thinking: boolean | undefined;
	readonly kind: ModelKind | undefined;
}

/**
 * Reads the declarations of a record. llama-swap derives its own fields from the config's
 * `capabilities` (v225 and later); before that, and in addition, users write what they know into
 * `metadata`, which is `meta.llamaswap` here and less trusted.
 */
export function readDeclared(record: JsonRecord): Declared {
	const capabilities = recordOf(record["capabilities"]) ?? {};
	const architecture = recordOf(record["architecture"]);
	const inputs = wordsOf(architecture?.["input_modalities"]);
	const outputs = wordsOf(architecture?.["output_modalities"]);
	const parameters = wordsOf(record["supported_parameters"]);
	const metadata = recordOf(recordOf(record["meta"])?.["llamaswap"]) ?? {};
	return {
		context: contextOf(record, metadata),
		images:
			// llama-swap lists true flags only: a missing one proves nothing, a list without it does.
			flagOf(capabilities["vision"]) ?? inputs?.includes("image") ?? flagOf(metadata["vision"]),
		tools:
			flagOf(capabilities["function_calling"]) ??
			parameters?.includes("tools") ??
			flagOf(metadata["function_calling"]) ??
			flagOf(metadata["tools"]),
		thinking: flagOf(metadata["reasoning"]) ?? flagOf(metadata["thinking"]),
		kind: kindOf(capabilities, metadata, inputs, outputs),
	};
}

/** Names that users give the window in `metadata`, commonest first. */
const METADATA_WINDOWS = ["n_ctx", "context_length", "context_window", "ctx", "max_model_len"];

function contextOf(record: JsonRecord, metadata: JsonRecord): DeclaredContext | undefined {
	const allocated = windowOf(recordOf(record["meta"])?.["n_ctx"]);
	if (record["owned_by"] === "llamacpp") {
		// llama-server's `context_length`, like `meta.n_ctx_train`, is what the model was trained for.
		if (allocated === undefined) return undefined;
		return { tokens: allocated, field: "meta.n_ctx", measured: true };
	}
	// vLLM and SGLang; llama-swap has no such field.
	const served = windowOf(record["max_model_len"]);
	if (served !== undefined) return { tokens: served, field: "max_model_len", measured: true };
	const declared = windowOf(record["context_length"]);
	if (declared !== undefined) {
		return { tokens: declared, field: "context_length", measured: false };
	}
	if (allocated !== undefined) return { tokens: allocated, field: "meta.n_ctx", measured: false };
	for (const key of METADATA_WINDOWS) {
		const tokens = windowOf(metadata[key]);
		if (tokens !== undefined) return { tokens, field: `meta.llamaswap.${key}`, measured: false };
	}
	return undefined;
}

function kindOf(
	capabilities: JsonRecord,
	metadata: JsonRecord,
	inputs: readonly string[] | undefined,
	outputs: readonly string[] | undefined,
): ModelKind | undefined {
	const gives = (output: string): boolean => outputs?.includes(output) === true;
	const can = (name: string): boolean => capabilities[name] === true;
	const marked = (name: string): boolean => can(name) || metadata[name] === true;
	if (marked("reranker")) return "reranker";
	if (marked("embedding") || marked("embeddings")) return "embedding";
	if (gives("embedding") || gives("embeddings")) return "embedding";
	if (gives("text")) {
		if (inputs === undefined || inputs.includes("text")) return "chat";
		return inputs.includes("audio") ? "audio" : undefined;
	}
	// Not from metadata: there "image" or "audio" may as well mean what the model can read.
	if (gives("image") || can("image_generation") || can("image_to_image")) return "image";
	if (gives("audio") || can("audio_speech") || can("audio_transcriptions")) return "audio";
	return undefined;
}

/** The words of a list; undefined for no list and for an empty one, which declares nothing. */
function wordsOf(value: unknown): readonly string[] | undefined {
	if (!Array.isArray(value)) return undefined;
	const words = value.filter((word) => typeof word === "string");
	return words.length === 0 ? undefined : words;
}
