import type { Row } from "./scenario.ts";
import { OBSERVED } from "./observed.ts";
import { delta, DONE, end, frame, OK, stream, text } from "./wire.ts";

/** C.2: text and reasoning. */
export const TEXT: readonly Row[] = [
	{
		name: "C.2 text in several deltas",
		replies: stream(delta({ role: "assistant", content: null }), text("Hel"), text("lo"), end()),
		ours: OBSERVED,
	},
	{
		name: "C.2 thinking, then text",
		replies: stream(delta({ reasoning_content: "hm" }), text("yes"), end()),
		ours: OBSERVED,
	},
];
