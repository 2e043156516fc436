import {
	extractCtxFromRunningCmd,
	type LaunchOptions,
	readLaunch,
} from "../../llama-server/launch.ts";
import { plainText } from "../../text.ts";
import { ConfigDocument } from "./document.ts";
import { type ExpandedModel, expandConfig } from "./expanded.ts";
import { type Routing, readRouting } from "./routing.ts";
import { asMap, asText, asTexts, asWholeNumber } from "./yaml-values.ts";

/** llama-swap's config.yaml, as far as a client can use it. */
export interface SwapConfig {
	/** In the order of the file. */
	readonly models: ReadonlyMap<string, SwapModel>;
	/** The model behind an alias or variant. */
	readonly aliases: ReadonlyMap<string, string>;
	/** The targets of each id that is a choice among models. */
	readonly selectors: ReadonlyMap<string, readonly string[]>;
	readonly routing: Routing;
}

export interface SwapModel {
	readonly id: string;
	/** A name for people, where the config gives one. */
	readonly name: string | undefined;
	readonly description: string | undefined;
	/** Macros put in and comment lines dropped, as in `/running`. */
	readonly cmd: string;
	/** `K=V` entries. */
	readonly env: readonly string[];
	readonly aliases: readonly string[];
	/** Further ids for the same process with other parameters: keys of `filters.setParamsByID`. */
	readonly variants: readonly string[];
	/** Seconds, the global one put in; 0: never unloaded by time. */
	readonly ttl: number;
	readonly launch: LaunchOptions;
}

/**
 * Reads llama-swap's config.yaml as llama-swap loads it: macros put in (the model's own before the
 * global ones), anchors and merge keys followed, defaults filled in. It is more lenient where
 * llama-swap would refuse the file: what has an unusable type counts as absent, an unknown macro
 * or `${env.X}` stays as text. Throws AiServerError "config", with line and column where the file
 * is not YAML, and nothing else.
 */
export function parseConfig(yaml: string): SwapConfig {
	const { models, aliases, section } = expandConfig(new ConfigDocument(yaml, "lenient"));
	const globalTtl = seconds(section("globalTTL")) ?? 0;
	return {
		models: new Map(Array.from(models, ([id, model]) => [id, readModel(model, globalTtl)])),
		aliases,
		selectors: new Map(
			Array.from(asMap(section("selectors")) ?? [], ([id, selector]) => [
				id,
				asTexts(asMap(selector)?.get("targets")),
			]),
		),
		routing: readRouting(section, [...models.keys()]),
	};
}

/**
 * Context size by model id, as the commands of llama-swap's config.yaml ask for it, in tokens for
 * all slots together. Models without a readable size are left out. Throws as parseConfig does.
 */
export function parseCtxMapFromYaml(yaml: string): ReadonlyMap<string, number> {
	const sizes = new Map<string, number>();
	for (const [id, { cmd }] of parseConfig(yaml).models) {
		const size = extractCtxFromRunningCmd(cmd);
		if (size !== undefined) sizes.set(id, size);
	}
	return sizes;
}

function readModel(
	{ id, fields, cmd, env, aliases, variants }: ExpandedModel,
	globalTtl: number,
): SwapModel {
	return {
		id,
		name: forPeople(fields.get("name")),
		description: forPeople(fields.get("description")),
		cmd: cmd.text,
		env,
		aliases,
		variants,
		ttl: seconds(fields.get("ttl")) ?? globalTtl,
		launch: readLaunch(cmd.text, env),
	};
}

/** Undefined for "take the global one", which llama-swap writes as -1. */
function seconds(value: unknown): number | undefined {
	const number = asWholeNumber(value);
	return number === undefined || number < 0 ? undefined : number;
}

function forPeople(value: unknown): string | undefined {
	return plainText(asText(value) ?? "").trim() || undefined;
}
