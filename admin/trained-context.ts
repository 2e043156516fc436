import { AiServerError } from "../lib/errors.ts";
import { parseJson, recordOf, windowOf } from "../lib/json.ts";
import { trainedContextOf } from "../lib/llama-server/gguf.ts";
import { parseConfig } from "../lib/llama-swap/config/read.ts";

export interface TrainedSources {
	/** Bytes of a file on the server. */
	readonly readRange: (path: string, start: number, length: number) => Promise<Uint8Array>;
	readonly isReady: (id: string) => Promise<boolean>;
	/** The body of the model's own `/v1/models`. */
	readonly models: () => Promise<string>;
}

/**
 * Tokens that a model was trained for: from its file, else from itself when it is loaded.
 * Rejects with AiServerError "config" when neither can be had.
 */
export async function readTrainedContext(
	id: string,
	yaml: string,
	{ readRange, isReady, models }: TrainedSources,
): Promise<number> {
	const preset = parseConfig(yaml);
	const own = preset.aliases.get(id) ?? id;
	const path = preset.models.get(own)?.launch.modelPath;
	let cause: unknown;
	if (path !== undefined) {
		try {
			const read = (start: number, length: number) => readRange(path, start, length);
			const trainedContext = await trainedContextOf(read);
			if (trainedContext !== undefined) return trainedContext;
		} catch (error) {
			cause = error;
		}
	}
	const reported = (await isReady(own)) ? trainedIn(await models()) : undefined;
	if (reported !== undefined) return reported;
	throw new AiServerError("config", `The training context of ${id} is unknown`, {
		hint: "Load it first, or give a number",
		cause,
	});
}

/** llama-server's `meta.n_ctx_train`. */
function trainedIn(body: string): number | undefined {
	const data = recordOf(parseJson(body))?.["data"];
	const first: unknown = Array.isArray(data) ? data[0] : undefined;
	return windowOf(recordOf(recordOf(first)?.["meta"])?.["n_ctx_train"]);
}
