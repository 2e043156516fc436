import type { LaunchOptions } from "./launch.ts";

/** llama.cpp rounds contexts up to a multiple of this many tokens. */
const STEP = 256;

/**
 * Tokens that one request may use, prompt and answer together, as llama-server works it out from
 * its options (measured with build b11669). `trained` is the size in the model file; undefined is
 * returned where the answer depends on it, or on a value that cannot be read. Without `trained` an
 * answer may be too large, since the server takes no more than that.
 */
export function contextWindowOf(options: LaunchOptions, trained?: number): number | undefined {
	const { requestSize } = options;
	if (requestSize === "unknown") return undefined;
	if (requestSize !== undefined) return requestSize > 0 ? requestSize : trained;

	const { trainedOverride, slotLimit } = options;
	const own = trainedOverride ?? trained;
	const slot = slotSize(options, own === "unknown" ? undefined : own);
	if (slot === undefined || slotLimit === "unknown") return undefined;
	const limited = slotLimit === undefined || slotLimit === 0 ? slot : Math.min(slot, slotLimit);
	if (typeof own !== "number") return limited;
	return Math.min(limited, Math.floor(own * (options.ropeScale ?? 1)));
}

/** What a slot gets before the limits. */
function slotSize(options: LaunchOptions, trained: number | undefined): number | undefined {
	const { contextSize, slots, slotLimit } = options;
	if (contextSize === "unknown") return undefined;
	if (contextSize !== undefined && contextSize > 0) {
		const pool = roundUp(contextSize);
		// Without -np there are four slots, which share one pool whatever --no-kv-unified says.
		if (slots === undefined || options.unifiedCache === true) return pool;
		return slots === "unknown" ? undefined : roundUp(Math.floor(pool / slots));
	}
	// The pool is then made as large as the slots need.
	if (typeof slotLimit === "number" && slotLimit > 0)
		return Math.min(slotLimit, trained ?? slotLimit);
	return contextSize === undefined ? (fitted(options) ?? trained) : trained;
}

/**
 * How far the context shrinks to fit depends on the machine. Who sets both the margin and the
 * least context is short of memory, and the least is then what is certain.
 */
function fitted({ fit, fitTarget, fitContext }: LaunchOptions): number | undefined {
	const asked = fit !== false && fitTarget && typeof fitContext === "number" && fitContext > 0;
	return asked ? roundUp(fitContext) : undefined;
}

function roundUp(tokens: number): number {
	return Math.ceil(tokens / STEP) * STEP;
}
