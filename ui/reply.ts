import { writeSync } from "node:fs";
import type { ExtensionAPI, ExtensionContext } from "@earendil-works/pi-coding-agent";
import { describeError, type Names } from "../lib/errors.ts";

/** How a command talks to people, whatever mode pi runs in. */
export interface Reply {
	/** A line that is good news or neutral. */
	say(text: string): void;
	/** A line about something that is not as it should be. */
	warn(text: string): void;
	/** Something went wrong: one line with a hint, and a failing exit in print mode. */
	fail(error: unknown): void;
	/**
	 * Something with lines of its own, kept in the session but never shown to the model. `lines`
	 * draws it at a width in terminal cells; `data` is what the entry renderer of `type` draws from.
	 */
	show<T>(type: string, data: T, lines: (data: T, width: number) => readonly string[]): void;
}

/** Where nobody tells the width of a terminal. */
const PLAIN_WIDTH = 120;

export function createReply(
	pi: Pick<ExtensionAPI, "appendEntry">,
	context: Pick<ExtensionContext, "mode" | "hasUI" | "ui">,
	names: Names,
): Reply {
	// pi sends process.stdout to stderr outside the TUI; descriptor 1 is the real one. In json and
	// rpc mode it carries the protocol, so nothing may be written there.
	const print = (descriptor: 1 | 2, text: string): void => {
		writeSync(descriptor, `${text}\n`);
	};
	return {
		say(text) {
			if (context.mode === "print") print(1, text);
			else context.ui.notify(text, "info");
		},
		warn(text) {
			if (context.hasUI) context.ui.notify(text, "warning");
			else print(2, `Warning: ${text}`);
		},
		fail(error) {
			const line = describeError(error, names);
			if (context.hasUI) context.ui.notify(line, "error");
			else print(2, `Error: ${line}`);
			if (context.mode === "print") process.exitCode = 1;
		},
		show(type, data, lines) {
			const text = (): string => lines(data, process.stdout.columns ?? PLAIN_WIDTH).join("\n");
			if (context.mode === "print") print(1, text());
			else pi.appendEntry(type, data);
			if (context.mode === "rpc") context.ui.notify(text(), "info");
		},
	};
}
