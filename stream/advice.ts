/** What an answer consists of, as far as it shows how its server is set up. */
export interface Outcome {
	readonly text: string;
	readonly hasThoughts: boolean;
	readonly hasCalls: boolean;
}

/** Thoughts that the server has not taken out of the text: a block at its start, or only its end. */
const THOUGHTS =
	/^\s*<(think|thinking|thought|reasoning)>|^(?![\s\S]*<(?:think|thinking)>)[^`]*<\/think(?:ing)?>/i;
/** A tool call in the form of a template, which the server has not read. */
const CALL =
	/<tool_call>\s*(?:\{|<function=|\w+)|<\|?tool_call(?:s_begin|_begin)?\|?>|\[TOOL_CALLS\]|^\s*<function[= ]/;

/**
 * What to change at the server of an answer that is shown as it is but cannot be made use of: one
 * sentence for each kind, undefined for an ordinary answer.
 */
export function adviceOn(
	{ text, hasThoughts, hasCalls }: Outcome,
	model: string,
	hasTools: boolean,
): string | undefined {
	if (hasTools && !hasCalls && CALL.test(text)) {
		return `${model} wrote a tool call as text, so it was not run. Add --jinja to the model's command on the server, or check its chat template`;
	}
	if (THOUGHTS.test(text)) {
		return `${model} left its thoughts in the text. Add --jinja and --reasoning-format auto to the model's command on the server`;
	}
	if (hasThoughts && !hasCalls && text.trim() === "") {
		return `${model} answered with thoughts alone. Ask it to go on; if that happens often, check --jinja and --reasoning-format in the model's command on the server`;
	}
	return undefined;
}

/** Gives each kind of advice once, whichever model it is about. */
export function createAdviser(
	notice: ((text: string) => void) | undefined,
): (outcome: Outcome, model: string, hasTools: boolean) => void {
	const told = new Set<string>();
	return (outcome, model, hasTools) => {
		const advice = adviceOn(outcome, model, hasTools);
		const kind = advice?.slice(model.length);
		if (advice === undefined || kind === undefined || told.has(kind)) return;
		told.add(kind);
		notice?.(advice);
	};
}
