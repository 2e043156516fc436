import { createFileAdmin, type FileAdmin } from "./admin/config-file.ts";
import { type AdminEvents, createEvents } from "./admin/events.ts";
import { readInFlight } from "./admin/in-flight.ts";
import { createModelAdmin, type ModelAdmin } from "./admin/models.ts";
import { createPages } from "./admin/pages.ts";
import { type ReloadWatch, watchReload } from "./admin/reload-watch.ts";
import { createServiceAdmin, type ServiceAdmin } from "./admin/service.ts";
import type { Routes } from "./config.ts";
import type { Http } from "./lib/http/types.ts";
import type { RequestCounts } from "./lib/llama-swap/api/in-flight.ts";
import type { Service } from "./lib/service/run.ts";
import type { Ssh } from "./lib/ssh/types.ts";

/** One method for each thing that a server can be asked to do; all reject with AiServerError. */
export interface Admin extends ModelAdmin, FileAdmin, ServiceAdmin {
	/** What the server reports by itself. */
	readonly events: AdminEvents;
	/** The requests under way; undefined when the server does not report them. */
	inFlight(signal?: AbortSignal): Promise<RequestCounts | undefined>;
	/** Watches for a reload; undefined where the server has no events. To be closed. */
	watchReload(signal?: AbortSignal): Promise<ReloadWatch | undefined>;
}

export interface AdminDeps {
	readonly routes: Routes;
	readonly configPath: string;
	readonly http: Http;
	readonly ssh: Ssh;
	/** Throws AiServerError "settings" where no service is named in a usable way. */
	readonly service: () => Service;
	/** True when a key goes along, so that a 401 is worded right. */
	readonly keySent: boolean;
}

export function createAdmin(deps: AdminDeps): Admin {
	const { routes, configPath, http, ssh, service, keySent } = deps;
	const readPage = createPages(http, keySent);
	const models = createModelAdmin(http, readPage, routes);
	const events = createEvents(http);
	return {
		...models,
		...createFileAdmin(ssh, configPath, readPage, models),
		...createServiceAdmin(ssh, readPage, service),
		events,
		inFlight: (signal) => readInFlight(events, signal),
		watchReload: (signal) => watchReload(events, signal),
	};
}
