import {
	type Alias,
	type Document,
	isAlias,
	isMap,
	isScalar,
	type Node,
	parseDocument,
	type Scalar,
	visit,
	type YAMLMap,
} from "yaml";
import { AiServerError } from "../../errors.ts";

/** A config.yaml as text, and as nodes that know their place in it. */
export interface ConfigNodes {
	readonly yaml: string;
	readonly document: Document.Parsed;
	readonly root: YAMLMap | undefined;
	/** What each alias stands for; undefined where no anchor of that name comes before it. */
	readonly aliases: ReadonlyMap<Alias, Node | undefined>;
}

/** One that is valid, and as data too. */
export interface Config extends ConfigNodes {
	/** Aliases and merge keys followed, macros not expanded. */
	readonly data: ReadonlyMap<unknown, unknown>;
}

export interface Model {
	/** The key below `models:`, never an alias of it. */
	readonly id: string;
	/** The same key as `Config.data` holds it: a number for `123:`. */
	readonly key: unknown;
	readonly node: YAMLMap;
	readonly line: number;
}

export interface Entry {
	readonly key: Scalar;
	readonly value: unknown;
	/** The entry stands in another map that a merge key brings in. */
	readonly merged: boolean;
}

/** A larger config takes the parser seconds: 0.7 MB with 6000 models took three. */
const MAX_LENGTH = 1_000_000;

/** The parser's default, 100, is less than a box with many models may use. */
const MAX_ALIASES = 10_000;

/** The error of every edit that is not made: why, where in the file, and what to do instead. */
export function refusal(
	reason: string,
	facts: { line?: number | undefined; hint?: string; cause?: unknown } = {},
): AiServerError {
	const where = facts.line === undefined ? "" : ` (line ${facts.line})`;
	return new AiServerError("config", `${reason}${where}`, {
		hint: facts.hint ?? "Edit config.yaml on the server by hand",
		cause: facts.cause,
	});
}

const FAULTS: Readonly<Record<string, string>> = {
	DUPLICATE_KEY: "The llama-swap config has the same key twice, which llama-swap refuses",
	TAB_AS_INDENT: "The llama-swap config is indented with a tab, which YAML forbids",
	MULTIPLE_DOCS: "The llama-swap config holds a second document, which llama-swap would not read",
};

/** As strict as llama-swap's own loader. Throws AiServerError "config" with the line of the fault. */
export function openConfig(yaml: string): Config {
	if (yaml.length > MAX_LENGTH) {
		throw refusal(`The llama-swap config is too large to edit: ${yaml.length} characters`);
	}
	const nodes = readNodes(yaml, true);
	const [fault] = nodes.document.errors;
	if (fault !== undefined) {
		const [what = ""] = fault.message.split(/ at line \d+|\n/);
		const reason = FAULTS[fault.code] ?? `The llama-swap config is not valid YAML: ${what}`;
		throw refusal(reason, {
			line: fault.linePos?.[0].line,
			hint: "Correct the file on the server first",
			cause: fault,
		});
	}
	for (const [alias, node] of nodes.aliases) {
		if (node !== undefined) continue;
		throw refusal(`The llama-swap config is not valid YAML: *${alias.source} has no anchor`, {
			line: lineOf(nodes, offsetOf(alias)),
			hint: "Correct the file on the server first",
		});
	}
	const data: unknown = nodes.document.toJS({ mapAsMap: true, maxAliasCount: MAX_ALIASES });
	return { ...nodes, data: data instanceof Map ? data : new Map() };
}

/** What can be read of a config, whatever its faults. */
export function readNodes(yaml: string, uniqueKeys = false): ConfigNodes {
	const document = parseDocument(yaml, { keepSourceTokens: true, merge: true, uniqueKeys });
	const root = isMap(document.contents) ? document.contents : undefined;
	return { yaml, document, root, aliases: aliasesOf(document) };
}

/** All at once: the parser's own look-up walks through the whole document for each. */
function aliasesOf(document: Document.Parsed): ReadonlyMap<Alias, Node | undefined> {
	const anchors = new Map<string, Node>();
	const aliases = new Map<Alias, Node | undefined>();
	visit(document, {
		Node: (_, node) => {
			if (isAlias(node)) aliases.set(node, anchors.get(node.source));
			else if (node.anchor !== undefined) anchors.set(node.anchor, node);
		},
	});
	return aliases;
}

export interface ModelEntry {
	/** The key below `models:`, never an alias of it. */
	readonly id: string;
	readonly entry: Entry;
	/** The next model's entry, if there is one. */
	readonly next: Entry | undefined;
}

/** The entry of the model with this id, or of the one that has it among its aliases. */
export function findEntry(config: ConfigNodes, id: string): ModelEntry {
	const models = childMap(config, config.root, "models");
	if (models === undefined) {
		throw refusal("The llama-swap config has no models", { hint: "Add the model there first" });
	}
	const known = ownEntries(models)
		.filter(({ key }) => !isMergeKey(key))
		.map((entry, at, all) => ({ id: keyText(entry.key), entry, next: all[at + 1] }));
	const found =
		known.find((model) => model.id === id) ??
		known.find(({ entry }) => otherNames(config, entry.value).includes(id));
	if (found !== undefined) return found;
	if (entryOf(config, models, id) !== undefined) {
		throw refusal(`${id} comes into models by a merge key and has no entry of its own`);
	}
	const some = known.slice(0, 5).map((model) => model.id);
	const more = known.length > some.length ? ` and ${known.length - some.length} more` : "";
	throw refusal(`The llama-swap config has no model ${id}`, {
		hint: some.length === 0 ? "Add the model there first" : `It has ${some.join(", ")}${more}`,
	});
}

/** The same, for a model whose entry is its own. */
export function findModel(config: ConfigNodes, name: string): Model {
	const { id, entry } = findEntry(config, name);
	const line = lineOf(config, offsetOf(entry.key));
	if (isAlias(entry.value)) {
		throw refusal(`${id} is written as *${entry.value.source}, so it has no cmd of its own`, {
			line,
			hint: `Give ${id} an entry of its own in config.yaml`,
		});
	}
	if (!isMap(entry.value)) throw refusal(`${id} has no cmd`, { line });
	return { id, key: entry.key.value, node: entry.value, line };
}

/** llama-swap makes the keys of filters.setParamsByID aliases too. */
function otherNames(config: ConfigNodes, value: unknown): readonly string[] {
	const model = resolve(config, value);
	if (!isMap(model)) return [];
	const aliases = resolve(config, entryOf(config, model, "aliases")?.value);
	const listed =
		aliases !== undefined && "items" in aliases
			? aliases.items.flatMap((item) => {
					const scalar = resolve(config, item);
					return isScalar(scalar) ? [keyText(scalar)] : [];
				})
			: [];
	const params = childMap(config, childMap(config, model, "filters"), "setParamsByID");
	return params === undefined
		? listed
		: [...listed, ...ownEntries(params).map(({ key }) => keyText(key))];
}

/** The node behind an alias, or the node itself; undefined for what is no node. */
export function resolve(
	config: ConfigNodes,
	value: unknown,
): YAMLMap | Scalar | Sequence | undefined {
	const node = isAlias(value) ? config.aliases.get(value) : value;
	if (isMap(node) || isScalar(node)) return node;
	return isSequence(node) ? node : undefined;
}

export interface Sequence {
	readonly items: readonly unknown[];
}

function isSequence(node: unknown): node is Sequence {
	return typeof node === "object" && node !== null && "items" in node && Array.isArray(node.items);
}

export function childMap(
	config: ConfigNodes,
	map: YAMLMap | undefined,
	name: string,
): YAMLMap | undefined {
	const child = map && resolve(config, entryOf(config, map, name)?.value);
	return isMap(child) ? child : undefined;
}

/** The entry that counts for this key: the map's own, else the first that a merge key brings in. */
export function entryOf(config: ConfigNodes, map: YAMLMap, name: string): Entry | undefined {
	const entries = ownEntries(map);
	const own = entries.find(({ key }) => keyText(key) === name && !isMergeKey(key));
	if (own !== undefined) return own;
	for (const { key, value } of entries) {
		if (!isMergeKey(key)) continue;
		const source = resolve(config, value);
		const sources = isMap(source)
			? [source]
			: source !== undefined && "items" in source
				? source.items
				: [];
		for (const item of sources) {
			const merged = resolve(config, item);
			const entry = isMap(merged) ? entryOf(config, merged, name) : undefined;
			if (entry !== undefined) return { ...entry, merged: true };
		}
	}
	return undefined;
}

export function ownEntries(map: YAMLMap): readonly Entry[] {
	return map.items.flatMap(({ key, value }) =>
		isScalar(key) ? [{ key, value, merged: false }] : [],
	);
}

function isMergeKey(key: Scalar): boolean {
	return key.type === "PLAIN" && key.source === "<<";
}

/** A key as written: `1.0` stays "1.0", as in llama-swap, which reads keys as text. */
export function keyText(key: Scalar): string {
	return key.source ?? String(key.value);
}

export function offsetOf(node: unknown): number {
	return isScalar(node) || isMap(node) || isAlias(node) ? (node.range?.[0] ?? 0) : 0;
}

/** Line of an offset, counted from 1. */
export function lineOf(config: { readonly yaml: string }, offset: number): number {
	let line = 1;
	for (let at = config.yaml.indexOf("\n"); at >= 0 && at < offset; line++) {
		at = config.yaml.indexOf("\n", at + 1);
	}
	return line;
}
