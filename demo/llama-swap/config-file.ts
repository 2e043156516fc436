import { parse } from "yaml";

/** A model of the config file, with what this llama-swap understands of it. */
export interface ModelConfig {
	readonly id: string;
	/** Expanded, as /running shows it. */
	readonly cmd: string;
	readonly port: number;
	/** Seconds; 0 means never. */
	readonly ttl: number;
	readonly name: string;
	readonly description: string;
	readonly aliases: readonly string[];
	readonly unlisted: boolean;
	readonly capabilities: Capabilities | undefined;
	readonly metadata: Readonly<Record<string, unknown>> | undefined;
	readonly sendLoadingState: boolean;
	readonly concurrencyLimit: number;
}

export interface Capabilities {
	readonly in?: readonly string[];
	readonly out?: readonly string[];
	readonly tools?: boolean;
	readonly context?: number;
}

export interface SwapConfig {
	/** Sorted by id, as llama-swap lists them. */
	readonly models: readonly ModelConfig[];
	readonly apiKeys: readonly string[];
	readonly includeAliasesInList: boolean;
}

type Fields = Readonly<Record<string, unknown>>;

/** Reads config.yaml by llama-swap's rules. Throws an Error in llama-swap's own words. */
export function parseConfig(text: string): SwapConfig {
	const root = fields(parse(text, { merge: true }));
	const globals = macrosOf(root);
	const entries = Object.entries(fields(root["models"])).toSorted(([a], [b]) => (a < b ? -1 : 1));
	let port = Number(root["startPort"] ?? 5800);
	const models = entries.map(([id, value]): ModelConfig => {
		const model = fields(value);
		const named = new Map([...globals, ...macrosOf(model), ["MODEL_ID", id]]);
		const raw = expand(withoutComments(stringOf(model["cmd"])), named);
		const usesPort = raw.includes("${PORT}");
		if (!usesPort && model["proxy"] === undefined) {
			throw new Error(
				`model ${id}: proxy uses \${PORT} but cmd does not - \${PORT} is only available when used in cmd`,
			);
		}
		const own = usesPort ? port++ : 0;
		const macros = new Map([...named, ["PORT", String(own)]]);
		const filters = fields(model["filters"]);
		const variants = Object.keys(fields(filters["setParamsByID"]));
		const aliases = [...list(model["aliases"]), ...variants].map((alias) => expand(alias, macros));
		return {
			id,
			cmd: expand(raw, macros),
			port: own,
			ttl: Number(model["ttl"] ?? root["globalTTL"] ?? 0),
			name: stringOf(model["name"]),
			description: stringOf(model["description"]),
			aliases: aliases.toSorted(),
			unlisted: model["unlisted"] === true,
			capabilities: model["capabilities"] as Capabilities | undefined,
			metadata: expandDeep(model["metadata"], macros) as Fields | undefined,
			sendLoadingState: (model["sendLoadingState"] ?? root["sendLoadingState"]) === true,
			concurrencyLimit: Number(model["concurrencyLimit"] ?? 10),
		};
	});
	return {
		models,
		apiKeys: list(root["apiKeys"]),
		includeAliasesInList: root["includeAliasesInList"] === true,
	};
}

/** The program a command runs. */
export function programOf({ cmd }: Pick<ModelConfig, "cmd">): string {
	return cmd.trim().split(/\s+/)[0] ?? "";
}

function withoutComments(cmd: string): string {
	return cmd
		.split("\n")
		.filter((line) => !line.trimStart().startsWith("#"))
		.join("\n");
}

function macrosOf(holder: Fields): ReadonlyMap<string, string> {
	return new Map(
		Object.entries(fields(holder["macros"])).map(([name, value]) => [name, String(value)]),
	);
}

function expand(text: string, macros: ReadonlyMap<string, string>): string {
	const once = text.replace(/\$\{([\w-]+)\}/g, (whole, name) => macros.get(name) ?? whole);
	return once === text ? text : expand(once, macros);
}

function expandDeep(value: unknown, macros: ReadonlyMap<string, string>): unknown {
	if (typeof value === "string") {
		const text = expand(value, macros);
		return value === "${PORT}" ? Number(text) : text;
	}
	if (Array.isArray(value)) return value.map((item) => expandDeep(item, macros));
	if (typeof value !== "object" || value === null) return value;
	return Object.fromEntries(
		Object.entries(value).map(([key, item]) => [key, expandDeep(item, macros)]),
	);
}

function fields(value: unknown): Fields {
	return typeof value === "object" && value !== null && !Array.isArray(value)
		? (value as Fields)
		: {};
}

function list(value: unknown): readonly string[] {
	return Array.isArray(value) ? value.map(String) : [];
}

function stringOf(value: unknown): string {
	return typeof value === "string" ? value : "";
}
