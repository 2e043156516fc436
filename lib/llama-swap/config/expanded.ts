import { isAlias, isMap, isScalar, type Scalar, type YAMLMap } from "yaml";
import { type ConfigDocument, refusal } from "./document.ts";
import {
	type Composed,
	Expander,
	type ExpansionBudget,
	expansionBudget,
	type Macro,
	type Origin,
	scalarText,
	unwritten,
	withoutComments,
} from "./macros.ts";
import { asMap, asTexts, asWholeNumber } from "./yaml-values.ts";

/** What llama-swap makes of a config: aliases and merge keys followed, macros put in. */
export interface ExpandedConfig {
	readonly document: ConfigDocument;
	/** In the order of the file. */
	readonly models: ReadonlyMap<string, ExpandedModel>;
	/** The model behind an alias or variant. */
	readonly aliases: ReadonlyMap<string, string>;
	/** The value of a top-level entry. */
	readonly section: (name: string) => unknown;
}

export interface ExpandedModel {
	readonly id: string;
	/** Its entry in the file, which may be an alias, or a part of another model. */
	readonly node: YAMLMap;
	/** Without its macros, which are put in. */
	readonly fields: ReadonlyMap<string, unknown>;
	/** Comment lines dropped, as in `/running`; empty without one. */
	readonly cmd: Composed;
	readonly env: readonly string[];
	readonly aliases: readonly string[];
	/** Further ids for the same process with other parameters: keys of `filters.setParamsByID`. */
	readonly variants: readonly string[];
	/** Puts in what this model's own fields would get. */
	readonly expander: Expander;
}

type Macros = ReadonlyMap<string, Macro>;

const NONE: Macros = new Map();

/** llama-swap numbers the ports of its models from here unless the config has a startPort. */
const FIRST_PORT = 5800;

/** Throws AiServerError "config" for a file that grows without end, and nothing else. */
export function expandConfig(document: ConfigDocument): ExpandedConfig {
	try {
		return expand(document);
	} catch (error) {
		// The stack's end, for what is nested more deeply than the parser minds.
		if (!(error instanceof RangeError)) throw error;
		throw refusal("The llama-swap config is nested without end", { cause: error });
	}
}

function expand(document: ConfigDocument): ExpandedConfig {
	const { root } = document;
	const budget = expansionBudget();
	const macros = macrosOf(document, root, (name) => `the global macro "${name}"`);
	const global = new Expander((name) => macros.get(name), budget);
	const section = (name: string): unknown => {
		const entry = root && document.entriesOf(root).get(name);
		return entry && global.value(document.valueOf(entry.value));
	};
	let port = asWholeNumber(section("startPort")) ?? FIRST_PORT;
	const surroundings = { document, macros, budget, nextPort: () => port++ };
	const written = document.childMap(root, "models");
	const entries = written === undefined ? [] : [...document.entriesOf(written)];
	const read = new Map<string, ExpandedModel>();
	// Ports are given out in the order of the ids.
	for (const [id, { value }] of entries.toSorted(([a], [b]) => asGoSorts(a, b))) {
		const node = document.resolve(value);
		if (isMap(node)) read.set(id, expandModel(id, node, surroundings));
	}
	const models = new Map(
		entries.flatMap(([id]) => {
			const model = read.get(id);
			return model === undefined ? [] : [[id, model] as const];
		}),
	);
	return { document, models, aliases: aliasesOf(models), section };
}

interface Surroundings {
	readonly document: ConfigDocument;
	readonly macros: Macros;
	readonly budget: ExpansionBudget;
	readonly nextPort: () => number;
}

function expandModel(id: string, node: YAMLMap, surroundings: Surroundings): ExpandedModel {
	const { document, macros, budget, nextPort } = surroundings;
	const own = macrosOf(document, node, (name) => `the macro "${name}" of ${id}`);
	const model: Macro = { value: id, written: unwritten(id) };
	const port = new PortMacro(nextPort);
	const expander = new Expander((name) => {
		if (name === "MODEL_ID") return model;
		return name === "PORT" ? port : (own.get(name) ?? macros.get(name));
	}, budget);
	const entries = document.entriesOf(node);
	const written = entries.get("cmd")?.value;
	const scalar = document.resolve(written);
	const cmd = isScalar(scalar)
		? // Comment lines go first, so that no macro can hide in one.
			expander.text(withoutComments(scalarText(cmdOrigin(written, scalar))))
		: unwritten("");
	// Only a model whose cmd has use for it gets a port.
	port.isOpen = false;
	const fields = new Map<string, unknown>();
	for (const [key, { value }] of entries) {
		if (key === "macros") continue;
		fields.set(
			key,
			key === "cmd" && isScalar(scalar) ? cmd.text : expander.value(document.valueOf(value)),
		);
	}
	const params = asMap(asMap(fields.get("filters"))?.get("setParamsByID"));
	const variants = [...(params?.keys() ?? [])]
		.map((key) => expander.text(unwritten(key)).text)
		.filter((key) => key !== id);
	const aliases = asTexts(fields.get("aliases"));
	return { id, node, fields, cmd, env: asTexts(fields.get("env")), aliases, variants, expander };
}

/** The scalar of a cmd; others may share the one behind an anchor. */
export function cmdOrigin(written: unknown, node: Scalar): Origin {
	const anchor = isAlias(written) ? written.source : node.anchor;
	return { name: anchor === undefined ? "its cmd" : `the anchor "${anchor}"`, node };
}

/** A port is given out when the first one asks for it. */
class PortMacro implements Macro {
	isOpen = true;
	readonly #next: () => number;
	#port: number | undefined;

	constructor(next: () => number) {
		this.#next = next;
	}

	get value(): number | undefined {
		if (this.isOpen) this.#port ??= this.#next();
		return this.#port;
	}

	get written(): Composed {
		return unwritten(String(this.value));
	}
}

function macrosOf(
	document: ConfigDocument,
	holder: YAMLMap | undefined,
	title: (name: string) => string,
): Macros {
	const written = document.childMap(holder, "macros");
	if (written === undefined) return NONE;
	const macros = new Map<string, Macro>();
	for (const [name, { value }] of document.entriesOf(written)) {
		const node = document.resolve(value);
		const text = isScalar(node) ? scalarText({ name: title(name), node }) : unwritten("");
		macros.set(name, { value: document.valueOf(node), written: text });
	}
	return macros;
}

/** An id of its own wins over another model's alias. */
function aliasesOf(models: ReadonlyMap<string, ExpandedModel>): ReadonlyMap<string, string> {
	const aliases = new Map<string, string>();
	for (const { id, aliases: names, variants } of models.values()) {
		for (const name of [...names, ...variants]) {
			if (!models.has(name) && !aliases.has(name)) aliases.set(name, id);
		}
	}
	return aliases;
}

/** By bytes; the order of a JavaScript text is the same but for what lies beyond 16 bits. */
function asGoSorts(a: string, b: string): number {
	if (/[\ud800-\udfff]/.test(a + b)) return Buffer.compare(Buffer.from(a), Buffer.from(b));
	return a < b ? -1 : Number(a > b);
}
