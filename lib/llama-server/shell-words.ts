/** A command without the lines that llama-swap drops: those whose first character is "#". */
export function withoutComments(cmd: string): string {
	return cmd
		.split(/\r?\n/)
		.filter((line) => !line.trimStart().startsWith("#"))
		.join("\n");
}

/**
 * Words of a command as llama-swap splits it (POSIX shlex without a shell): lines that begin with
 * "#" dropped, backslash-newline joined, single and double quotes taken off.
 */
export function splitCommand(cmd: string): readonly string[] {
	return commandsOf(joinLines(cmd), false)[0] ?? [];
}

/** The simple commands of a shell script, each as its words: cut at newlines and at `; & | ( )`. */
export function splitScript(script: string): readonly (readonly string[])[] {
	return commandsOf(script.replace(/\\\r?\n/g, " "), true).filter((words) => words.length > 0);
}

function joinLines(cmd: string): string {
	return withoutComments(cmd).replace(/\\[ \t]*(?:\n|$)/g, " ");
}

/** One pass, character by character, so that no input can make it slow. */
function commandsOf(text: string, shell: boolean): readonly (readonly string[])[] {
	const commands: string[][] = [[]];
	let word: string | undefined;
	let quote = "";
	const finishWord = (): void => {
		if (word !== undefined) commands.at(-1)?.push(word);
		word = undefined;
	};
	for (let at = 0; at < text.length; at++) {
		const char = text[at] ?? "";
		const next = text[at + 1];
		if (quote !== "" && char === quote) {
			quote = "";
		} else if (char === "\\" && quote === '"') {
			const escaped = next !== undefined && '"\\$`'.includes(next);
			word += escaped ? next : char;
			if (escaped) at++;
		} else if (quote !== "") {
			word += char;
		} else if (char === '"' || char === "'") {
			quote = char;
			word ??= "";
		} else if (char === "\\") {
			if (next !== undefined) word = (word ?? "") + next;
			at++;
		} else if (shell && ";&|()\n".includes(char)) {
			finishWord();
			commands.push([]);
		} else if (/\s/.test(char)) {
			finishWord();
		} else {
			word = (word ?? "") + char;
		}
	}
	finishWord();
	return commands;
}
