// Installs both hosts on first need, and again when their lockfile changed. Plain JavaScript, so
// that it runs before anything else is there.
import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

const folder = fileURLToPath(new URL(".", import.meta.url));
const stamp = `${folder}node_modules/.installed`;
const lock = createHash("sha256")
	.update(readFileSync(`${folder}package-lock.json`))
	.digest("hex");

if (!existsSync(stamp) || readFileSync(stamp, "utf8") !== lock) {
	console.error("Installing pi 1.6.0 and pi 1.3.0 into hosts/ (once, about 10 seconds) ...");
	const { status } = spawnSync("npm", ["ci", "--no-audit", "--no-fund", "--loglevel=error"], {
		cwd: folder,
		stdio: ["ignore", "ignore", "inherit"],
		shell: process.platform === "win32",
	});
	if (status !== 0) {
		console.error("That failed. Try `npm ci` in the folder hosts/ to see why.");
		process.exit(1);
	}
	writeFileSync(stamp, lock);
}
