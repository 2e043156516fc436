import { lazy } from "../lib/lazy.ts";
import { withFileNames } from "../lib/llama-swap/config/files.ts";
import { CONFIG_ENTRY, type ConfigEntry, plainLines } from "../ui/config-entry.ts";
import { type Command, defineCommand } from "./command.ts";

// The YAML parser takes 20 ms to load, so it is left to the commands that need it.
const highlighting = lazy(() => import("../lib/llama-swap/config/highlight.ts"));
const excerpts = lazy(() => import("../lib/llama-swap/config/excerpt.ts"));
const masking = lazy(() => import("../lib/llama-swap/config/mask-secrets.ts"));

export const presetCommand: Command = defineCommand({
	name: "preset",
	description: "Show llama-swap's config on the server, or one model's part of it",
	arguments: { id: { kind: "model" } },
	progress: () => "Reading the config…",
	async run({ id }, { server, reply }) {
		const yaml = await server.admin.readPreset();
		const { highlightYaml } = await highlighting();
		const { modelExcerpt } = await excerpts();
		const { maskSecrets } = await masking();
		// The whole file is masked first: what makes a text in the block secret may be outside of it.
		const shown = maskSecrets(yaml);
		const text = id === undefined ? withFileNames(shown).trimEnd() : modelExcerpt(shown, id);
		reply.show<ConfigEntry>(CONFIG_ENTRY, { lines: highlightYaml(text) }, plainLines);
		return undefined;
	},
});
