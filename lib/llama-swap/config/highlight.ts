import { CST, Lexer } from "yaml";
import { isCommentLine } from "../../llama-server/shell-words.ts";

export interface YamlSpan {
	readonly kind: "key" | "string" | "number" | "comment" | "plain";
	readonly text: string;
}

type Kind = YamlSpan["kind"];

/**
 * The lines of a YAML text in coloured parts. The text of all spans is the text that was given,
 * without its line ends and byte order mark; what is no valid YAML is cut up as well as possible.
 */
export function highlightYaml(yaml: string): readonly (readonly YamlSpan[])[] {
	const lines: YamlSpan[][] = [[]];
	for (const { kind, text } of spansOf(yaml.replace(/^\ufeff/, ""))) {
		text.split(/\r?\n/).forEach((part, at) => {
			if (at > 0) lines.push([]);
			if (part !== "") lines.at(-1)?.push({ kind, text: part });
		});
	}
	return lines;
}

function spansOf(yaml: string): readonly YamlSpan[] {
	const spans: { kind: Kind; text: string }[] = [];
	let block = false;
	let scalar = false;
	let candidate: { kind: Kind; text: string } | undefined;
	for (const token of new Lexer().lex(yaml)) {
		if (token === CST.DOCUMENT || token === CST.FLOW_END) continue;
		if (token === CST.SCALAR) {
			scalar = true;
			continue;
		}
		const type = scalar ? "scalar" : CST.tokenType(token);
		if (scalar && block) {
			spans.push(...blockSpans(token));
			block = false;
		} else {
			if (type === "map-value-ind" && candidate !== undefined) candidate.kind = "key";
			const span = { kind: kindOf(type, token), text: token };
			spans.push(span);
			if (type === "block-scalar-header") block = true;
			if (/scalar$/.test(type ?? "")) candidate = span;
			else if (type !== "space") candidate = undefined;
		}
		scalar = false;
	}
	return spans;
}

function kindOf(type: string | null, token: string): Kind {
	switch (type) {
		case "comment":
			return "comment";
		case "scalar":
			return /^[-+]?(?:\d[\d_]*\.?\d*|\.\d+)(?:[eE][-+]?\d+)?$/.test(token) ? "number" : "string";
		case "single-quoted-scalar":
		case "double-quoted-scalar":
			return "string";
		default:
			return "plain";
	}
}

/** Lines of a command that begin with "#" are comments to llama-swap, so they look like one. */
function blockSpans(text: string): readonly { kind: Kind; text: string }[] {
	return text
		.split(/(?<=\n)/)
		.map((line) => ({ kind: isCommentLine(line) ? "comment" : "string", text: line }));
}
