import { createParser } from "eventsource-parser";
import { AiServerError } from "./errors.ts";

/** One event of 16 MiB is a fault of the server, not an answer. */
const EVENT_LIMIT = 16 * 1024 * 1024;
/** As much of the text between events as an error message can need. */
const STRAY_LIMIT = 64 * 1024;

/** Cuts bytes into the data of server-sent events (HTML standard, section 9.2). */
export interface EventReader {
	/** The data of every event that these bytes complete, in order. Throws AiServerError "protocol". */
	feed(bytes: Uint8Array): readonly string[];
	/** What an unterminated last event holds. */
	end(): readonly string[];
	/**
	 * Lines that are no event fields. llama-swap writes an error that comes after its loading text so,
	 * as bare JSON in the middle of the stream.
	 */
	stray(): string;
}

export function createEventReader(): EventReader {
	// One decoder for the whole stream: a character may be cut between two chunks.
	const decoder = new TextDecoder();
	let events: string[] = [];
	let stray = "";
	const parser = createParser({
		maxBufferSize: EVENT_LIMIT,
		onEvent: ({ data, event }) => {
			events.push(event === "error" && !data.includes('"error"') ? asError(data) : data);
		},
		onError: (error) => {
			if (error.type === "max-buffer-size-exceeded") {
				throw new AiServerError("protocol", "The server sent an event of more than 16 MiB");
			}
			if (error.type === "unknown-field" && stray.length < STRAY_LIMIT) {
				stray += `${error.line ?? error.value ?? ""}\n`;
			}
		},
	});
	const taken = (): readonly string[] => {
		const done = events;
		events = [];
		return done;
	};
	return {
		feed(bytes) {
			parser.feed(decoder.decode(bytes, { stream: true }));
			return taken();
		},
		end() {
			parser.feed(decoder.decode());
			parser.reset({ consume: true });
			return taken();
		},
		stray: () => stray,
	};
}

/** An event that is called "error" but does not say so in its data. */
function asError(data: string): string {
	try {
		return JSON.stringify({ error: JSON.parse(data) });
	} catch {
		return JSON.stringify({ error: data });
	}
}
