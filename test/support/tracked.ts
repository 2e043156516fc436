import { execFileSync } from "node:child_process";
import { ROOT } from "./pi.ts";

/** Every path that git tracks, from the root of the repository. */
export const TRACKED: readonly string[] = execFileSync("git", ["ls-files"], {
	cwd: ROOT,
	encoding: "utf8",
})
	.split("\n")
	.filter((path) => path !== "");
