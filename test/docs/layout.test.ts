import { dirname } from "node:path";
import { expect, test } from "vitest";
import { block, readPage } from "../support/document.ts";
import { TRACKED } from "../support/tracked.ts";

/** Besides the architecture: what every repository has, and the settings of its tools. */
const NOT_LISTED =
	/^\.|^[A-Z]|^(?:package|package-lock|tsconfig|biome)\.json$|^vitest\.config\.ts$/;

/** The names of one line of a tree, which two blanks separate from each other and from the comment. */
function namesIn(tree: string): readonly string[] {
	const lines = [...tree.matchAll(/[├└]── ((?:\S+ {2})*\S+)/g)];
	const names = lines.flatMap(([, cell = ""]) => cell.split(/ {2,}/));
	return names.filter((name) => /(?:\/|\.ts)$/.test(name));
}

test("the README's layout lists what lies at the top, and nothing else", async () => {
	const top = TRACKED.map((path) => path.replace(/\/.*/, "/")).filter(
		(path) => !NOT_LISTED.test(path),
	);
	expect(namesIn(await block("layout")).toSorted()).toEqual([...new Set(top)].toSorted());
});

test("the design lists every folder that pi loads code from, and nothing else", async () => {
	const rooms = /^(?:commands|session|ui|discovery|admin|messages|stream|lib)(?:\/|$)/;
	const folders = new Set(TRACKED.map(dirname).filter((folder) => rooms.test(folder)));
	const listed = [...(await block("rooms")).matchAll(/^(\S+)\/ {2,}\S/gm)];
	expect(listed.map(([, folder]) => folder).toSorted()).toEqual([...folders].toSorted());
});

test.each(["docs/design.md", "CONTRIBUTING.md"])(
	"every file that %s names exists",
	async (page) => {
		const text = await readPage(page);
		const named = [...text.matchAll(/`([\w./-]+\.(?:ts|json|md))`/g)].map(([, path = ""]) => path);
		expect(named.length).toBeGreaterThan(5);
		expect(named.filter((path) => !TRACKED.includes(path))).toEqual([]);
	},
);
