import { posix } from "node:path";
import { AiServerError } from "../lib/errors.ts";
import { lazy } from "../lib/lazy.ts";
import { modelPath } from "../lib/llama-swap/api/paths.ts";
import { joinFiles, partsOf } from "../lib/llama-swap/config/files.ts";
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
	/** llama-swap's config, as it is on the server; the files of a folder as one text. */
	readPreset(signal?: AbortSignal): Promise<string>;
	/** The same, read. */
	readConfig(signal?: AbortSignal): Promise<SwapConfig>;
	/**
	 * Replaces the file when it still is `expected`; the old text goes to a backup next to it. In a
	 * folder that is the one file that differs.
	 */
	writePreset(expected: string, text: string, signal?: AbortSignal): Promise<Replaced>;
	/** Tokens that a model file on the server was trained for, by its own head; undefined without one. */
	readTrained(path: string, signal?: AbortSignal): Promise<number | undefined>;
	/** Tokens that a model of this config was trained for, from its file, or from itself when loaded. */
	trainedContext(id: string, yaml: string, signal?: AbortSignal): Promise<number>;
}

interface ChangedFile {
	readonly path: string;
	readonly expected: string;
	readonly text: string;
}

/** Which file a new text of the config is about. */
function changedFile(configPath: string, expected: string, text: string): ChangedFile {
	const before = partsOf(expected);
	const changed = partsOf(text).flatMap((part, at) => {
		const old = before[at];
		if (old === undefined || old.name !== part.name || old.text === part.text) return [];
		const path = part.name === "" ? configPath : posix.join(configPath, part.name);
		return [{ path, expected: old.text, text: part.text }];
	});
	const [file, ...more] = changed;
	if (file !== undefined && more.length === 0) return file;
	throw new AiServerError("config", "The change is not one of a single file", {
		hint: "Edit the files on the server by hand",
	});
}

export function createFileAdmin(
	ssh: Ssh,
	configPath: string,
	readPage: ReadPage,
	{ listRunning }: Pick<ModelAdmin, "listRunning">,
): FileAdmin {
	let isFolder = configPath.endsWith("/");
	const readPreset: FileAdmin["readPreset"] = async (signal) => {
		const { readRemoteConfig } = await remoteFile();
		const config = await readRemoteConfig(ssh, configPath, { isFolder, signal });
		if (typeof config === "string") return config;
		isFolder = true;
		return joinFiles(config);
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
			const file = changedFile(configPath, expected, text);
			return replaceRemoteText(ssh, file.path, { ...file, signal });
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
