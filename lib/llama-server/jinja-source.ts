/** A Jinja template taken apart, as far as looking for names needs it. */
export interface JinjaSource {
	/** The expressions and statements, without comments and with every string literal empty. */
	readonly code: string;
	/** The same with the literals as written. */
	readonly written: string;
	/** The template without comments. */
	readonly text: string;
}

/** Characters; chat templates have some thousand. */
const MOST_CHARACTERS = 2 ** 18;

/** One pass over the template, so that no template can make it slow. */
export function jinjaSource(template: string): JinjaSource {
	const whole = template.slice(0, MOST_CHARACTERS);
	const code: string[] = [];
	const written: string[] = [];
	const text: string[] = [];
	let at = 0;
	while (at < whole.length) {
		const open = nextTag(whole, at);
		text.push(whole.slice(at, open));
		const kind = whole[open + 1] ?? "";
		const close = open < whole.length ? whole.indexOf(CLOSERS[kind] ?? "", open + 2) : -1;
		if (close < 0) break;
		at = close + 2;
		if (kind === "#") continue;
		const block = whole.slice(open, at);
		text.push(block);
		written.push(block);
		code.push(withoutLiterals(block));
	}
	return { code: code.join("\n"), written: written.join("\n"), text: text.join("") };
}

const CLOSERS: Readonly<Record<string, string>> = { "{": "}}", "%": "%}", "#": "#}" };

function nextTag(text: string, from: number): number {
	for (let at = text.indexOf("{", from); at >= 0; at = text.indexOf("{", at + 1)) {
		if ("{%#".includes(text[at + 1] ?? " ")) return at;
	}
	return text.length;
}

function withoutLiterals(block: string): string {
	let code = "";
	let quote = "";
	for (let at = 0; at < block.length; at++) {
		const char = block[at] ?? "";
		if (quote === "") {
			code += char;
			if (char === '"' || char === "'") quote = char;
		} else if (char === "\\") {
			at++;
		} else if (char === quote) {
			code += char;
			quote = "";
		}
	}
	return code;
}
