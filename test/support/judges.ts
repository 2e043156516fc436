import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import type { isContextOverflow, isRetryableAssistantError } from "@earendil-works/pi-ai";
import { type Host, virtualModulesPath } from "../../hosts/hosts.ts";
import type { ErrorJudge } from "../../lib/chat/errors/verdict.ts";
import { ROOT } from "./pi.ts";

type Message = Parameters<typeof isRetryableAssistantError>[0];

interface PiAi {
	readonly isContextOverflow: typeof isContextOverflow;
	readonly isRetryableAssistantError: typeof isRetryableAssistantError;
}

/** How a host reads the text of an error, out of its own bundle. */
export async function judgeOf(host: Host): Promise<ErrorJudge> {
	const { VIRTUAL_MODULES } = (await import(pathToFileURL(virtualModulesPath(host)).href)) as {
		VIRTUAL_MODULES: Readonly<Record<string, PiAi>>;
	};
	const pi = VIRTUAL_MODULES["@earendil-works/pi-ai"];
	if (pi === undefined) throw new Error(`pi ${host} has no pi-ai`);
	const failed = (errorMessage: string): Message =>
		({ role: "assistant", stopReason: "error", errorMessage }) as Message;
	return {
		isOverflow: (text) => pi.isContextOverflow(failed(text)),
		isRetryable: (text) => pi.isRetryableAssistantError(failed(text)),
	};
}

/** The alternatives of a host's own pattern for errors that it tries again. */
export async function retryPatterns(host: Host): Promise<readonly RegExp[]> {
	const places = [`pi-${host}/node_modules/@earendil-works/pi-ai`, "@earendil-works/pi-ai"];
	for (const place of places) {
		const folder = join(ROOT, "hosts/node_modules", place);
		const manifest = await readFile(join(folder, "package.json"), "utf8").catch(() => "{}");
		if ((JSON.parse(manifest) as { version?: string }).version !== host) continue;
		const code = await readFile(join(folder, "dist/utils/retry.js"), "utf8");
		const list =
			/\bRETRYABLE_PROVIDER_ERROR_PATTERN = \w+\(\[([\s\S]*?)\n\]\)/.exec(code)?.[1] ?? "";
		const literals = list.replace(/^\s*\/\/.*$/gm, "").match(/"(?:[^"\\]|\\.)*"/g) ?? [];
		return literals.map((literal) => new RegExp(JSON.parse(literal) as string, "i"));
	}
	throw new Error(`pi-ai ${host} is not installed in hosts/`);
}
