import { writeSync } from "node:fs";
import type { ExtensionAPI, ExtensionContext } from "@earendil-works/pi-coding-agent";
import { describeError, type Names } from "../lib/errors.ts";

/** How the extension reports to the user, in every mode of pi. */
export interface Reply {
	/** A line that is good news or neutral. */
	say(text: string): void;
	warn(text: string): void;
	/** An error as one line with its hint; in print mode pi's exit code becomes 1. */
	fail(error: unknown): void;
	/**
	 * Several lines, kept in the session but never sent to the model. `lines` draws them at a width in
	 * terminal cells; `data` is what the entry renderer of `type` draws from.
	 */
	show<T>(type: string, data: T, lines: (data: T, width: number) => readonly string[]): void;
}

/** Where the width of the terminal is not known. */
const PLAIN_WIDTH = 120;

/** `names` are what the user calls the settings and commands that an error is about. */
export function createReply(
	pi: Pick<ExtensionAPI, "appendEntry">,
	context: Pick<ExtensionContext, "mode" | "hasUI" | "ui">,
	names: Names,
): Reply {
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

/** A line on stderr, where there is no session to report in. */
export function warnOutside(line: string): void {
	print(2, `Warning: ${line}`);
}

/**
 * pi sends process.stdout to stderr outside the TUI; descriptor 1 is the real one. In json and rpc
 * mode it carries the protocol, so nothing else may be written there.
 */
function print(descriptor: 1 | 2, text: string): void {
	writeSync(descriptor, `${text}\n`);
}
