/** A repeatable source of choices (mulberry32). */
export interface Dice {
	readonly roll: (sides: number) => number;
	readonly pick: <T>(items: readonly T[]) => T;
	/** True once in so many times. */
	readonly once: (times: number) => boolean;
}

export function dice(seed: number): Dice {
	let state = seed;
	const roll = (sides: number): number => {
		state = (state + 0x6d2b79f5) | 0;
		let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
		mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
		return ((mixed ^ (mixed >>> 14)) >>> 0) % sides;
	};
	return { roll, pick: (items) => items[roll(items.length)]!, once: (times) => roll(times) === 0 };
}

export interface RandomConfig {
	readonly yaml: string;
	/** The words that each model is started with. */
	readonly commands: ReadonlyMap<string, readonly string[]>;
	readonly id: string;
	readonly value: number;
	/** The words afterwards, or the models that must be named in the refusal. */
	readonly expected: readonly string[] | { readonly sharedWith: readonly string[] };
}

const NAMES = ["--ctx-size", "-c", "--ctx_size"];
const IDS = ["m", "qwen3:8b", "a/b.gguf", "modèle", "123", "x y", "__proto__", "o'neil"];

/** One argument: how it is written in a command, and the words that come of it. */
interface Piece {
	readonly written: string;
	readonly words: readonly string[];
}

/** A valid config that llama-swap would take, and an edit of one of its models. */
export function randomConfig(seed: number): RandomConfig {
	const { roll, pick, once } = dice(seed);
	const old = String(1 + roll(9999));
	const value = 20_000 + roll(9999);
	const ids = [...IDS].sort(() => roll(3) - 1).slice(0, 2 + roll(3));
	const id = pick(ids);
	const source = pick([
		"cmd",
		"cmd",
		"cmd",
		"model macro",
		"global macro",
		"shared",
		"anchor",
		"absent",
	]);
	const sharers = source === "shared" ? ids.filter((other) => other !== id && once(2)) : [];

	const head: string[] = once(2) ? ["# llama-swap", "healthCheckTimeout: 60", ""] : [];
	const macros = [`"bin": /opt/llama-server --port \${PORT}`];
	const body: string[] = ["models:"];
	const commands = new Map<string, readonly string[]>();
	let expected: RandomConfig["expected"] = { sharedWith: sharers };
	if (source === "shared" || source === "global macro") macros.push(`"num": ${old}`);

	for (const model of ids) {
		const target = model === id;
		const byMacro = target ? /macro$|^shared$/.test(source) : sharers.includes(model);
		const number = byMacro ? "${num}" : target ? old : String(1 + roll(9999));
		const name = pick(NAMES);
		const setting: Piece = flagPiece(name, number, byMacro ? old : number);
		const hasFlag = target ? source !== "absent" : byMacro || once(2);
		const pieces: Piece[] = [
			{ written: "${bin}", words: ["/opt/llama-server", "--port", "${PORT}"] },
			...noise(),
			...(hasFlag && once(4) ? [flagPiece(pick(NAMES), "7", "7")] : []),
			...(hasFlag ? [setting] : []),
			...noise(),
		];
		const words = pieces.flatMap((piece) => piece.words);
		commands.set(model, words);
		if (target && sharers.length === 0) {
			const text = String(value);
			const at = pieces.indexOf(setting);
			const changed = setting.words.map((word) => word.replace(/(?<=^|=)\d+$/, text));
			expected =
				at < 0
					? [...words, "--ctx-size", text]
					: pieces.flatMap((piece, index) => (index === at ? changed : piece.words));
		}
		const { text, comment } = scalar(pieces.map(({ written }) => written));
		const anchored = target && source === "anchor";
		if (anchored) head.push(`x-cmd: &cmd ${text}`);
		body.push(`  ${JSON.stringify(model)}:${comment}`, `    cmd: ${anchored ? "*cmd" : text}`);
		if (target && source === "model macro") body.push("    macros:", `      num: ${old}`);
		if (once(3)) body.push("    # about it", `    ttl: ${roll(600)}`);
		if (once(3)) body.push("    capabilities: {tools: true}");
		if (once(2)) {
			body.push(
				"    metadata:",
				`      n_ctx: ${byMacro ? "${num}" : number}`,
				"      other: [1, 'é']",
			);
		}
		if (once(4)) body.push("");
	}
	const lines = [...head, "macros:", ...macros.map((macro) => `  ${macro}`), ...body];
	const ending = pick(["\n", "\n", "\r\n"]);
	const text = lines.join("\n") + (once(4) ? "" : "\n");
	const yaml = (once(6) ? "\ufeff" : "") + text.replaceAll("\n", ending);
	return { yaml, commands, id, value, expected };

	function flagPiece(name: string, written: string, word: string): Piece {
		const quote = pick(["", "", "", '"', "'"]);
		if (name.startsWith("--") && once(4)) {
			return { written: `${name}=${written}`, words: [`${name}=${word}`] };
		}
		return { written: `${name} ${quote}${written}${quote}`, words: [name, word] };
	}

	function noise(): readonly Piece[] {
		const all: readonly Piece[] = [
			{ written: "--model /m/é1.gguf", words: ["--model", "/m/é1.gguf"] },
			{ written: "--ctx-size-draft 512", words: ["--ctx-size-draft", "512"] },
			{ written: "--temp-scale 9", words: ["--temp-scale", "9"] },
			{ written: `--prompt "use -c 5 --temp 3 'x'"`, words: ["--prompt", "use -c 5 --temp 3 'x'"] },
			{ written: `--json '{"a": "-ngl 4"}'`, words: ["--json", '{"a": "-ngl 4"}'] },
			{ written: "--flash-attn", words: ["--flash-attn"] },
			{ written: "--name a\\ b", words: ["--name", "a b"] },
		];
		return all.filter(() => once(3));
	}

	/** One cmd in any of YAML's styles, with arguments on lines of their own where that is possible. */
	function scalar(parts: readonly string[]): { text: string; comment: string } {
		const comment = once(4) ? " # one of them" : "";
		const indent = pick(["      ", "        "]);
		const joined = parts.join(" ");
		const folded = parts.join(`\n${indent}`);
		const escaped = (text: string): string => text.replace(/[\\"]/g, "\\$&");
		switch (roll(8)) {
			case 0: {
				const lines = parts.flatMap((part) => (once(5) ? [part, "# -c 3 --temp 3"] : [part]));
				return {
					text: `|${pick(["", "-", "+"])}\n${indent}${lines.join(`\n${indent}`)}${pick(["", "\n"])}`,
					comment,
				};
			}
			case 1:
				return {
					text: `|\n${indent}${parts.join(` \\\n${indent}  `)}${pick(["", " \\"])}`,
					comment,
				};
			case 2:
				return { text: `>${pick(["", "-", "+"])}\n${indent}${folded}${pick(["", "\n"])}`, comment };
			case 3:
				return { text: /["'#]/.test(joined) ? JSON.stringify(joined) : joined, comment };
			case 4:
				return { text: /: /.test(joined) ? `|\n${indent}${joined}` : folded, comment };
			case 5:
				return { text: `'${joined.replaceAll("'", "''")}'`, comment };
			case 6:
				return { text: `"${escaped(joined).replace("é", "\\u00e9")}"${comment}`, comment: "" };
			default:
				return {
					text: `"${parts.map(escaped).join(pick([`\n${indent}`, "\\n", ` \\\n${indent}`]))}"`,
					comment,
				};
		}
	}
}
