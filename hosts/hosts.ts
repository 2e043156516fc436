import { readdirSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

/** The pi versions this project is tested against: the newest first, which is also the default. */
export const HOSTS = ["1.6.0", "1.3.0"] as const;
export type Host = (typeof HOSTS)[number];

/** The host that PI_HOST names, or the newest. Throws for a version that is not installed here. */
export function chosenHost(env: Readonly<Record<string, string | undefined>>): Host {
	const wanted = env["PI_HOST"];
	if (wanted === undefined || wanted === "") return HOSTS[0];
	const host = HOSTS.find((version) => version === wanted);
	if (host === undefined) throw new Error(`PI_HOST=${wanted}: choose ${HOSTS.join(" or ")}`);
	return host;
}

/** The program to spawn with Node: `[process.execPath, cliPath(host), ...]`. */
export function cliPath(host: Host): string {
	return join(bundle(host), "cli.js");
}

/** The file whose VIRTUAL_MODULES are the modules that this host's extensions import. */
export function virtualModulesPath(host: Host): string {
	const chunks = join(bundle(host), "chunks");
	const name = readdirSync(chunks).find((file) => /^virtual-modules-.*\.js$/.test(file));
	if (name === undefined) throw new Error(`pi ${host} has no virtual-modules chunk in ${chunks}`);
	return join(chunks, name);
}

function bundle(host: Host): string {
	return fileURLToPath(new URL(`node_modules/pi-${host}/dist/bundle`, import.meta.url));
}
