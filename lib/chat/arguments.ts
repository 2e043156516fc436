/**
 * Reads the JSON object of a tool call while it arrives. Linear: every character is looked at once,
 * and `value` is one live object that grows in place, so that it can be shown at any moment.
 */
export interface ArgumentsReader {
	/** What has arrived so far; a string that is still open is in it as far as it goes. */
	readonly value: Record<string, unknown>;
	push(text: string): void;
	/** All text so far. */
	text(): string;
}

export type FinishedArguments =
	| { readonly value: Record<string, unknown> }
	/** Says what is wrong, with the start of the text. */
	| { readonly fault: string };

type Container = Record<string, unknown> | unknown[];
type Expecting = "value" | "key" | "colon" | "separator" | "nothing";

interface Frame {
	readonly container: Container;
	/** The key whose value comes next; undefined in an array. */
	key: string | undefined;
}

const ESCAPES: Readonly<Record<string, string>> = {
	b: "\b",
	f: "\f",
	n: "\n",
	r: "\r",
	t: "\t",
	'"': '"',
	"\\": "\\",
	"/": "/",
};
const BLANK = /[ \t\r\n]/;
const HEX = /[0-9a-fA-F]/;
const WORD_END = /[\s,\]}]/;
/** A quote, an escape or a backslash that starts none, a control character. */
const REPAIRED = /"|\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4})?|[\u0000-\u001f]/g;
/**
 * Any key with an escape, and some values. JSON.parse may take such a key for one that it has read
 * before and that ends in a backslash (nodejs/node#63785).
 */
const ESCAPED_KEY = /\\[\s\S][^"\\]*"\s*:/;

/** A fault in the text stops the live object where it is; `finishArguments` judges the whole. */
export function createArgumentsReader(): ArgumentsReader {
	const value: Record<string, unknown> = {};
	const stack: Frame[] = [];
	let raw = "";
	let expecting: Expecting = "value";
	let broken = false;
	// The token that is being read, which may be cut anywhere.
	let token: "none" | "string" | "escape" | "word" = "none";
	let letters = "";
	let pending = "";

	const place = (item: unknown): void => {
		const frame = stack.at(-1);
		if (frame === undefined) return;
		if (Array.isArray(frame.container)) frame.container.push(item);
		else if (frame.key !== undefined) define(frame.container, frame.key, item);
	};
	/** Puts the open string into the place where it is growing. */
	const show = (item: string, isNew: boolean): void => {
		const frame = stack.at(-1);
		if (frame === undefined || expecting === "key") return;
		if (!Array.isArray(frame.container)) place(item);
		else if (isNew) frame.container.push(item);
		else frame.container[frame.container.length - 1] = item;
	};
	const opened = (container: Container): void => {
		if (stack.length > 0) place(container);
		stack.push({ container, key: undefined });
		expecting = Array.isArray(container) ? "value" : "key";
	};
	/** Behind an item, or at once; not behind a comma, a key or a colon. */
	const mayClose = ({ container, key }: Frame, bracket: string): boolean => {
		if (Array.isArray(container) !== (bracket === "]")) return false;
		if (expecting === "separator") return true;
		return Array.isArray(container)
			? container.length === 0
			: expecting === "key" && key === undefined;
	};
	const closed = (bracket: string): void => {
		const frame = stack.at(-1);
		if (frame === undefined || !mayClose(frame, bracket)) {
			broken = true;
			return;
		}
		stack.pop();
		expecting = stack.length === 0 ? "nothing" : "separator";
	};
	const stringEnded = (): void => {
		token = "none";
		const frame = stack.at(-1);
		if (expecting === "key" && frame !== undefined) {
			frame.key = letters;
			expecting = "colon";
		} else {
			show(letters, false);
			expecting = "separator";
		}
	};
	const wordEnded = (): void => {
		token = "none";
		try {
			place(JSON.parse(letters));
			expecting = "separator";
		} catch {
			broken = true;
		}
	};
	const mark = (character: string): void => {
		const frame = stack.at(-1);
		if (character === '"' && (expecting === "key" || (expecting === "value" && frame))) {
			token = "string";
			letters = "";
			show("", true);
		} else if (character === "{" && expecting === "value") {
			opened(frame === undefined ? value : {});
		} else if (character === "[" && expecting === "value" && frame) opened([]);
		else if (character === "}" || character === "]") closed(character);
		else if (character === ":" && expecting === "colon") expecting = "value";
		else if (character === "," && expecting === "separator") {
			expecting = Array.isArray(frame?.container) ? "value" : "key";
		} else if (expecting === "value" && frame && /[-\dtfn]/.test(character)) {
			token = "word";
			letters = character;
		} else broken = true;
	};
	/** Reads on in an open string from `at`; returns where it stopped. */
	const readString = (text: string, at: number): number => {
		const quote = text.indexOf('"', at);
		const slash = text.indexOf("\\", at);
		const end = Math.min(quote < 0 ? text.length : quote, slash < 0 ? text.length : slash);
		letters += text.slice(at, end);
		if (end === quote) stringEnded();
		else if (end === slash) {
			token = "escape";
			pending = "";
		}
		return end + 1;
	};
	/** False when the character ends an escape that is none, and is to be read again. */
	const readEscape = (character: string): boolean => {
		if (pending === "" ? character === "u" : HEX.test(character)) {
			pending += character;
			if (pending.length < 5) return true;
			letters += String.fromCharCode(Number.parseInt(pending.slice(1), 16));
			token = "string";
			return true;
		}
		token = "string";
		const cut = pending !== "";
		letters += cut ? `\\${pending}` : (ESCAPES[character] ?? `\\${character}`);
		return !cut;
	};

	const push = (text: string): void => {
		raw += text;
		let at = 0;
		while (at < text.length && !broken) {
			const character = text[at] ?? "";
			if (token === "string") at = readString(text, at);
			else if (token === "escape") at += readEscape(character) ? 1 : 0;
			else if (token === "word" && !WORD_END.test(character)) {
				letters += character;
				at += 1;
			} else if (token === "word") wordEnded();
			else {
				if (!BLANK.test(character)) mark(character);
				at += 1;
			}
		}
		if (token === "string" || token === "escape") show(letters, false);
	};
	return { value, push, text: () => raw };
}

/**
 * The whole arguments: strict JSON first, then with the slips that models make repaired (raw line
 * breaks and unknown escapes in strings). Empty text is an empty object.
 */
export function finishArguments(text: string): FinishedArguments {
	if (text.trim() === "") return { value: {} };
	const parsed = parseObject(text) ?? parseObject(repair(text));
	if (parsed !== undefined) return { value: parsed };
	const shown = text.length > 200 ? `${text.slice(0, 200)}...` : text;
	return { fault: `The arguments are not a JSON object: ${shown}` };
}

function parseObject(text: string): Record<string, unknown> | undefined {
	try {
		const value: unknown = JSON.parse(text);
		if (typeof value !== "object" || value === null || Array.isArray(value)) return undefined;
		if (!ESCAPED_KEY.test(text)) return value as Record<string, unknown>;
		const reader = createArgumentsReader();
		reader.push(text);
		return reader.value;
	} catch {
		return undefined;
	}
}

/**
 * Inside strings: control characters escaped, a backslash that starts no escape doubled. No repeated
 * group: one over a string of many megabytes overflows the stack of the regular expression.
 */
function repair(text: string): string {
	let inString = false;
	return text.replace(REPAIRED, (found) => {
		if (found === '"') inString = !inString;
		if (!inString || found.length > 1 || found === '"') return found;
		return JSON.stringify(found).slice(1, -1);
	});
}

/** `__proto__` must become a property like any other, as JSON.parse makes it. */
function define(target: Record<string, unknown>, key: string, value: unknown): void {
	if (key !== "__proto__") target[key] = value;
	else
		Object.defineProperty(target, key, {
			value,
			writable: true,
			enumerable: true,
			configurable: true,
		});
}
