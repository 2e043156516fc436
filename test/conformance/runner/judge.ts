import type { Outcome } from "./scenario.ts";

/** A way in which our outcome may be better. */
interface Way {
	readonly why: string;
	applies(ours: Outcome, theirs: Outcome): boolean;
	/** What of an outcome is left without the part that shows it. */
	without(outcome: Outcome): Outcome;
}

const LOADING = "\u2501\u2501\u2501\u2501\u2501";
const USAGE = / \| \d+\+\d+>\d+(?: \(\d+ thinking\))?/;
const BROKEN = " with an argumentsError";
const ENDED = /(?: \| \w+_end \d+)+(?= \| error )/;
/** An error and what pi concludes from it. */
const ERROR =
	/(^| \| )error: [\s\S]*?(?: \| (?:tries again|compacts))?(?=$| \| (?:\d+\+\d+>|from |id |model ))/;

/** How the outcomes of recorded exchanges may differ; there are too many to write each one down. */
const WAYS: readonly Way[] = [
	{
		why: "tokens are counted by llama-server's timings, or estimated, where it sends no usage",
		applies: (_ours, theirs) => !USAGE.test(theirs.message),
		without: (outcome) => ({ ...outcome, message: outcome.message.replace(USAGE, "") }),
	},
	{
		why: "a stop with calls is a turn of tools",
		applies: ({ message }) => / call \S+ [\s\S]* \| toolUse/.test(` ${message}`),
		without: ({ events, message, ...rest }) => ({
			...rest,
			events: events.replace(/done toolUse$/, "done stop"),
			message: message.replace(" | toolUse", " | stop"),
		}),
	},
	{
		why: "the blocks are ended, whatever ends the answer",
		applies: (ours, theirs) => ENDED.test(ours.events) && !ENDED.test(theirs.events),
		without: (outcome) => ({ ...outcome, events: outcome.events.replace(ENDED, "") }),
	},
	{
		// That pi's conclusions from our words are right is what test/stream-records.test.ts looks at.
		why: "an error is in the server's words, and tried again where that helps",
		applies: (ours, theirs) => ERROR.test(ours.message) && ERROR.test(theirs.message),
		without: (outcome) => ({ ...outcome, message: outcome.message.replace(ERROR, "$1error") }),
	},
	{
		why: "arguments that break off are not shown as whole ones",
		applies: (ours, theirs) => ours.message.includes(BROKEN) && !theirs.message.includes(BROKEN),
		without: (outcome) => ({
			...outcome,
			message: outcome.message.replace(BROKEN, "").replace(/(call \S+ \S+) \{.*\}/s, "$1"),
		}),
	},
	{
		why: "llama-swap's words while it loads the model are no thought of the model",
		applies: (ours, theirs) => theirs.message.includes(LOADING) && !ours.message.includes(LOADING),
		without: ({ events, message, ...rest }) => ({
			...rest,
			events: events.split(" | ").slice(-1).join(),
			message: message
				.split(" | ")
				.filter((part) => !part.startsWith("thinking("))
				.join(" | "),
		}),
	},
];

/** Why ours is better; empty when both are the same, undefined when no known way explains it. */
export function judge(ours: Outcome, theirs: Outcome): readonly string[] | undefined {
	const ways = WAYS.filter((way) => way.applies(ours, theirs));
	const sameBut = (excused: readonly Way[]): boolean => {
		const [own, other] = [ours, theirs].map((outcome) =>
			JSON.stringify(excused.reduce((left, way) => way.without(left), outcome)),
		);
		return own === other;
	};
	if (!sameBut(ways)) return undefined;
	return ways
		.filter((way) => !sameBut(ways.filter((other) => other !== way)))
		.map(({ why }) => why);
}
