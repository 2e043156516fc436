import { type JsonRecord, recordOf } from "../../json.ts";
import type { Refused } from "./refusal.ts";

/** A tool whose schema a server cannot use, and the keywords in it that are the likely reason. */
export interface Culprit {
	readonly tool: string;
	readonly keywords: readonly string[];
}

/** What servers say when they cannot make a grammar of the schemas of the tools. */
const SCHEMA =
	/pattern must (?:start|end)|(?:parse|compile|initialize|build) (?:the )?grammar|grammar (?:parse|error|is too)|json.?schema|invalid schema|(?:schema|tool|function).{0,40}(?:conversion|not supported|unsupported|invalid)|unsupported (?:pattern|format|keyword|regex)|invalid regex|number of repetitions|repetition/i;
/** What no server needs in order to fill in a schema. */
const KEYWORDS = ["pattern", "format", "minLength", "maxLength"] as const;
const LISTS = ["minItems", "maxItems"] as const;

/** Every tool that may be the reason of a refusal; empty when the schemas are not. */
export function culpritsOf({ request, status, message }: Refused): readonly Culprit[] {
	if (status === undefined || status < 400 || !SCHEMA.test(message)) return [];
	const tools = toolsOf(request);
	const blamed = KEYWORDS.filter((keyword) => new RegExp(`\\b${keyword}\\b`, "i").test(message));
	const found = tools.flatMap(({ name, parameters }) => {
		const keywords = keywordsIn(parameters);
		return keywords.size === 0 ? [] : [{ tool: name, keywords: [...keywords] }];
	});
	const named = found.filter(({ tool }) => isNamed(message, tool));
	const suspects = named.length > 0 ? named : found;
	const exact = suspects.flatMap(({ tool, keywords }) => {
		const both = keywords.filter((keyword) => blamed.some((name) => name === keyword));
		return both.length === 0 ? [] : [{ tool, keywords: both }];
	});
	const guilty = exact.length > 0 ? exact : suspects;
	const unanchored = guilty.filter(({ tool }) => hasLoosePattern(tools, tool));
	return /must start with/i.test(message) && unanchored.length > 0 ? unanchored : guilty;
}

/** The request with the schemas of these tools freed of what restricts a text. */
export function relaxTools(request: JsonRecord, names: ReadonlySet<string>): JsonRecord {
	const tools = request["tools"];
	if (!Array.isArray(tools) || names.size === 0) return request;
	const relaxed = tools.map((tool: unknown) => {
		const made = recordOf(recordOf(tool)?.["function"]);
		if (made === undefined || !names.has(String(made["name"]))) return tool;
		const parameters = relax(made["parameters"], false);
		return { ...recordOf(tool), function: { ...made, parameters } };
	});
	return { ...request, tools: relaxed };
}

function isNamed(message: string, tool: string): boolean {
	const escaped = tool.replace(/[.*+?^${}()|[\]\\]/g, "\\$&");
	return new RegExp(`(?<![\\w-])${escaped}(?![\\w-])`).test(message);
}

function toolsOf(request: JsonRecord): readonly { name: string; parameters: unknown }[] {
	const tools = request["tools"];
	if (!Array.isArray(tools)) return [];
	return tools.flatMap((tool: unknown) => {
		const { name, parameters } = recordOf(recordOf(tool)?.["function"]) ?? {};
		return typeof name === "string" ? [{ name, parameters }] : [];
	});
}

function hasLoosePattern(
	tools: readonly { name: string; parameters: unknown }[],
	name: string,
): boolean {
	const schema = JSON.stringify(tools.find((tool) => tool.name === name)?.parameters) ?? "";
	return [...schema.matchAll(/"pattern":"((?:\\.|[^"\\])*)"/g)].some(
		([, pattern = ""]) => !/^\^[\s\S]*\$$/.test(pattern),
	);
}

function isRestriction(key: string): boolean {
	return [...KEYWORDS, ...LISTS].some((keyword) => keyword === key);
}

/** The keywords in a schema; the names of its properties are no keywords. */
function keywordsIn(schema: unknown, isProperties = false, found = new Set<string>()): Set<string> {
	if (Array.isArray(schema)) {
		for (const item of schema) keywordsIn(item, false, found);
		return found;
	}
	for (const [key, value] of Object.entries(recordOf(schema) ?? {})) {
		if (!isProperties && isRestriction(key)) found.add(key);
		if (isProperties || !isLiteral(key)) keywordsIn(value, !isProperties && holdsNames(key), found);
	}
	return found;
}

function relax(schema: unknown, isProperties: boolean): unknown {
	if (Array.isArray(schema)) return schema.map((item) => relax(item, false));
	const record = recordOf(schema);
	if (record === undefined) return schema;
	return Object.fromEntries(
		Object.entries(record).flatMap(([key, value]) => {
			if (!isProperties && isRestriction(key)) return [];
			const kept = !isProperties && isLiteral(key);
			return [[key, kept ? value : relax(value, !isProperties && holdsNames(key))] as const];
		}),
	);
}

/** Keywords whose value is an object of names that the author chose. */
function holdsNames(key: string): boolean {
	return ["properties", "$defs", "definitions", "patternProperties"].includes(key);
}

/** Keywords whose value is data, not a schema. */
function isLiteral(key: string): boolean {
	return ["enum", "const", "default", "examples"].includes(key);
}
