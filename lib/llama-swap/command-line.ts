/**
 * Reads the context size out of a llama-server command as llama-swap holds it: newlines, backslash
 * joins, quotes and "#" lines as written in the YAML or in `/running`. The last flag wins, as in
 * llama.cpp. Undefined when there is no flag, or when it leaves the size to the model (`-c 0`).
 */
export function extractCtxFromRunningCmd(cmd: string): number | undefined {
	return lastContextSize(ownArguments(splitCommand(cmd)));
}

/**
 * Words of a command as llama-swap splits it (POSIX shlex without a shell): lines that begin with
 * "#" dropped, backslash-newline joined, single and double quotes taken off.
 */
export function splitCommand(cmd: string): readonly string[] {
	const text = cmd
		.split(/\r?\n/)
		.filter((line) => !line.trimStart().startsWith("#"))
		.join("\n")
		.replace(/\\[ \t]*(?:\n|$)/g, " ");
	const words: string[] = [];
	for (const [raw] of text.matchAll(/(?:"(?:\\[\s\S]|[^"\\])*"?|'[^']*'?|\\[\s\S]|[^\s"'\\])+/g)) {
		words.push(unquote(raw));
	}
	return words;
}

function unquote(raw: string): string {
	return raw.replace(
		/"((?:\\[\s\S]|[^"\\])*)"?|'([^']*)'?|\\([\s\S])/g,
		(_, double, single, one) => {
			if (double !== undefined) return double.replace(/\\(["\\$`])/g, "$1");
			return single ?? one;
		},
	);
}

const SHELLS = /(?:^|\/)(?:ba|da|z|k|a)?sh$/;
const CONTAINERS = /(?:^|\/)(?:docker|podman|nerdctl)$/;
/** The flags of `docker run` that take no value; every other flag takes one. */
const CONTAINER_SWITCHES =
	/^(?:-[ditPq]+|--(?:detach|interactive|tty|rm|init|privileged|read-only|publish-all|quiet|no-healthcheck|oom-kill-disable|sig-proxy)|--[^=]+=.*|-[^-].+)$/;

/** The words that are the server's own arguments: behind a shell's `-c`, or behind a container's image. */
function ownArguments(words: readonly string[]): readonly string[] {
	const program = words[0] ?? "";
	if (SHELLS.test(program)) {
		const at = words.findIndex((word) => /^-[a-z]*c$/.test(word));
		const script = at < 0 ? undefined : words[at + 1];
		return script === undefined ? words : ownArguments(splitCommand(script));
	}
	if (!CONTAINERS.test(program)) return words;
	let at = words.indexOf("run") + 1;
	if (at === 0) return words;
	while (at < words.length && words[at]?.startsWith("-")) {
		at += CONTAINER_SWITCHES.test(words[at] ?? "") ? 1 : 2;
	}
	return words.slice(at + 1);
}

function lastContextSize(words: readonly string[]): number | undefined {
	let size: number | undefined;
	words.forEach((word, index) => {
		const joined = /^--ctx-size=(.*)$/.exec(word)?.[1];
		if (joined !== undefined) size = parseSize(joined);
		else if ((word === "-c" || word === "--ctx-size") && index + 1 < words.length) {
			size = parseSize(words[index + 1] ?? "");
		}
	});
	return size;
}

/** Tokens; undefined for 0 (llama.cpp: the trained size) and for what no context can be. */
function parseSize(text: string): number | undefined {
	if (!/^\d{1,10}$/.test(text)) return undefined;
	const size = Number(text);
	return size > 0 && size < 2 ** 31 ? size : undefined;
}
