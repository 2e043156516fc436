import { type AiServerError, describeError, type Names } from "../../errors.ts";
import { paraphrase } from "./paraphrase.ts";

/** What the host does about an error: it looks for an overflow first, then for a reason to retry. */
export type Verdict = "compact" | "retry" | "stop";

export const STOP: readonly Verdict[] = ["stop"];
/** The end of the turn, unless the server's message is an overflow. */
export const REFUSED: readonly Verdict[] = ["stop", "compact"];
export const RETRY: readonly Verdict[] = ["retry"];
export const ANY: readonly Verdict[] = [];

/** Stands for a quotation that had to be left out. */
export const SEPARATELY = "the full message is shown separately";

/** How the host reads the text of an error. Its patterns change with its versions, so it is asked. */
export interface ErrorJudge {
	isOverflow(text: string): boolean;
	isRetryable(text: string): boolean;
}

/** An error that is still to be put into words that the host does not misread. */
export interface ErrorDraft {
	/** What the host may conclude. Empty: whatever it concludes from the words as they are. */
	readonly allowed: readonly Verdict[];
	/** What the text quotes and we did not write: a server's message, lines of a log, a model's id. */
	readonly quotes: readonly string[];
	/** The text; `quoted` are the quotes in order, undefined for one that has to be left out. */
	readonly write: (...quoted: readonly (string | undefined)[]) => string | AiServerError;
}

export interface ErrorText {
	readonly text: string;
	/** The text with all its quotes, where `text` had to leave one out. */
	readonly full: string | undefined;
}

/** For the case that even a text without quotes is misread, such as by the name of a setting. */
const LAST_RESORT: Readonly<Record<Verdict, string>> = {
	compact: "context_length_exceeded",
	retry: "Connection error",
	stop: "The chat request failed",
};

export function verdictOf(text: string, judge: ErrorJudge): Verdict {
	if (judge.isOverflow(text)) return "compact";
	return judge.isRetryable(text) ? "retry" : "stop";
}

/** The text with all its quotes, whatever the host makes of it. */
export function fullText({ quotes, write }: ErrorDraft, names?: Names): string {
	return describeError(write(...quotes), names);
}

/**
 * The first text from which the host concludes what it may: with the quotes as they are, with other
 * words for known phrases, with the quotes that do no harm, without any; each with the names of
 * settings and commands, then without.
 */
export function settleError(draft: ErrorDraft, judge: ErrorJudge, names?: Names): ErrorText {
	const { allowed, quotes, write } = draft;
	const fits = (text: string): boolean =>
		allowed.length === 0 || allowed.includes(verdictOf(text, judge));
	const full = fullText(draft, names);
	if (fits(full)) return { text: full, full: undefined };

	const others = quotes.map(paraphrase);
	const alone = (at: number): string =>
		describeError(write(...others.map((quote, other) => (other === at ? quote : undefined))));
	const harmless = others.map((quote, at) => (fits(alone(at)) ? quote : undefined));
	const none = quotes.map(() => undefined);
	for (const quoted of [quotes, others, harmless, none]) {
		const named = describeError(write(...quoted), names);
		if (fits(named)) return { text: named, full: quoted === others ? undefined : full };
		const nameless = describeError(write(...quoted));
		if (fits(nameless)) return { text: nameless, full };
	}
	return { text: LAST_RESORT[allowed[0] ?? "stop"], full };
}
