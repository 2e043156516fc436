import { maskText } from "../secrets/mask-text.ts";
import { plainText } from "../text.ts";

/** llama-server puts the time and a level in front: "0.00.018.752 E srv  llama_server: text". */
const PREFIX = /^\d+\.\d+\.\d+\.\d+ [A-Z] \S+ +(?:\S+: )?/;
const TELLING =
	/error|fail|unable|cannot|could not|not found|no such|out of memory|unsupported|invalid|unknown|couldn't/i;

/**
 * The lines of a model's log that show why it did not start: the last two with an error, else the
 * last two. Undefined for an empty log.
 */
export function tellingLines(log: string): string | undefined {
	const lines = log
		.split("\n")
		.map((line) => plainText(line).trim())
		.filter((line) => line !== "");
	const complaints = lines.filter((line) => TELLING.test(line) || / E /.test(line.slice(0, 16)));
	const chosen = (complaints.length > 0 ? complaints : lines).slice(-2);
	const words = [...new Set(chosen.map((line) => line.replace(PREFIX, "")))];
	return words.length === 0 ? undefined : maskText(words.join("; ")).slice(0, 300);
}
