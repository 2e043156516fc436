import type { ExtensionCommandContext } from "@earendil-works/pi-coding-agent";
import type { Admin } from "../admin.ts";
import type { Catalog } from "../discovery/catalog.ts";
import type { Names } from "../lib/errors.ts";
import type { Ask } from "./confirm.ts";
import type { Doing } from "./footer.ts";
import type { Reply } from "./reply.ts";

/** What a command may use of a server. */
export interface CommandServer {
	/** Tells the servers of one pi apart: "ai-server". */
	readonly id: string;
	readonly names: Names;
	readonly admin: Admin;
	readonly catalog: Catalog;
}

/** What a command may use. */
export interface CommandContext {
	readonly server: CommandServer;
	readonly reply: Reply;
	readonly pi: ExtensionCommandContext;
	/** Milliseconds since 1970. */
	readonly now: () => number;
	readonly wait: (milliseconds: number) => Promise<void>;
	/** Shows in the footer what is being done. */
	readonly doing: Doing;
	/** Asks the user, unless `--yes` was typed. */
	readonly ask: Ask;
}
