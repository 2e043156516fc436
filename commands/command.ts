import type { ExtensionCommandContext } from "@earendil-works/pi-coding-agent";
import type { AutocompleteItem } from "@earendil-works/pi-tui";
import type { Admin } from "../admin.ts";
import type { Catalog } from "../discovery.ts";
import type { ImportInTurn } from "../lib/import-in-turn.ts";
import type { Doing } from "./progress.ts";
import type { InTurn } from "./queue.ts";
import type { Reply } from "./reply.ts";

/** What a command may use. */
export interface CommandContext {
	readonly admin: Admin;
	readonly catalog: Catalog;
	readonly reply: Reply;
	readonly pi: ExtensionCommandContext;
	/** Milliseconds since 1970. */
	readonly now: () => number;
	readonly wait: (milliseconds: number) => Promise<void>;
	/** For what takes its time: shown while it is done. */
	readonly doing: Doing;
	readonly importInTurn: ImportInTurn;
	/** Commands about the same model wait for each other; "config" is the key of the whole server. */
	readonly inTurn: InTurn;
}

/** A slash command as data; `index.ts` registers each and reports what it throws. */
export interface Command {
	readonly name: string;
	/** What follows the name: "[id]". Empty for none. */
	readonly usage: string;
	readonly description: string;
	/** True when the first argument is a model id, which then completes. */
	readonly completesModels: boolean;
	/** Items for the argument behind the model; null for none. */
	readonly completeNext?: (id: string, typed: string) => AutocompleteItem[] | null;
	/** `args` is trimmed. Rejects with what should be reported; one line goes to the user. */
	run(args: string, context: CommandContext): Promise<void>;
}
