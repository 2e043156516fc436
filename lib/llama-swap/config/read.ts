import {
	extractCtxFromRunningCmd,
	type LaunchOptions,
	readLaunch,
} from "../../llama-server/options.ts";
import { withoutComments } from "../../llama-server/shell-words.ts";
import { plainText } from "../../text.ts";
import { type ExpansionBudget, expander, expansionBudget } from "./macros.ts";
import { type Routing, readRouting } from "./routing.ts";
import { readYaml } from "./yaml-file.ts";
import { mapOf, numberOf, textOf, textsOf } from "./yaml-values.ts";

/** llama-swap's config.yaml, as far as a client can use it. */
export interface SwapConfig {
	/** In the order of the file. */
	readonly models: ReadonlyMap<string, SwapModel>;
	/** The model behind an alias or variant. */
	readonly aliases: ReadonlyMap<string, string>;
	/** Seconds; 0: models are never unloaded by time. */
	readonly globalTtl: number;
	readonly routing: Routing;
	/** Model ids by the name of the peer that has them. */
	readonly peers: ReadonlyMap<string, readonly string[]>;
	/** Targets by the model id they replace, by profile; "" switches the id off. */
	readonly profiles: ReadonlyMap<string, ReadonlyMap<string, string>>;
	readonly selectors: ReadonlyMap<string, PresetSelector>;
	/** Ids of the models that are loaded at start, in this order. */
	readonly preload: readonly string[];
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
	readonly unlisted: boolean;
	/** Seconds, the global one put in; 0: never unloaded by time. */
	readonly ttl: number;
	/** The id that the server behind is asked for. */
	readonly useModelName: string | undefined;
	/** Undefined when the config declares nothing. */
	readonly capabilities: PresetCapabilities | undefined;
	readonly metadata: ReadonlyMap<string, unknown>;
	readonly launch: LaunchOptions;
}

export interface PresetCapabilities {
	readonly input: readonly string[];
	readonly output: readonly string[];
	readonly tools: boolean;
	readonly reranker: boolean;
	/** Tokens. */
	readonly context: number | undefined;
}

export interface PresetSelector {
	readonly name: string | undefined;
	readonly strategy: string | undefined;
	readonly targets: readonly string[];
	readonly unlisted: boolean;
}

/** llama-swap numbers the ports of its models from here unless told otherwise. */
const FIRST_PORT = 5800;

/**
 * Reads llama-swap's config.yaml as llama-swap loads it: macros put in (the model's own before the
 * global ones), anchors and merge keys followed, defaults filled in. It is more lenient where
 * llama-swap would refuse the file: what has an unusable type counts as absent, an unknown macro
 * or `${env.X}` stays as text. Throws AiServerError "config", with line and column where the file
 * is not YAML, and nothing else.
 */
export function parseConfig(yaml: string): SwapConfig {
	const root = mapOf(readYaml(yaml)) ?? new Map<string, unknown>();
	const budget = expansionBudget();
	const macros = mapOf(root.get("macros")) ?? new Map<string, unknown>();
	const { value: global } = expander([macros], budget);
	const section = (name: string): unknown => global(root.get(name));

	const globalTtl = seconds(section("globalTTL")) ?? 0;
	const nextPort = ports(numberOf(section("startPort")) ?? FIRST_PORT);
	const read = new Map<string, SwapModel>();
	const written = mapOf(root.get("models")) ?? new Map<string, unknown>();
	for (const id of [...written.keys()].sort(asGoSorts)) {
		const model = mapOf(written.get(id));
		if (model !== undefined)
			read.set(id, readModel(id, model, { macros, budget, globalTtl, nextPort }));
	}
	const models = new Map([...written.keys()].flatMap((id) => entryOf(read, id)));
	const aliases = aliasesOf(models);
	const preload = textsOf(mapOf(mapOf(section("hooks"))?.get("on_startup"))?.get("preload"));
	return {
		models,
		aliases,
		globalTtl,
		routing: readRouting(section, [...models.keys()]),
		peers: readEntries(section("peers"), (peer) => textsOf(peer.get("models"))),
		profiles: readEntries(section("profiles"), readPins),
		selectors: readEntries(section("selectors"), readSelector),
		preload: preload.flatMap((name) => {
			const id = models.has(name.trim()) ? name.trim() : aliases.get(name.trim());
			return id === undefined ? [] : [id];
		}),
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

interface Surroundings {
	readonly macros: ReadonlyMap<string, unknown>;
	readonly budget: ExpansionBudget;
	readonly globalTtl: number;
	readonly nextPort: () => number;
}

function readModel(
	id: string,
	written: ReadonlyMap<string, unknown>,
	{ macros, budget, globalTtl, nextPort }: Surroundings,
): SwapModel {
	const own = mapOf(written.get("macros")) ?? new Map<string, unknown>();
	const scope = expander([new Map([["MODEL_ID", id]]), own, macros], budget);
	const fields = new Map(written);
	fields.delete("macros");
	// Comment lines go first, so that no macro can hide in one.
	fields.set("cmd", withoutComments(textOf(written.get("cmd")) ?? ""));
	const named = mapOf(scope.value(fields)) ?? fields;
	const usesPort = (textOf(named.get("cmd")) ?? "").includes("${PORT}");
	const ported = expander(usesPort ? [new Map([["PORT", nextPort()]])] : [], budget);
	const model = usesPort ? (mapOf(ported.value(named)) ?? named) : named;

	const cmd = textOf(model.get("cmd")) ?? "";
	const env = textsOf(model.get("env"));
	const params = mapOf(mapOf(model.get("filters"))?.get("setParamsByID"));
	return {
		id,
		name: forPeople(model.get("name")),
		description: forPeople(model.get("description")),
		cmd,
		env,
		aliases: textsOf(model.get("aliases")),
		variants: [...(params?.keys() ?? [])]
			.map((key) => ported.text(scope.text(key)))
			.filter((key) => key !== id),
		unlisted: model.get("unlisted") === true,
		ttl: seconds(model.get("ttl")) ?? globalTtl,
		useModelName: textOf(model.get("useModelName")) || undefined,
		capabilities: readCapabilities(model.get("capabilities")),
		metadata: mapOf(model.get("metadata")) ?? new Map<string, unknown>(),
		launch: readLaunch(cmd, env),
	};
}

function readCapabilities(value: unknown): PresetCapabilities | undefined {
	const written = mapOf(value);
	if (written === undefined) return undefined;
	const context = numberOf(written.get("context")) ?? 0;
	const capabilities = {
		input: textsOf(written.get("in")),
		output: textsOf(written.get("out")),
		tools: written.get("tools") === true,
		reranker: written.get("reranker") === true,
		context: context > 0 ? context : undefined,
	};
	const { input, output, tools, reranker } = capabilities;
	const empty = input.length + output.length === 0 && !tools && !reranker && context <= 0;
	return empty ? undefined : capabilities;
}

function readPins(profile: ReadonlyMap<string, unknown>): ReadonlyMap<string, string> {
	const pins = mapOf(profile.get("pins")) ?? new Map<string, unknown>();
	return new Map(Array.from(pins, ([id, target]) => [id, textOf(target) ?? ""]));
}

function readSelector(selector: ReadonlyMap<string, unknown>): PresetSelector {
	return {
		name: forPeople(selector.get("name")),
		strategy: textOf(selector.get("strategy")),
		targets: textsOf(selector.get("targets")),
		unlisted: selector.get("unlisted") === true,
	};
}

function readEntries<T>(
	section: unknown,
	read: (entry: ReadonlyMap<string, unknown>) => T,
): ReadonlyMap<string, T> {
	const entries = [...(mapOf(section) ?? [])];
	return new Map(
		entries.flatMap(([name, value]) => {
			const entry = mapOf(value);
			return entry === undefined ? [] : [[name, read(entry)] as const];
		}),
	);
}

/** An id of its own wins over another model's alias. */
function aliasesOf(models: ReadonlyMap<string, SwapModel>): ReadonlyMap<string, string> {
	const aliases = new Map<string, string>();
	for (const { id, aliases: names, variants } of models.values()) {
		for (const name of [...names, ...variants]) {
			if (!models.has(name) && !aliases.has(name)) aliases.set(name, id);
		}
	}
	return aliases;
}

function entryOf<T>(map: ReadonlyMap<string, T>, key: string): readonly (readonly [string, T])[] {
	const value = map.get(key);
	return value === undefined ? [] : [[key, value]];
}

function ports(first: number): () => number {
	let next = first;
	return () => next++;
}

function asGoSorts(a: string, b: string): number {
	return Buffer.compare(Buffer.from(a), Buffer.from(b));
}

/** Undefined for "take the global one", which llama-swap writes as -1. */
function seconds(value: unknown): number | undefined {
	const number = numberOf(value);
	return number === undefined || number < 0 ? undefined : number;
}

function forPeople(value: unknown): string | undefined {
	return plainText(textOf(value) ?? "").trim() || undefined;
}
