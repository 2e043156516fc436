import { execFileSync } from "node:child_process";
import { expect, test } from "vitest";
import { block } from "../support/document.ts";
import { ROOT } from "../support/pi.ts";

/** Beside the architecture: what every repository has, and the settings of its tools. */
const NOT_LISTED =
	/^\.|^[A-Z]|^(?:package|package-lock|tsconfig|biome)\.json$|^vitest\.config\.ts$/;

test("the layout lists what lies at the top, and nothing else", async () => {
	const tracked = execFileSync("git", ["ls-files"], { cwd: ROOT, encoding: "utf8" })
		.split("\n")
		.map((path) => path.replace(/\/.*/, "/"))
		.filter((path) => path !== "" && !NOT_LISTED.test(path));
	const names = [...(await block("layout")).matchAll(/[├└]── ((?:\S+ {2})*\S+)/g)];
	const listed = names.flatMap(([, cell = ""]) => cell.split(/ {2,}/));
	const known = listed.filter((name) => /(?:\/|\.ts)$/.test(name));
	expect(known.toSorted()).toEqual([...new Set(tracked)].toSorted());
});
