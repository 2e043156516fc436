const MASK = "***";
/** No secret: one that is masked, or that only names where the secret is, or the end of a line. */
const HARMLESS = /^["']?(?:\$\{.*\}|\*+|\\|\||>|null|~)["']?$/;
const NAMED = "(?:api[_-]?key|token|secret|passw(?:or)?d)";
const WORD = `("[^"]*"|'[^']*'|[^\\s"']+)`;
/** `HF_TOKEN=hf_abc`, in a command or in `env`. */
const ASSIGNED: RegExp = new RegExp(`([\\w-]*${NAMED}=)${WORD}`, "gi");
/** `--api-key abc`; `--api-key-file` names a file, which is no secret. */
const FLAG: RegExp = new RegExp(`((?:^|\\s)--api-key\\s+)${WORD}`, "g");
/** The word that stands alone on the line behind a flag's. */
const FIRST: RegExp = new RegExp(`^(\\s*)${WORD}`);
const BEARER: RegExp = new RegExp(`(\\bBearer\\s+)${WORD}`, "gi");
/** `apiKey: abc`, also in braces. */
const ENTRY: RegExp = new RegExp(
	`((?:^|[\\s,{])["']?[\\w-]*${NAMED}["']?\\s*:\\s+)("[^"]*"|'[^']*'|\\$\\{[^}]*\\}|[^\\s"'#,}][^#,}]*?(?=\\s*(?:$|[#,}])))`,
	"gi",
);

/**
 * The text of a llama-swap config, whole or in part, with the values of keys, tokens and passwords
 * replaced by ***: what is shown stays in pi's session file and on the screen. Lines stay lines.
 */
export function maskSecrets(text: string): string {
	let list: number | undefined;
	let flow = false;
	let flagged = false;
	const mask = (line: string): string => {
		const indent = line.search(/\S|$/);
		if (flow) {
			flow = !line.includes("]");
			return `${line.slice(0, indent)}${MASK}${flow ? "" : line.slice(line.indexOf("]"))}`;
		}
		if (list !== undefined) {
			const [, dash = "", rest = ""] = /^(\s*-\s+)(.*)$/.exec(line) ?? [];
			if (dash !== "" && indent >= list) return dash + maskItem(rest);
			if (!/^\s*(?:#|$)/.test(line)) list = undefined;
		}
		const [, keys = "", values = ""] = /^(\s*["']?apiKeys["']?\s*:\s*)(.*)$/.exec(line) ?? [];
		if (keys !== "") {
			if (values === "" || values.startsWith("#")) list = indent;
			flow = values.startsWith("[") && !values.includes("]");
			return values.startsWith("[")
				? `${keys}[${MASK}${flow ? "" : values.slice(values.indexOf("]"))}`
				: line;
		}
		// A command's words may each have a line of their own.
		const parted = flagged ? line.replace(FIRST, hide) : line;
		flagged = /(?:^|\s)--api-key\s*\\?\s*$/.test(line);
		return [ASSIGNED, FLAG, BEARER, ENTRY].reduce((shown, secret) => {
			return shown.replace(secret, hide);
		}, parted);
	};
	return text.split("\n").map(mask).join("\n");
}

function hide(whole: string, before: string, value: string): string {
	if (HARMLESS.test(value)) return whole;
	const quote = /^["']/.exec(value)?.[0] ?? "";
	return `${before}${quote}${MASK}${quote}`;
}

function maskItem(item: string): string {
	return item.replace(/^()("[^"]*"|'[^']*'|[^#]*?)(?=\s*(?:#|$))/, hide);
}
