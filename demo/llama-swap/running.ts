import type { Upstream } from "../llama-server/upstream.ts";
import type { SwapConfig } from "./config-file.ts";
import type { Events } from "./events.ts";
import type { Scheduler } from "./scheduler.ts";

/** What the pages work on; renewed by a reload. */
export interface Running {
	/** The number alone. */
	readonly version: number;
	readonly config: SwapConfig;
	readonly scheduler: Scheduler;
	readonly events: Events;
	readonly upstream: Upstream;
	/** A model's own log so far. */
	logOf(id: string): string;
	proxyLog(): string;
}
