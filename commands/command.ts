import type { AutocompleteItem } from "@earendil-works/pi-tui";
import type { CommandContext } from "../ui/context.ts";

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
