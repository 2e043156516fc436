import { lazyStream } from "@earendil-works/pi-ai";
import type { ServerModel } from "../discovery/merge.ts";
import { dialectOf } from "../lib/chat/dialect.ts";
import type { Lessons } from "../lib/chat/remedies/remedies.ts";
import { lazy } from "../lib/lazy.ts";
import type { StreamDeps, StreamSimple } from "../stream.ts";
import { installed } from "./effects.ts";
import type { Notices } from "./notices.ts";
import type { Server } from "./server.ts";

const chatStream = lazy(() => import("../stream.ts"));

/** The chat stream of a server, loaded with the first turn: a start that never chats does not pay. */
export function createChat(
	server: Pick<Server, "names" | "settings" | "http" | "admin" | "catalog">,
	notices: Pick<Notices, "warn">,
): StreamSimple {
	const { names, settings, http, admin, catalog } = server;
	let loaded: StreamSimple | undefined;
	const lessons: Lessons = new Map();
	const load = async (): Promise<StreamSimple> => {
		const { createStreamSimple } = await installed(chatStream());
		loaded ??= createStreamSimple({
			http,
			timeoutMs: settings.timeoutMs,
			explainLoad: admin.explainLoad,
			names,
			notice: notices.warn,
			lessons,
			factsOf: (id) => factsOf(catalog.current().models.find((model) => model.id === id)),
		});
		return loaded;
	};
	return (model, context, options) =>
		loaded?.(model, context, options) ??
		lazyStream(model, async () => (await load())(model, context, options));
}

/** What a request depends on; pi is told the window as the limit of an answer. */
function factsOf(model: ServerModel | undefined): ReturnType<NonNullable<StreamDeps["factsOf"]>> {
	if (model === undefined) return undefined;
	const { thinking, contextWindow, server, peer } = model;
	return { thinking, maxTokens: contextWindow, dialect: dialectOf(server, peer) };
}
