/** A part of a command, and the place of each of its characters in that command; -1 for none. */
export interface Word {
	readonly text: string;
	readonly places: readonly number[];
}

/** True for a line of a command that llama-swap drops. */
export function isCommentLine(line: string): boolean {
	return line.trimStart().startsWith("#");
}

/** Start and end of the lines of a command that llama-swap keeps, without their line ends. */
export function commandLines(cmd: string): readonly (readonly [start: number, end: number])[] {
	const lines: (readonly [number, number])[] = [];
	for (let start = 0; start <= cmd.length; ) {
		const newline = cmd.indexOf("\n", start);
		const end = newline < 0 ? cmd.length : newline;
		if (!isCommentLine(cmd.slice(start, end))) lines.push([start, end]);
		start = end + 1;
	}
	return lines;
}

/** Words of a command as llama-swap splits it. */
export function splitCommand(cmd: string): readonly string[] {
	return commandWords(cmd).map(({ text }) => text);
}

/**
 * The same, with the place of every character. There is no shell: comment lines are dropped, a
 * backslash at a line's end becomes a blank, then quotes and escapes are taken off by the rules of
 * POSIX, or by those of Windows where the command is one for Windows.
 */
export function commandWords(cmd: string): readonly Word[] {
	return wordsIn(joinLines(cmd));
}

/** The words in one that is a command itself, as a shell's script is. */
export function wordsIn(word: Word): readonly Word[] {
	return new Splitter(word, { windows: isForWindows(word.text), script: false }).run()[0] ?? [];
}

/**
 * The simple commands of a shell's script, each as its words: cut at newlines and at `; & | ( )`,
 * without comments and redirections. `windows` for a script of cmd.exe.
 */
export function scriptCommands(script: Word, windows = false): readonly (readonly Word[])[] {
	return new Splitter(script, { windows, script: true }).run().filter(({ length }) => length > 0);
}

/** A text as one word. */
export function wholeWord(text: string): Word {
	return new Whole(text);
}

/** Words as one text again, with blanks between them. */
export function joinWords(words: readonly Word[]): Word {
	const places = words.flatMap((word, at) => (at === 0 ? word.places : [-1, ...word.places]));
	return { text: words.map(({ text }) => text).join(" "), places };
}

/** A word without its first characters. */
export function restOf({ text, places }: Word, from: number): Word {
	return { text: text.slice(from), places: places.slice(from) };
}

/**
 * llama-swap puts a blank in place of a backslash at a line's end and keeps the line's end, within
 * quotes too: to a shell that reads a quoted script, the next line is another command.
 */
function joinLines(cmd: string): Word {
	if (!/#|\\\s*?(?:\n|$)/.test(cmd)) return new Whole(cmd);
	let text = "";
	const places: number[] = [];
	const add = (start: number, end: number): void => {
		text += cmd.slice(start, end);
		for (let at = start; at < end; at++) places.push(at);
	};
	for (const [start, end] of commandLines(cmd)) {
		if (places.length > 0) {
			text += "\n";
			places.push(start - 1);
		}
		const line = cmd.slice(start, end).trimEnd();
		if (line.endsWith("\\")) {
			add(start, start + line.length - 1);
			text += " ";
			places.push(start + line.length - 1);
		} else {
			add(start, end);
		}
	}
	return { text, places };
}

/** A text that is all of the command. */
class Whole implements Word {
	readonly text: string;
	#places: readonly number[] | undefined;

	constructor(text: string) {
		this.text = text;
	}

	get places(): readonly number[] {
		this.#places ??= Array.from({ length: this.text.length }, (_, at) => at);
		return this.#places;
	}
}

/** Parts of another text put together. Most words are asked for their text alone. */
class Parts implements Word {
	text = "";
	readonly #source: Word;
	/** Start and end of each part, one after the other. */
	readonly #bounds: number[] = [];
	#places: readonly number[] | undefined;

	constructor(source: Word) {
		this.#source = source;
	}

	get places(): readonly number[] {
		if (this.#places !== undefined) return this.#places;
		const own: number[] = [];
		const { places } = this.#source;
		for (let at = 0; at < this.#bounds.length; at += 2) {
			const end = this.#bounds[at + 1] ?? 0;
			for (let place = this.#bounds[at] ?? 0; place < end; place++) own.push(places[place] ?? -1);
		}
		this.#places = own;
		return own;
	}

	add(start: number, end: number): void {
		this.text += this.#source.text.slice(start, end);
		this.#bounds.push(start, end);
	}
}

/** Where llama-swap runs shows only in the command: a program `x.exe`, or a path like `C:\models`. */
function isForWindows(cmd: string): boolean {
	return /^\s*(?:"[^"]*\.exe"|[^\s"]*\.exe(?:\s|$))|(?:^|[\s"=])[A-Za-z]:\\/i.test(cmd);
}

interface Dialect {
	readonly windows: boolean;
	/** True where a shell reads the text, and not llama-swap. */
	readonly script: boolean;
}

/** Characters that mean nothing to any shell. */
const PLAIN = /[\w./:=,+@%-]+/y;

/** One pass, character by character, so that no input can make it slow. */
class Splitter {
	readonly #source: Word;
	readonly #text: string;
	readonly #dialect: Dialect;
	readonly #commands: Word[][] = [[]];
	#word: Parts | undefined;
	/** The quote that is open; "" outside of quotes. */
	#quote = "";
	#at = 0;
	/** The next word is the target of a redirection. */
	#isTarget = false;

	constructor(source: Word, dialect: Dialect) {
		this.#source = source;
		this.#text = source.text;
		this.#dialect = dialect;
	}

	run(): readonly (readonly Word[])[] {
		while (this.#at < this.#text.length) this.#step();
		this.#finishWord();
		return this.#commands;
	}

	#step(): void {
		const char = this.#text.charAt(this.#at);
		if (char === "\\" && this.#dialect.windows) {
			this.#windowsBackslashes();
		} else if (this.#quote !== "") {
			this.#quoted(char);
		} else if (char === '"' || (char === "'" && !this.#dialect.windows)) {
			this.#quote = char;
			this.#word ??= new Parts(this.#source);
			this.#at++;
		} else if (char === "\\") {
			this.#at++;
			// A backslash joins two lines.
			if (this.#text.charAt(this.#at) === "\n") this.#at++;
			else if (this.#at < this.#text.length) this.#take();
		} else if (this.#dialect.script && this.#isOperator(char)) {
			this.#operator(char);
		} else if (char === " " || char === "\n" || char === "\t" || char === "\r") {
			this.#finishWord();
			this.#at++;
		} else {
			PLAIN.lastIndex = this.#at;
			this.#take(PLAIN.exec(this.#text)?.[0].length);
		}
	}

	#quoted(char: string): void {
		if (char === this.#quote) {
			this.#quote = "";
			this.#at++;
			return;
		}
		const next = this.#text.charAt(this.#at + 1);
		if (char === "\\" && this.#quote === '"' && next !== "" && '"\\$`\n'.includes(next)) {
			this.#at++;
			if (next === "\n") {
				this.#at++;
				return;
			}
		}
		this.#take();
	}

	/** Backslashes are themselves, except before a double quote: then two of them are one. */
	#windowsBackslashes(): void {
		let end = this.#at;
		while (this.#text.charAt(end) === "\\") end++;
		const count = end - this.#at;
		const isBeforeQuote = this.#text.charAt(end) === '"';
		const taken = isBeforeQuote ? Math.floor(count / 2) : count;
		for (let slash = 0; slash < taken; slash++) this.#take();
		this.#at = end;
		if (isBeforeQuote && count % 2 === 1) this.#take();
	}

	#isOperator(char: string): boolean {
		return (
			";&|()<>\n".includes(char) ||
			(char === "#" && this.#word === undefined) ||
			(char === "$" && this.#text.charAt(this.#at + 1) === "(")
		);
	}

	#operator(char: string): void {
		if (char === "#") {
			const end = this.#text.indexOf("\n", this.#at);
			this.#at = end < 0 ? this.#text.length : end;
		} else if (char === "$") {
			this.#substitution();
		} else if (/^(?:&>|[<>])/.test(this.#text.slice(this.#at, this.#at + 2))) {
			// A number before it names a file descriptor.
			if (/^\d+$/.test(this.#word?.text ?? "")) this.#word = undefined;
			this.#finishWord();
			while (this.#at < this.#text.length && "<>&|".includes(this.#text.charAt(this.#at))) {
				this.#at++;
			}
			this.#isTarget = true;
		} else {
			this.#finishWord();
			this.#isTarget = false;
			this.#commands.push([]);
			this.#at++;
		}
	}

	/** `$(...)` is a part of its word. */
	#substitution(): void {
		let depth = 0;
		do {
			const char = this.#text.charAt(this.#at);
			if (char === "(") depth++;
			else if (char === ")") depth--;
			this.#take();
		} while (this.#at < this.#text.length && (depth > 0 || this.#text.charAt(this.#at) === "("));
	}

	#take(count = 1): void {
		this.#word ??= new Parts(this.#source);
		const end = this.#at + count;
		this.#word.add(this.#at, end);
		this.#at = end;
	}

	#finishWord(): void {
		if (this.#word === undefined) return;
		if (this.#isTarget) this.#isTarget = false;
		else this.#commands.at(-1)?.push(this.#word);
		this.#word = undefined;
	}
}
