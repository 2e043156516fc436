import { lazy } from "../lib/lazy.ts";
import { modelPath } from "../lib/llama-swap/api/paths.ts";
import type { SwapConfig } from "../lib/llama-swap/config/read.ts";
import type { Replaced } from "../lib/ssh/files/replace.ts";
import type { Ssh } from "../lib/ssh/types.ts";
import type { ModelAdmin } from "./models.ts";
import type { ReadPage } from "./pages.ts";

// Packages and parsers that start-up can do without.
const remoteFile = lazy(() => import("../lib/ssh/files/config-file.ts"));
const configReader = lazy(() => import("../lib/llama-swap/config/read.ts"));
const trainedContexts = lazy(() => import("./trained-context.ts"));
const gguf = lazy(() => import("../lib/llama-server/gguf.ts"));

/** What is read and written over SSH: llama-swap's config, and the heads of model files. */
export interface FileAdmin {
	/** llama-swap's config.yaml, as it is on the server. */
	readPreset(signal?: AbortSignal): Promise<string>;
	/** The same, read. */
	readConfig(signal?: AbortSignal): Promise<SwapConfig>;
	/** Replaces the file when it still is `expected`; the old text goes to a backup next to it. */
	writePreset(expected: string, text: string, signal?: AbortSignal): Promise<Replaced>;
	/** Tokens that a model file on the server was trained for, by its own head; undefined without one. */
	readTrained(path: string, signal?: AbortSignal): Promise<number | undefined>;
	/** Tokens that a model of this config was trained for, from its file, or from itself when loaded. */
	trainedContext(id: string, yaml: string, signal?: AbortSignal): Promise<number>;
}

export function createFileAdmin(
	ssh: Ssh,
	configPath: string,
	readPage: ReadPage,
	{ listRunning }: Pick<ModelAdmin, "listRunning">,
): FileAdmin {
	const readPreset: FileAdmin["readPreset"] = async (signal) => {
		const { readRemoteText } = await remoteFile();
		return readRemoteText(ssh, configPath, signal);
	};
	return {
		readPreset,
		async readConfig(signal) {
			// The parser is loaded while the file is on its way.
			const [yaml, { parseConfig }] = await Promise.all([readPreset(signal), configReader()]);
			return parseConfig(yaml);
		},
		async writePreset(expected, text, signal) {
			const { replaceRemoteText } = await remoteFile();
			return replaceRemoteText(ssh, configPath, { expected, text, signal });
		},
		async readTrained(path, signal) {
			const { trainedContextOf } = await gguf();
			return trainedContextOf((start, length) => ssh.readRange(path, start, length, { signal }));
		},
		async trainedContext(id, yaml, signal) {
			const { readTrainedContext } = await trainedContexts();
			return readTrainedContext(id, yaml, {
				readRange: (path, start, length) => ssh.readRange(path, start, length, { signal }),
				// Asked of a model that is not loaded, its page would load it.
				isReady: async (model) =>
					(await listRunning(signal)).some(
						(entry) => entry.id === model && entry.state === "ready",
					),
				models: () =>
					readPage({
						path: modelPath("/upstream/<id>/v1/models", id),
						what: `the properties of ${id}`,
						signal,
					}),
			});
		},
	};
}
