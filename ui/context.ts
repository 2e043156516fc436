import type { ExtensionCommandContext } from "@earendil-works/pi-coding-agent";
import type { Admin } from "../admin.ts";
import type { Catalog } from "../discovery.ts";
import type { Names } from "../lib/errors.ts";
import type { InTurn } from "../lib/keyed-queue.ts";
import type { Doing } from "./footer.ts";
import type { Reply } from "./reply.ts";

/** What a command may use. */
export interface CommandContext {
	/** The server that the command is about. */
	readonly server: {
		readonly id: string;
		readonly names: Names;
		readonly admin: Admin;
		readonly catalog: Catalog;
	};
	readonly admin: Admin;
	readonly catalog: Catalog;
	readonly reply: Reply;
	readonly pi: ExtensionCommandContext;
	/** Milliseconds since 1970. */
	readonly now: () => number;
	readonly wait: (milliseconds: number) => Promise<void>;
	/** For what takes its time: shown while it is done. */
	readonly doing: Doing;
	/** Commands about the same model wait for each other; "config" is the key of the whole server. */
	readonly inTurn: InTurn;
}
