import { AiServerError } from "../../errors.ts";
import { ConfigDocument, offsetOf, refusal } from "./document.ts";
import { type FoundModel, findModel } from "./find-model.ts";

/**
 * One model's part of config.yaml exactly as written: the comment lines right above its key, down
 * to its last line, without a line end; in a folder of files below the name of its file. An alias of the model will do. A file with faults is read
 * as far as possible. Throws AiServerError "config" for a model that is not there.
 */
export function modelExcerpt(yaml: string, id: string): string {
	try {
		const document = new ConfigDocument(yaml, "any");
		const found = findModel(document, id);
		const file = document.fileAt(offsetOf(found.entry.key));
		const block = blockOf(yaml, found);
		return file === "" ? block : `# ${file}\n${block}`;
	} catch (error) {
		if (error instanceof AiServerError) throw error;
		throw refusal("The llama-swap config cannot be followed", { cause: error });
	}
}

function blockOf(yaml: string, { entry, next }: FoundModel): string {
	const start = offsetOf(entry.key);
	const value = entry.value?.range?.[1];
	const end = Math.max(value ?? 0, entry.key.range?.[1] ?? start);
	const lineStart = yaml.lastIndexOf("\n", start - 1) + 1;
	const lead = yaml.slice(lineStart, start).replace(/^\ufeff/, "");
	// In a flow map the line holds others too.
	if (!/^[ \t]*(?:["'?&!][^\s:]*[ \t]*)*$/.test(lead)) return yaml.slice(start, end);
	const indent = lead.length;
	const from = withCommentsAbove(yaml, lineStart, indent);
	const limit = next === undefined ? yaml.length : lineStartOf(yaml, offsetOf(next.key));
	return yaml.slice(from, withCommentsBelow(yaml, end, limit, indent)).trimEnd();
}

function lineStartOf(yaml: string, offset: number): number {
	return yaml.lastIndexOf("\n", offset - 1) + 1;
}

/** A comment that is indented further belongs to the block before. */
function withCommentsAbove(yaml: string, lineStart: number, indent: number): number {
	let from = lineStart;
	while (from > 0) {
		const above = lineStartOf(yaml, from - 1);
		const blanks = /^(\s*)#/.exec(yaml.slice(above, from))?.[1];
		if (blanks === undefined || blanks.length > indent) break;
		from = above;
	}
	return from;
}

/** The rest of the last line, and comment lines below it that are indented like the block's inside. */
function withCommentsBelow(yaml: string, end: number, limit: number, indent: number): number {
	// A block scalar ends at the start of the line behind it.
	let to = yaml.charAt(end - 1) === "\n" ? end : lineEnd(yaml, end);
	for (let at = to; at < limit; ) {
		const next = lineEnd(yaml, at);
		const line = yaml.slice(at, next);
		const blanks = /^(\s*)#/.exec(line)?.[1];
		if (blanks !== undefined && blanks.length > indent) to = next;
		else if (line.trim() !== "") break;
		at = next;
	}
	return to;
}

/** The start of the next line, or the end of the text. */
function lineEnd(yaml: string, offset: number): number {
	const at = yaml.indexOf("\n", offset);
	return at < 0 ? yaml.length : at + 1;
}
