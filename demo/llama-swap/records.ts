import type { ModelConfig, SwapConfig } from "./config-file.ts";
import type { State } from "./scheduler.ts";

/** A record of GET /v1/models. Starting and stopping count as loaded, as in llama-swap itself. */
export function modelRecords(
	{ models, includeAliasesInList }: SwapConfig,
	stateOf: (id: string) => State,
): readonly object[] {
	const listed = models.filter(({ unlisted }) => !unlisted);
	const records = listed.flatMap((model) => {
		const loaded = stateOf(model.id) === "stopped" ? "unloaded" : "loaded";
		const names = includeAliasesInList ? model.aliases : [];
		return [
			toRecord(model, model.id, loaded, {
				...(model.aliases.length === 0 ? {} : { aliases: model.aliases }),
				type: "model",
			}),
			...names.map((alias) => toRecord(model, alias, loaded, { modelID: model.id, type: "alias" })),
		];
	});
	return records.toSorted((a, b) => (a.id < b.id ? -1 : 1));
}

interface ModelRecord {
	readonly id: string;
	readonly [field: string]: unknown;
}

function toRecord(
	{ name, description, capabilities, metadata }: ModelConfig,
	id: string,
	status: "loaded" | "unloaded",
	own: Readonly<Record<string, unknown>>,
): ModelRecord {
	const context = capabilities?.context;
	const inputs = capabilities?.in ?? [];
	const outputs = capabilities?.out ?? [];
	const flags = {
		...(inputs.includes("image") ? { vision: true } : {}),
		...(capabilities?.tools === true ? { function_calling: true } : {}),
	};
	const modality = `${inputs.join("+")}->${outputs.join("+")}`;
	return {
		id,
		object: "model",
		created: Math.floor(Date.now() / 1000),
		owned_by: "llama-swap",
		...(name.trim() === "" ? {} : { name: name.trim() }),
		...(description.trim() === "" ? {} : { description: description.trim() }),
		...(inputs.length + outputs.length === 0
			? {}
			: { architecture: { input_modalities: inputs, modality, output_modalities: outputs } }),
		...(Object.keys(flags).length === 0 ? {} : { capabilities: flags }),
		...(context === undefined ? {} : { context_length: context }),
		meta: {
			llamaswap: { ...withoutDeclared(metadata, capabilities !== undefined), ...own },
			...(context === undefined ? {} : { n_ctx: context }),
		},
		status: { value: status },
		...(capabilities?.tools === true ? { supported_parameters: ["tools", "tool_choice"] } : {}),
	};
}

/** With a capabilities block, metadata of the same names is dropped. */
function withoutDeclared(
	metadata: Readonly<Record<string, unknown>> | undefined,
	declared: boolean,
): Readonly<Record<string, unknown>> {
	const names = ["architecture", "capabilities", "supported_parameters", "context_length"];
	return Object.fromEntries(
		Object.entries(metadata ?? {}).filter(([name]) => !declared || !names.includes(name)),
	);
}

/** The entries of GET /running: every model that is not stopped. */
export function runningRecords(
	{ models }: SwapConfig,
	stateOf: (id: string) => State,
): readonly object[] {
	return models.flatMap(({ id, cmd, port, ttl, name, description }) => {
		const state = stateOf(id);
		const proxy = `http://localhost:${port}`;
		return state === "stopped" ? [] : [{ model: id, state, cmd, proxy, ttl, name, description }];
	});
}
