import { pathToFileURL } from "node:url";
import type { Plugin } from "vitest/config";
import { type Host, virtualModulesPath } from "./hosts.ts";

type Modules = Readonly<Record<string, Readonly<Record<string, unknown>>>>;

/**
 * Lets unit tests import the host's packages (`@earendil-works/pi-ai` and the rest) as an extension
 * does: out of the real host's own bundle, because the published packages do not load by themselves.
 */
export async function hostModules(host: Host): Promise<Plugin> {
	const chunk = pathToFileURL(virtualModulesPath(host)).href;
	const { VIRTUAL_MODULES } = (await import(chunk)) as { VIRTUAL_MODULES: Modules };
	return {
		name: "host-modules",
		enforce: "pre",
		resolveId: (id) => (Object.hasOwn(VIRTUAL_MODULES, id) ? `\0host:${id}` : undefined),
		load(id) {
			if (!id.startsWith("\0host:")) return undefined;
			const name = id.slice("\0host:".length);
			const names = Object.keys(VIRTUAL_MODULES[name] ?? {}).filter((key) => key !== "default");
			return `import { VIRTUAL_MODULES } from ${JSON.stringify(chunk)};
export const { ${names.join(", ")} } = VIRTUAL_MODULES[${JSON.stringify(name)}];`;
		},
	};
}
