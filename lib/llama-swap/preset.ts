import { parseDocument } from "yaml";
import { AiServerError } from "../errors.ts";
import { extractCtxFromRunningCmd } from "./command-line.ts";

/** llama-swap's own limit for nested macros is their order; ours stops a circle. */
const MACRO_DEPTH = 16;

/**
 * Context size by model id, out of llama-swap's config.yaml: macros expanded (the model's own over
 * the global ones), aliases and merge keys followed. Models without a readable size are left out.
 * Throws AiServerError "preset" with line and column for a file that is not YAML.
 */
export function parseCtxMapFromYaml(yaml: string): ReadonlyMap<string, number> {
	const root = parse(yaml);
	const sizes = new Map<string, number>();
	const models = mapOf(root)?.get("models");
	const globals = macrosOf(root);
	for (const [id, model] of mapOf(models) ?? []) {
		const cmd = mapOf(model)?.get("cmd");
		if (typeof cmd !== "string") continue;
		const macros = new Map([...globals, ...macrosOf(model), ["MODEL_ID", String(id)]]);
		const size = extractCtxFromRunningCmd(expand(withoutComments(cmd), macros));
		if (size !== undefined) sizes.set(String(id), size);
	}
	return sizes;
}

function parse(yaml: string): unknown {
	// yaml.v3, which llama-swap uses, refuses duplicate keys; for reading, the last one will do.
	const document = parseDocument(yaml, { merge: true, uniqueKeys: false, prettyErrors: true });
	const fault = document.errors.find(({ code }) => code !== "MULTIPLE_DOCS");
	if (fault !== undefined) throw broken(fault.message, fault);
	try {
		return document.toJS({ mapAsMap: true });
	} catch (error) {
		throw broken(error instanceof Error ? error.message : String(error), error);
	}
}

function broken(message: string, cause: unknown): AiServerError {
	const [line = ""] = message.split("\n");
	return new AiServerError(
		"preset",
		`The llama-swap config is not valid YAML: ${line.replace(/:$/, "")}`,
		{
			hint: "Correct the file on the server; llama-swap keeps its old config meanwhile",
			cause,
		},
	);
}

function mapOf(value: unknown): ReadonlyMap<unknown, unknown> | undefined {
	return value instanceof Map ? value : undefined;
}

function macrosOf(holder: unknown): ReadonlyMap<string, string> {
	const macros = mapOf(mapOf(holder)?.get("macros")) ?? new Map<unknown, unknown>();
	return new Map(Array.from(macros, ([name, value]) => [String(name), String(value)]));
}

/** llama-swap drops "#" lines before it expands macros, so a macro may not hide in one. */
function withoutComments(cmd: string): string {
	return cmd
		.split(/\r?\n/)
		.filter((line) => !line.trimStart().startsWith("#"))
		.join("\n");
}

function expand(text: string, macros: ReadonlyMap<string, string>): string {
	let current = text;
	for (let depth = 0; depth < MACRO_DEPTH && current.length < 65_536; depth++) {
		const next = current.replace(
			/\$\{([\w-]{1,63})\}/g,
			(whole, name) => macros.get(name) ?? whole,
		);
		if (next === current) break;
		current = next;
	}
	return current;
}
