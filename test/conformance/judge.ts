import type { Outcome } from "./scenario.ts";

/** A way in which our outcome may be better. */
interface Way {
	readonly why: string;
	/** What of an outcome is left without the part that shows it. */
	without(outcome: Outcome): Outcome;
}

const LOADING = "\u2501\u2501\u2501\u2501\u2501";
/** An error and what pi concludes from it. */
const ERROR =
	/(^| \| )error: [\s\S]*?(?: \| (?:tries again|compacts))?(?=$| \| (?:\d+\+\d+>|id |model ))/;

/** How outcomes of recorded exchanges may differ: nobody writes hundreds of them down by hand. */
const WAYS: readonly Way[] = [
	{
		why: "tokens are counted by llama-server's timings, or estimated, where it sends no usage",
		without: ({ message, ...rest }) => ({
			...{ ...rest, message: message.replace(/ \| \d+\+\d+>\d+(?: \(\d+ thinking\))?/, "") },
		}),
	},
	{
		why: "a stop with calls is a turn of tools",
		without: ({ events, message, ...rest }) => ({
			...rest,
			events: events.replace(/done toolUse$/, "done stop"),
			message: message.replace(" | toolUse", " | stop"),
		}),
	},
	{
		why: "the blocks are ended, whatever ends the answer",
		without: ({ events, ...rest }) => ({
			...{ ...rest, events: events.replace(/(?: \| \w+_end \d+)+(?= \| error )/, "") },
		}),
	},
	{
		why: "an error is in the server's words, and tried again where that helps",
		without: ({ message, ...rest }) => ({ ...rest, message: message.replace(ERROR, "$1error") }),
	},
];

/** What is compared of an answer that pi's side begins with llama-swap's words: all but the thinking. */
const LOADED: Way = {
	why: "llama-swap's words while it loads the model are no thought of the model",
	without: ({ events, message, ...rest }) => ({
		...{ ...rest, events: events.split(" | ").slice(-1).join() },
		message: message
			.split(" | ")
			.filter((part) => !part.startsWith("thinking("))
			.join(" | "),
	}),
};

/** Why ours is better; empty when both are the same, undefined when no known way explains it. */
export function judge(ours: Outcome, theirs: Outcome): readonly string[] | undefined {
	const loaded = theirs.message.includes(LOADING) && !ours.message.includes(LOADING);
	const ways = loaded ? [...WAYS, LOADED] : WAYS;
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
