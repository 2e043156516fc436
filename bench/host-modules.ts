// Preloaded with --import: lets a plain Node process import pi's packages, out of the newest host.
import { registerHooks } from "node:module";
import { pathToFileURL } from "node:url";
import { HOSTS, virtualModulesPath } from "../hosts/hosts.ts";

type Modules = Readonly<Record<string, Readonly<Record<string, unknown>>>>;

const chunk = pathToFileURL(virtualModulesPath(HOSTS[0])).href;
const { VIRTUAL_MODULES } = (await import(chunk)) as { VIRTUAL_MODULES: Modules };

registerHooks({
	resolve(specifier, context, next) {
		if (!Object.hasOwn(VIRTUAL_MODULES, specifier)) return next(specifier, context);
		return { url: `host:${specifier}`, format: "module", shortCircuit: true };
	},
	load(url, context, next) {
		if (!url.startsWith("host:")) return next(url, context);
		const name = url.slice("host:".length);
		const names = Object.keys(VIRTUAL_MODULES[name] ?? {}).filter((key) => key !== "default");
		const source = `import { VIRTUAL_MODULES } from ${JSON.stringify(chunk)};
export const { ${names.join(", ")} } = VIRTUAL_MODULES[${JSON.stringify(name)}];`;
		return { format: "module", source, shortCircuit: true };
	},
});
