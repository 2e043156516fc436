/**
 * Reads the JSON object of a tool call while it arrives. Linear: every character is looked at once,
 * and `value` is one live object that grows in place, so that it can be shown at any moment.
 */
export interface ArgumentsReader {
	/** What has arrived so far; a string that is still open is in it as far as it goes. */
	readonly value: Record<string, unknown>;
	push(text: string): void;
	/** Whether the object has come to its end. */
	isComplete(): boolean;
	/** All text so far. */
	text(): string;
}

export type FinishedArguments =
	| { readonly value: Record<string, unknown> }
	/** What is wrong, with the start of the text. */
	| { readonly error: string };

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

export function createArgumentsReader(): ArgumentsReader {
	return new Reader();
}

/** An error in the text stops the live object where it is; `finishArguments` judges the whole. */
class Reader implements ArgumentsReader {
	readonly value: Record<string, unknown> = {};
	private readonly stack: Frame[] = [];
	private raw = "";
	private expecting: Expecting = "value";
	private broken = false;
	/** The token that is being read, which may be cut anywhere. */
	private token: "none" | "string" | "escape" | "word" = "none";
	private letters = "";
	private pending = "";

	text(): string {
		return this.raw;
	}

	isComplete(): boolean {
		return this.expecting === "nothing" && !this.broken;
	}

	push(text: string): void {
		this.raw += text;
		let at = 0;
		while (at < text.length && !this.broken) {
			const character = text[at] ?? "";
			if (this.token === "string") at = this.readString(text, at);
			else if (this.token === "escape") at += this.readEscape(character) ? 1 : 0;
			else if (this.token === "word" && !WORD_END.test(character)) {
				this.letters += character;
				at += 1;
			} else if (this.token === "word") this.endWord();
			else {
				if (!BLANK.test(character)) this.readMark(character);
				at += 1;
			}
		}
		if (this.token === "string" || this.token === "escape") this.show(this.letters, false);
	}

	/** Reads on in an open string from `at`; returns where it stopped. */
	private readString(text: string, at: number): number {
		const quote = text.indexOf('"', at);
		const slash = text.indexOf("\\", at);
		const end = Math.min(quote < 0 ? text.length : quote, slash < 0 ? text.length : slash);
		this.letters += text.slice(at, end);
		if (end === quote) this.endString();
		else if (end === slash) {
			this.token = "escape";
			this.pending = "";
		}
		return end + 1;
	}

	/** False when the character ends an invalid escape, and is to be read again. */
	private readEscape(character: string): boolean {
		if (this.pending === "" ? character === "u" : HEX.test(character)) {
			this.pending += character;
			if (this.pending.length < 5) return true;
			this.letters += String.fromCharCode(Number.parseInt(this.pending.slice(1), 16));
			this.token = "string";
			return true;
		}
		this.token = "string";
		const cut = this.pending !== "";
		this.letters += cut ? `\\${this.pending}` : (ESCAPES[character] ?? `\\${character}`);
		return !cut;
	}

	private readMark(character: string): void {
		const { expecting } = this;
		const frame = this.stack.at(-1);
		if (character === '"' && (expecting === "key" || (expecting === "value" && frame))) {
			this.token = "string";
			this.letters = "";
			this.show("", true);
		} else if (character === "{" && expecting === "value") {
			this.open(frame === undefined ? this.value : {});
		} else if (character === "[" && expecting === "value" && frame) this.open([]);
		else if (character === "}" || character === "]") this.close(character);
		else if (character === ":" && expecting === "colon") this.expecting = "value";
		else if (character === "," && expecting === "separator") {
			this.expecting = Array.isArray(frame?.container) ? "value" : "key";
		} else if (expecting === "value" && frame && /[-\dtfn]/.test(character)) {
			this.token = "word";
			this.letters = character;
		} else this.broken = true;
	}

	private endString(): void {
		this.token = "none";
		const frame = this.stack.at(-1);
		if (this.expecting === "key" && frame !== undefined) {
			frame.key = this.letters;
			this.expecting = "colon";
		} else {
			this.show(this.letters, false);
			this.expecting = "separator";
		}
	}

	private endWord(): void {
		this.token = "none";
		try {
			this.place(JSON.parse(this.letters));
			this.expecting = "separator";
		} catch {
			this.broken = true;
		}
	}

	private open(container: Container): void {
		if (this.stack.length > 0) this.place(container);
		this.stack.push({ container, key: undefined });
		this.expecting = Array.isArray(container) ? "value" : "key";
	}

	private close(bracket: string): void {
		const frame = this.stack.at(-1);
		if (frame === undefined || !this.mayClose(frame, bracket)) {
			this.broken = true;
			return;
		}
		this.stack.pop();
		this.expecting = this.stack.length === 0 ? "nothing" : "separator";
	}

	/** After an item, or at once; not after a comma, a key or a colon. */
	private mayClose({ container, key }: Frame, bracket: string): boolean {
		if (Array.isArray(container) !== (bracket === "]")) return false;
		if (this.expecting === "separator") return true;
		return Array.isArray(container)
			? container.length === 0
			: this.expecting === "key" && key === undefined;
	}

	private place(item: unknown): void {
		const frame = this.stack.at(-1);
		if (frame === undefined) return;
		if (Array.isArray(frame.container)) frame.container.push(item);
		else if (frame.key !== undefined) define(frame.container, frame.key, item);
	}

	/** Puts the open string into the place where it is growing. */
	private show(item: string, isNew: boolean): void {
		const frame = this.stack.at(-1);
		if (frame === undefined || this.expecting === "key") return;
		if (!Array.isArray(frame.container)) this.place(item);
		else if (isNew) frame.container.push(item);
		else frame.container[frame.container.length - 1] = item;
	}
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
	return { error: `The arguments are not a JSON object: ${shown}` };
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
