import type { ServerError } from "../../error-body.ts";
import { type ErrorDraft, SEPARATELY } from "./verdict.ts";

/** Words that every version of the host takes for an overflow. */
const KNOWN = /exceeds the available context size|maximum context length is \d+ tokens/i;
/** Words of llama-server and its relatives, of vLLM, SGLang, TabbyAPI, LMDeploy, MLC and others. */
const OTHERS: readonly RegExp[] = [
	/context (?:size|length|window) (?:has been |was |is )?exceeded/i,
	/exceed(?:s|ed|ing)? (?:the )?(?:model'?s )?(?:available |maximum |max )?context/i,
	/maximum context length (?:is|of)/i,
	/context[ _-]?shift(?:ing)? is (?:disabled|not supported|turned off)/i,
	/(?:prompt|input|inputs|request|messages?|conversation|sequence)\b.{0,60}\b(?:longer|greater|larger|more|bigger) than\b.{0,40}\b(?:max_\w*len\w*|max_\w*tokens|n_ctx|session_len|context|(?:model|sequence|input|prompt|window) (?:input )?(?:length|size))/i,
	/(?:prompt|input|request|sequence)\b.{0,60}\bexceed(?:s|ed)?\b.{0,40}\b(?:max_\w*len\w*|max_\w*tokens|n_ctx|session_len|context|(?:model|sequence|input|prompt|window|token) (?:input )?(?:length|size|limit))/i,
	/(?:prompt|input|conversation) is too (?:long|large)/i,
	/`?inputs`? (?:tokens )?(?:must have less than|\+ `?max_new_tokens`? must be <=)/i,
	/not enough (?:room|space) in (?:the )?(?:context|kv)|(?:context|kv cache) is full/i,
];
const CODES: readonly unknown[] = ["exceed_context_size_error", "context_length_exceeded"];

/**
 * An error that means that the conversation does not fit into the model's window, marked so that the
 * host compacts; undefined for any other.
 */
export function draftOverflow(
	message: string,
	{ type, code }: ServerError,
	prefix: string,
): ErrorDraft | undefined {
	const isKnown = KNOWN.test(message);
	const isOverflow =
		isKnown ||
		CODES.includes(type) ||
		CODES.includes(code) ||
		OTHERS.some((words) => words.test(message));
	if (!isOverflow) return undefined;
	const mark = isKnown ? "" : " (context_length_exceeded)";
	return {
		allowed: ["compact"],
		quotes: [message],
		write: (quoted) =>
			quoted === undefined
				? `${prefix}the request exceeds the available context size; ${SEPARATELY}`
				: `${prefix}${quoted}${mark}`,
	};
}
