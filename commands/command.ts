import type { ExtensionCommandContext } from "@earendil-works/pi-coding-agent";
import type { Admin } from "../admin.ts";
import type { Catalog } from "../discovery.ts";
import type { Reply } from "./reply.ts";

/** What a command may use. */
export interface CommandContext {
	readonly admin: Admin;
	readonly catalog: Catalog;
	readonly reply: Reply;
	readonly pi: ExtensionCommandContext;
	/** Milliseconds since 1970. */
	readonly now: () => number;
}

/** A slash command as data; `index.ts` registers each and reports what it throws. */
export interface Command {
	readonly name: string;
	/** What follows the name: "[id]". Empty for none. */
	readonly usage: string;
	readonly description: string;
	/** True when the first argument is a model id, which then completes. */
	readonly completesModels: boolean;
	/** `args` is trimmed. Rejects with what should be reported; one line goes to the user. */
	run(args: string, context: CommandContext): Promise<void>;
}
