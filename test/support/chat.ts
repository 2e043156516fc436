import type {
	AssistantMessage,
	AssistantMessageEvent,
	AssistantMessageEventStream,
} from "@earendil-works/pi-ai";
import type { Http } from "../../lib/http/types.ts";
import { cutAt, seeded } from "./scripted-http.ts";

/** Printed with every failure, so that the cuts can be made again. */
export const CUT_SEED: number = Date.now() % 1_000_000;

/** A body whole, byte by byte, at 50 random places at once, and at each of 50 places by itself. */
export function everyCut(body: Uint8Array): readonly (readonly Uint8Array[])[] {
	const random = seeded(CUT_SEED);
	const places = Array.from({ length: 50 }, () => Math.floor(random() * body.length));
	return [
		[body],
		cutAt(body, [...body.keys()]),
		cutAt(body, places),
		...places.map((place) => cutAt(body, [place])),
	];
}

/** Every event in one line; ids that were made up for calls are all alike. */
export function linesOf(events: readonly AssistantMessageEvent[]): readonly string[] {
	return events.map((event) => lineOf(event).replace(/call_[0-9a-f]{24}/, "call_*"));
}

function lineOf(event: AssistantMessageEvent): string {
	switch (event.type) {
		case "start":
			return "start";
		case "done":
			return `done ${event.reason}`;
		case "error":
			return `error ${event.reason}: ${event.error.errorMessage}`;
		case "text_start":
		case "thinking_start":
		case "toolcall_start":
			return `${event.type} ${event.contentIndex}`;
		case "text_delta":
		case "thinking_delta":
		case "toolcall_delta":
			return `${event.type} ${event.contentIndex} ${event.delta}`;
		case "text_end":
		case "thinking_end":
			return `${event.type} ${event.contentIndex} ${event.content}`;
		case "toolcall_end":
			return `${event.type} ${event.contentIndex} ${JSON.stringify(event.toolCall)}`;
		default:
			return event satisfies never;
	}
}

export interface Turn {
	readonly events: readonly AssistantMessageEvent[];
	readonly message: AssistantMessage;
	/** What breaks pi's contract for event streams; empty when all is well. */
	readonly broken: readonly string[];
}

export async function readTurn(stream: AssistantMessageEventStream): Promise<Turn> {
	const events: AssistantMessageEvent[] = [];
	for await (const event of stream) events.push(event);
	const message = await stream.result();
	return { events, message, broken: breaches(events, message) };
}

function breaches(
	events: readonly AssistantMessageEvent[],
	message: AssistantMessage,
): readonly string[] {
	const broken: string[] = [];
	const claim = (holds: boolean, claimed: string): void => {
		if (!holds) broken.push(claimed);
	};
	const ends = events.filter(({ type }) => type === "done" || type === "error");
	const last = events.at(-1);
	claim(ends.length === 1 && last === ends[0], "one end, and it is the last event");
	if (last?.type === "done") {
		claim(last.message === message && last.reason === message.stopReason, "done holds the message");
	} else if (last?.type === "error") {
		claim(last.error === message && last.reason === message.stopReason, "error holds the message");
		claim((message.errorMessage ?? "").trim() !== "", "an error has words");
	}
	const starts = events.filter(({ type }) => type === "start");
	claim(starts.length === (events.length > 1 ? 1 : starts.length), "one start");
	claim(events.length === 1 || events[0]?.type === "start", "nothing before the start");
	const { input, output, cacheRead, cacheWrite, totalTokens } = message.usage;
	claim(totalTokens === input + output + cacheRead + cacheWrite, "the total is the sum");

	for (const [index, block] of message.content.entries()) {
		const own = events.filter((event) => "contentIndex" in event && event.contentIndex === index);
		const kinds = own.map(({ type }) => type.replace(/_.*/, ""));
		claim(new Set(kinds).size === 1, `block ${index} is of one kind`);
		claim(own[0]?.type.endsWith("_start") === true, `block ${index} starts with its start`);
		claim(own.at(-1)?.type.endsWith("_end") === true, `block ${index} ends with its end`);
		const deltas = own.flatMap((event) => ("delta" in event ? [event.delta] : []));
		claim(own.length === deltas.length + 2, `block ${index} has one start and one end`);
		claim(
			deltas.every((delta) => typeof delta === "string"),
			`block ${index} grows by text`,
		);
		const end = own.at(-1);
		if (block.type === "text") {
			claim(deltas.join("") === block.text, `the deltas of block ${index} are its text`);
			claim(end?.type === "text_end" && end.content === block.text, `block ${index} ends whole`);
		} else if (block.type === "thinking") {
			claim(deltas.join("") === block.thinking, `the deltas of block ${index} are its thinking`);
		} else {
			const known = ["type", "id", "name", "arguments", "argumentsError"];
			const left = Object.keys(block).filter((key) => !known.includes(key));
			claim(left.length === 0, `block ${index} has no scratch fields: ${left.join()}`);
			claim(block.id !== "", `call ${index} has an id`);
			claim(end?.type === "toolcall_end" && end.toolCall === block, `call ${index} ends whole`);
		}
	}
	return broken;
}

export interface SpiedHttp extends Http {
	/** What happened to the body, in order: "read" for every piece, "end", "destroyed". */
	readonly log: string[];
}

/** One event stream that logs what is done with it; `failure` is thrown where it would end. */
export function spiedHttp(
	chunks: readonly string[],
	{ failure, log = [] }: { readonly failure?: Error; readonly log?: string[] } = {},
): SpiedHttp {
	return {
		log,
		async request() {
			const body = {
				destroy: () => void log.push("destroyed"),
				async *[Symbol.asyncIterator]() {
					for (const chunk of chunks) {
						log.push("read");
						yield new TextEncoder().encode(chunk);
					}
					log.push("end");
					if (failure !== undefined) throw failure;
				},
			};
			return { status: 200, headers: { "content-type": "text/event-stream" }, body };
		},
		close: async () => undefined,
	};
}
