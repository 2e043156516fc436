import type { Discovery, ModelSource } from "../../discovery.ts";
import { AiServerError } from "../../lib/errors.ts";
import type { JsonFile } from "../../lib/json-file.ts";
import type { ListedModel } from "../../lib/llama-swap/api/models.ts";
import { parseConfig, type SwapConfig } from "../../lib/llama-swap/config/read.ts";

export const listed = (id: string): ListedModel => ({ id, name: undefined, images: false });
export const presetOf = (id: string, size: number): SwapConfig =>
	parseConfig(`models:\n  ${id}:\n    cmd: llama-server -c ${size}\n`);
export const NOW = 1_000_000;
export const now = (): number => NOW;

/** A server with two models, one of them loaded. */
export function source(given: Partial<ModelSource> = {}): ModelSource {
	return {
		listModels: async () => [listed("a"), listed("b")],
		listRunning: async () => [{ id: "a", state: "ready", cmd: "llama-server -c 1000" }],
		readConfig: async () => presetOf("b", 2048),
		readProps: async () => ({}),
		readTrained: async () => undefined,
		...given,
	};
}

export const failing = (message: string) => async (): Promise<never> => {
	throw new AiServerError("network", message, { hint: "Do this" });
};

/** A file that is kept nowhere. */
export function memory(kept?: unknown): JsonFile & { readonly written: unknown[] } {
	const written: unknown[] = [];
	return { written, read: async () => kept, write: async (value) => void written.push(value) };
}

export const contexts = ({ models }: Discovery): unknown =>
	models.map(({ id, contextWindow, contextOrigin }) => [id, contextWindow, contextOrigin]);
