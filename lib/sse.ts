import { createParser } from "eventsource-parser";
import { AiServerError } from "./errors.ts";

/** A longer event is an error of the server, not an answer. */
const MAX_EVENT = 16 * 1024 * 1024;
/** As much of the text between events as an error message can need. */
const MAX_STRAY = 64 * 1024;

/** Cuts bytes into the data of server-sent events (HTML standard, section 9.2). */
export interface EventReader {
	/** The data of every message or error that these bytes complete, in order. Throws AiServerError "protocol". */
	feed(bytes: Uint8Array): readonly string[];
	/** What an unterminated last event holds. */
	end(): readonly string[];
	/**
	 * Lines near the end that are no event fields. llama-swap writes an error that comes after its
	 * loading text so, as bare JSON in the middle of the stream.
	 */
	stray(): string;
}

export function createEventReader(): EventReader {
	// One decoder for the whole stream: a character may be cut between two chunks.
	const decoder = new TextDecoder();
	// The last pieces as they came: the parser reports a stray line only when it came in one of them.
	const recent: string[] = [];
	let kept = 0;
	let forgot = false;
	let events: string[] = [];
	const parser = createParser({
		maxBufferSize: MAX_EVENT,
		onEvent: ({ data, event }) => {
			// Any other name is that of a ping or of a proxy's own message.
			if (event === undefined || event === "message") events.push(data);
			else if (event === "error") events.push(errorEvent(data));
		},
		onError: ({ type }) => {
			if (type === "max-buffer-size-exceeded") {
				throw new AiServerError("protocol", "The server sent an event of more than 16 MiB");
			}
		},
	});
	const feed = (text: string): readonly string[] => {
		recent.push(text);
		kept += text.length;
		while (kept > MAX_STRAY && recent.length > 1) {
			kept -= recent.shift()?.length ?? 0;
			forgot = true;
		}
		parser.feed(text);
		const done = events;
		events = [];
		return done;
	};
	return {
		feed: (bytes) => feed(decoder.decode(bytes, { stream: true })),
		end() {
			return feed(`${decoder.decode()}\n\n`);
		},
		stray: () =>
			recent
				.join("")
				.split(/\r\n|\r|\n/)
				.slice(forgot ? 1 : 0)
				.filter(isStray)
				.join("\n"),
	};
}

/** Neither a field of an event nor a comment nor an empty line. */
function isStray(line: string): boolean {
	return line !== "" && !/^(?::|(?:data|event|id|retry)(?::|$))/.test(line);
}

/** The data of an event that is called "error", as an object with the key `error`. */
export function errorEvent(data: string): string {
	try {
		const value: unknown = JSON.parse(data);
		const isNamed = typeof value === "object" && value !== null && "error" in value;
		return isNamed ? data : JSON.stringify({ error: value });
	} catch {
		return JSON.stringify({ error: data });
	}
}
