import { restOf, type Word, wholeWord, wordsIn } from "../llama-server/shell-words.ts";
import { isCertain, isReference, isSecret } from "./names.ts";

/** How far scripts are followed into each other. */
const MAX_DEPTH = 6;

const OPTION = /^--?([A-Za-z][\w-]*)$/;
const JOINED = /^--?([A-Za-z][\w-]*)=/;
/** `NAME=value`, also behind an option that it is joined to: `-eNAME=value`, `--env=NAME=value`. */
const ASSIGNMENT = /^(?:-[a-zA-Z]*e=?|--?[\w-]+=)?([A-Za-z_]\w*)=/;
const HEADER_OPTION = /^(?:-H|--?headers?)$/;
const HEADER = /^(?:-H|--?headers?=)?([\w-]+):\s*(?:(?:basic|bearer|token)\s+)?/i;
const SECRET_HEADER = /^(?:proxy-)?authorization$|^(?:set-)?cookie$/i;

/** Programs with options of their own for a login. */
const LOGIN_PROGRAM = /(?:^|[\\/(;&|`])(curl|sshpass)(?:\.exe)?$/i;
const CURL_LOGIN = /^(?:-[a-zA-Z]*[uU]|--user|--proxy-user)$/;
const CURL_LOGIN_JOINED = /^(?:-[uU]|--(?:proxy-)?user=)(?=[^-])/;

/** Words that follow an option in a sentence about it. */
const PROSE =
	/^(?:to|for|is|are|and|or|in|with|from|as|the|a|an|if|when|on|must|should|can|here|below|above|needs|option|instead|only|not|was|because|of|by)$/i;

export interface SearchOptions {
	/** The text may be a sentence, in which an option need not have a value. */
	readonly isProse?: boolean;
}

/** The secrets in a text: what stands in it like an option, a variable, a URL or a header. */
export function secretsInText(text: string, options: SearchOptions = {}): readonly Word[] {
	const whole = wholeWord(text);
	const found = [...secretsInWords(wordsIn(whole), options), ...secretsByPattern(whole)];
	return found.filter((word) => !isReference(word.text));
}

/** The secrets in the words of a command, and references to such; scripts within it are followed. */
export function secretsInWords(
	words: readonly Word[],
	options: SearchOptions = {},
	depth = 0,
): readonly Word[] {
	let program = "";
	return words.flatMap((word, at) => {
		const lead = words[at - 1]?.text ?? "";
		program = programAt(word.text, lead, program);
		const own = isScript(word, lead) ? undefined : ownSecret(word, lead, program, options);
		if (/[;&|]$/.test(word.text)) program = "";
		if (own !== undefined) return own;
		// A script, a header, or a sentence.
		return /\s/.test(word.text) ? secretsInWords(innerWords(word, depth), options, depth + 1) : [];
	});
}

/** True for `sh -c "A=1 program"`; not for `A="1 2"`, whose quotes are within the word. */
function isScript({ text, places }: Word, lead: string): boolean {
	if (!/\s/.test(text)) return false;
	if (/^-[a-z]*c$/.test(lead)) return true;
	const equals = /^[A-Za-z_]\w*=/.exec(text)?.[0].length;
	if (equals === undefined || /^(?:-\w*e|--env|--build-arg)$/.test(lead)) return false;
	return places[equals] === (places[equals - 1] ?? -1) + 1;
}

function innerWords(word: Word, depth: number): readonly Word[] {
	if (depth < MAX_DEPTH) return wordsIn(word);
	return [...word.text.matchAll(/[^\s"'`]+/g)].map(({ 0: text, index }) => ({
		text,
		places: word.places.slice(index, index + text.length),
	}));
}

/** The program whose options a word may be one of; only those with a login of their own count. */
function programAt(text: string, lead: string, before: string): string {
	const [, started] = LOGIN_PROGRAM.exec(text) ?? [];
	if (started !== undefined) return started.toLowerCase();
	// Behind its own options, sshpass names the program to run.
	const isOwn = text.startsWith("-") || /^-[pfdP]$/.test(lead);
	return before === "sshpass" && !isOwn ? "" : before;
}

/** What of a word is secret by what stands before it; undefined where nothing shows that. */
function ownSecret(
	word: Word,
	lead: string,
	program: string,
	{ isProse = false }: SearchOptions,
): readonly Word[] | undefined {
	const { text } = word;
	const login = loginIn(word, lead, program);
	if (login !== undefined) return [login];
	const [, option] = OPTION.exec(lead) ?? [];
	const isValue = !/^--?[A-Za-z]/.test(text) && !(isProse && PROSE.test(text));
	if (option !== undefined && isValue && isSecret(option, text)) return [word];
	const header = headerIn(word, lead);
	if (header !== undefined) return [header];
	for (const pattern of [JOINED, ASSIGNMENT]) {
		const [start = "", name = ""] = pattern.exec(text) ?? [];
		if (start !== "" && isSecret(name, text.slice(start.length))) {
			return [restOf(word, start.length)];
		}
	}
	return undefined;
}

/** The password for `curl -u user:password` and `sshpass -p password`, and a cookie. */
function loginIn(word: Word, lead: string, program: string): Word | undefined {
	const { text } = word;
	if (program === "curl" && /^(?:-b|--cookie)$/.test(lead)) {
		const equals = text.indexOf("=");
		return equals < 0 ? undefined : restOf(word, equals + 1);
	}
	if (program === "curl") {
		const start = CURL_LOGIN.test(lead) ? 0 : CURL_LOGIN_JOINED.exec(text)?.[0].length;
		const colon = start === undefined ? -1 : text.indexOf(":", start);
		return colon < 0 ? undefined : restOf(word, colon + 1);
	}
	if (program === "sshpass") {
		if (lead === "-p") return word;
		return /^-p./.test(text) ? restOf(word, 2) : undefined;
	}
	return undefined;
}

function headerIn(word: Word, lead: string): Word | undefined {
	const { text } = word;
	const isHeader = HEADER_OPTION.test(lead) || /^(?:-H|--?headers?=)./.test(text);
	if (!isHeader) return undefined;
	const [start = "", name = ""] = HEADER.exec(text) ?? [];
	const value = text.slice(start.length);
	if (start !== "" && value !== "" && (SECRET_HEADER.test(name) || isSecret(name, value))) {
		return restOf(word, start.length);
	}
	const [bearer] = /^[\s\S]*?\bbearer\s+/i.exec(text) ?? [];
	return bearer === undefined ? undefined : restOf(word, bearer.length);
}

/** Each finds a name, or none, and then the value. */
const PATTERNS: readonly RegExp[] = [
	// The password of a URL.
	/:\/\/[^\s/?#"'`@:]*:(?<value>[^\s/?#"'`]*)@/dg,
	// A token in a URL's place for the user, which no name is as long as.
	/https?:\/\/(?<value>[^\s/?#"'`@:]{20,})@/dg,
	// A parameter of a URL.
	/[?&](?<name>[\w.-]+)=(?<value>[^\s&#"'`;]+)/dg,
	/authorization["']?[ \t]*[:=][ \t]*["']?(?:basic|bearer|token|digest|apikey)[ \t]+(?<value>[^\s"'\\,;}]+)/dgi,
	// JSON.
	/["'](?<name>[\w.-]+)\\?["'][ \t]*:[ \t]*\\?["'](?<value>[^"'\\\n]+)/dg,
];

/** What a whole text shows to be secret, however it is cut into words. */
export function secretsByPattern(text: Word): readonly Word[] {
	return PATTERNS.flatMap((pattern) =>
		[...text.text.matchAll(pattern)].flatMap(({ groups = {}, indices }) => {
			const { name, value = "" } = groups;
			const [start, end] = indices?.groups?.["value"] ?? [0, 0];
			const isNamed = name === undefined ? isSecret("password", value) : isSecret(name, value);
			// A parameter's or a field's name alone says little.
			if (!isNamed || (name !== undefined && !isCertain(name) && !/token|key/i.test(name)))
				return [];
			return [{ text: value, places: text.places.slice(start, end) }];
		}),
	);
}
