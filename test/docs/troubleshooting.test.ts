import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { VARIABLES } from "../../config.ts";
import { PAGES, readPage, tableRows } from "../support/document.ts";
import { ROOT } from "../support/pi.ts";
import { TRACKED } from "../support/tracked.ts";

const PAGE = "docs/troubleshooting.md";
const errors = await tableRows(PAGE, "## Errors in pi");
const symptoms = await Promise.all(
	["## Models and commands", "## llama-swap and systemd", "## Browsers"].map((heading) =>
		tableRows(PAGE, heading),
	),
);
const rows = [...errors, ...symptoms.flat()];

/** The source of everything that pi loads, with every string the program can show. */
async function sources(): Promise<string> {
	const code = TRACKED.filter(
		(path) => path.endsWith(".ts") && !/^(?:test|bench|demo|hosts|scripts)\//.test(path),
	);
	const texts = await Promise.all(code.map((path) => readFile(join(ROOT, path), "utf8")));
	return texts.join("\n");
}

/** What the layer above appends to a hint: the variable, or the command to type. */
const APPENDED = / \(AI_SERVER_[A-Z_]+(?:, AI_SERVER_[A-Z_]+)*\)$|: \/ai-server-[a-z]+$/;

/** The fixed parts of a message: what stands between its <placeholders>. */
function fixedParts(message: string): readonly string[] {
	return message
		.replace(APPENDED, "")
		.split(/<[^>]+>/)
		.map((part) => part.trim())
		.filter((part) => part.length > 2);
}

test.each(errors.map(([message = "", , advice = ""]) => [message, advice] as const))(
	"%s",
	async (message, advice) => {
		const program = await sources();
		const messages = [...message.matchAll(/`([^`]+)`/g)].map(([, text = ""]) => text);
		const hints = [...advice.matchAll(/(?<!\S)\*([^*]+)\*/g)].map(([, text = ""]) => text);
		const parts = [...messages, ...hints].flatMap(fixedParts);
		expect(messages).not.toEqual([]);
		expect(parts.filter((part) => !program.includes(part))).toEqual([]);
	},
);

test("the tables have the program's errors and the original's twelve rows", () => {
	expect(errors.length).toBeGreaterThan(15);
	expect(rows.length).toBeGreaterThan(30);
	expect(rows.filter((cells) => cells.length !== 3)).toEqual([]);
});

test("the README's rows are rows of the page", async () => {
	const frequent = await tableRows("README.md", "## Troubleshooting");
	expect(frequent.length).toBeGreaterThan(5);
	for (const row of frequent) expect(rows).toContainEqual(row);
});

test("the pages name no variable that does not exist", async () => {
	const known = new Set(VARIABLES.map(({ name }) => name));
	const text = (await Promise.all(PAGES.map(readPage))).join("\n");
	const named = text.match(/\bAI_SERVER_[A-Z_]+[A-Z]\b/g) ?? [];
	expect([...new Set(named)].filter((name) => !known.has(name))).toEqual([]);
});
