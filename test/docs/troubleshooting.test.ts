import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { VARIABLES } from "../../config.ts";
import { readDocument, tableRows } from "../support/document.ts";
import { ROOT } from "../support/pi.ts";

const rows = await tableRows("## Troubleshooting");
const told = rows.filter(([symptom]) => symptom?.startsWith("pi says "));

/** Every string the program can say, as it stands in its source. */
async function sources(): Promise<string> {
	const folders = ["", "lib", "commands"].map(async (folder) => {
		const recursive = folder !== "";
		const names = await readdir(join(ROOT, folder), { recursive });
		return names.filter((name) => name.endsWith(".ts")).map((name) => join(ROOT, folder, name));
	});
	const paths = (await Promise.all(folders)).flat();
	const texts = await Promise.all(paths.map((path) => readFile(path, "utf8")));
	return texts.join("\n");
}

/** The fixed parts of a message: what stands between its <placeholders>. */
function fixedParts(message: string): readonly string[] {
	return message
		.split(/<[^>]+>/)
		.map((part) => part.trim())
		.filter((part) => part.length > 2);
}

test.each(told.map(([symptom = "", , advice = ""]) => [symptom, advice] as const))(
	"%s",
	async (symptom, advice) => {
		const program = await sources();
		const messages = [...symptom.matchAll(/`([^`]+)`/g)].map(([, text = ""]) => text);
		const hints = [...advice.matchAll(/(?<!\S)\*([^*]+)\*/g)].map(([, text = ""]) => text);
		const parts = [...messages, ...hints].flatMap(fixedParts);
		expect(messages).not.toEqual([]);
		expect(parts.filter((part) => !program.includes(part))).toEqual([]);
	},
);

test("the table has the program's faults and the original's twelve", () => {
	expect(told.length).toBeGreaterThan(15);
	expect(rows.length).toBeGreaterThan(30);
	expect(rows.filter((cells) => cells.length !== 3)).toEqual([]);
});

test("nothing in the document names a variable that does not exist", async () => {
	const known = new Set(VARIABLES.map(({ name }) => name));
	const named = (await readDocument()).match(/\bAI_SERVER_[A-Z_]+[A-Z]\b/g) ?? [];
	expect([...new Set(named)].filter((name) => !known.has(name))).toEqual([]);
});
