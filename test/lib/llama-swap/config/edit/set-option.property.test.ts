import { expect, test } from "vitest";
import { parse } from "yaml";
import { AiServerError } from "../../../../../lib/errors.ts";
import { splitCommand } from "../../../../../lib/llama-server/shell-words.ts";
import {
	type ConfigEdit,
	setPresetKey,
} from "../../../../../lib/llama-swap/config/edit/set-option.ts";
import { modelExcerpt } from "../../../../../lib/llama-swap/config/excerpt.ts";
import { highlightYaml } from "../../../../../lib/llama-swap/config/highlight.ts";
import { dice, randomConfig } from "../../../../support/random-config.ts";
import { rounds } from "../../../../support/rounds.ts";

const SEEDS = Array.from({ length: rounds(600) }, (_, at) => at + 1);

type Tree = Map<string, unknown>;

/** The words of every command, read in another way than the edit does. */
function commandsOf(yaml: string): ReadonlyMap<string, readonly string[]> {
	const root = parse(yaml, { mapAsMap: true }) as Map<string, Tree>;
	return new Map(
		Array.from(root.get("models")!, ([id, model]) => {
			const fields = model as Tree;
			const macros = [...((fields.get("macros") ?? []) as Tree), ...root.get("macros")!];
			const cmd = macros.reduce(
				(text, [name, value]) => text.replaceAll(`\${${name}}`, String(value)),
				String(fields.get("cmd")),
			);
			return [id, splitCommand(cmd)];
		}),
	);
}

/** Makes the reported changes in the old text, line by line. */
function replay(yaml: string, { changes }: ConfigEdit): string {
	const lines = yaml.split("\n");
	const ending = lines[0]!.endsWith("\r") ? "\r" : "";
	for (const { line, before, after } of changes) {
		if (before !== undefined) expect(lines[line - 1]!.replace(/\r$/, "")).toBe(before);
		else if (line > lines.length) lines[line - 2] += ending;
		if (before === undefined)
			lines.splice(line - 1, 0, line > lines.length ? after : after + ending);
		else lines.splice(line - 1, 1, lines[line - 1]!.endsWith("\r") ? `${after}\r` : after);
	}
	return lines.join("\n");
}

test("an edit changes exactly one command and nothing else", () => {
	for (const seed of SEEDS) {
		const { yaml, commands, id, value, expected } = randomConfig(seed);
		const what = `seed ${seed}: ${value} of ${id} in\n${yaml}`;
		expect(Object.fromEntries(commandsOf(yaml)), what).toEqual(Object.fromEntries(commands));
		if ("sharedWith" in expected) {
			expect(() => setPresetKey(yaml, id, "ctx-size", value), what).toThrow(AiServerError);
			for (const other of expected.sharedWith) {
				expect(() => setPresetKey(yaml, id, "ctx-size", value), what).toThrow(other);
			}
			continue;
		}
		const edit = setPresetKey(yaml, id, "ctx-size", value);
		const wanted = new Map([...commands, [id, expected]]);
		expect(Object.fromEntries(commandsOf(edit.yaml)), what).toEqual(Object.fromEntries(wanted));
		expect(replay(yaml, edit), what).toBe(edit.yaml);
		expect(setPresetKey(edit.yaml, id, "ctx-size", value), what).toMatchObject({ changes: [] });
		expect(edit.changes.length, what).toBe(
			1 + edit.kept.filter((path) => ownLine(path, yaml)).length,
		);
	}
});

/** A statement that a macro feeds is not written again. */
function ownLine(path: string, yaml: string): boolean {
	return path === "metadata.n_ctx" && !/n_ctx: \$\{num\}/.test(yaml);
}

test("there and back again gives the same bytes", () => {
	for (const seed of SEEDS) {
		const { yaml, id, value, expected } = randomConfig(seed);
		if ("sharedWith" in expected) continue;
		const edit = setPresetKey(yaml, id, "ctx-size", value);
		if (edit.before === undefined) continue;
		expect(setPresetKey(edit.yaml, id, "ctx-size", edit.before).yaml, yaml).toBe(yaml);
	}
});

const SHARDS = [
	..."{}[]:,#&*!|>'\"%@`-?\\ \t\r\n\0\u00e9\ud83d\ufeff",
	"${num}",
	"${env.X}",
	"<<: *cmd\n",
	"&cmd ",
	"\n---\n",
	"-c 5",
	"\\x4",
	"\n\t",
	"\n    ",
	"models:",
	"macros:\n  a: ${a}\n",
	"[".repeat(2000),
];

test("whatever the text, the only exception is a refusal", () => {
	let edited = 0;
	for (const seed of SEEDS) {
		const { roll, pick, once } = dice(seed + 10_000);
		let { yaml, id } = randomConfig(seed);
		const { value } = randomConfig(seed);
		for (let hits = 1 + roll(3); hits > 0; hits--) {
			const at = roll(yaml.length);
			yaml = yaml.slice(0, at) + (once(3) ? "" : pick(SHARDS)) + yaml.slice(at + roll(4));
		}
		if (once(10)) id = pick(SHARDS);
		for (const act of [
			() => {
				const edit = setPresetKey(yaml, id, "ctx-size", value);
				// Line ends are mixed here, and which one an added line gets does not show in the changes.
				const withoutReturns = (text: string): string => text.replaceAll("\r", "");
				expect(withoutReturns(replay(yaml, edit)), `seed ${seed}`).toBe(withoutReturns(edit.yaml));
				edited++;
			},
			() => modelExcerpt(yaml, id),
			() => highlightYaml(yaml),
		]) {
			try {
				act();
			} catch (error) {
				if (!(error instanceof AiServerError)) throw error;
				expect(error.code).toBe("config");
			}
		}
		const shown = highlightYaml(yaml).map((line) => line.map(({ text }) => text).join(""));
		expect(shown.join("\n"), `seed ${seed}`).toBe(
			yaml.replace(/^\ufeff/, "").replaceAll("\r\n", "\n"),
		);
	}
	expect(edited).toBeGreaterThan(50);
});
