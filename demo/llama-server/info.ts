import type { ModelConfig } from "../llama-swap/config-file.ts";
import { contextOf, pathOf, slotCount } from "./launch.ts";
import recorded from "./props.json" with { type: "json" };

/** What the demo's models were trained for, in tokens. */
const TRAINED = 32_768;

/** Tokens that one request may use: the context divided among the slots, rounded up to 256. */
export function windowOf(model: ModelConfig): number {
	const size = contextOf(model) ?? TRAINED;
	return Math.ceil(size / slotCount(model) / 256) * 256;
}

/** GET /props: a recorded answer with this model's own numbers. */
export function propsOf(model: ModelConfig): object {
	const settings = { ...recorded.default_generation_settings, n_ctx: windowOf(model) };
	return {
		...recorded,
		default_generation_settings: settings,
		total_slots: slotCount(model),
		model_alias: pathOf(model),
		model_path: pathOf(model),
	};
}

export function slotsOf(model: ModelConfig): readonly object[] {
	return Array.from({ length: slotCount(model) }, (_, id) => ({
		id,
		n_ctx: windowOf(model),
		speculative: false,
		is_processing: false,
	}));
}

export function modelsOf(model: ModelConfig): object {
	const path = pathOf(model);
	const ollamaEntry = {
		name: path,
		model: path,
		modified_at: "",
		size: "",
		digest: "",
		type: "model",
		description: "",
		tags: [""],
		capabilities: ["completion"],
		parameters: "",
		details: {
			parent_model: "",
			format: "gguf",
			family: "",
			families: [""],
			parameter_size: "",
			quantization_level: "",
		},
	};
	const entry = {
		id: path,
		aliases: [path],
		tags: [],
		object: "model",
		architecture: { input_modalities: ["text"], output_modalities: ["text"] },
		created: Math.floor(Date.now() / 1000),
		owned_by: "llamacpp",
		meta: {
			vocab_type: 2,
			n_vocab: 512,
			n_ctx: windowOf(model),
			n_ctx_train: TRAINED,
			n_embd: 512,
			n_params: 2_820_608,
			size: 5_646_336,
			ftype: "F16",
		},
	};
	return { models: [ollamaEntry], object: "list", data: [entry] };
}
