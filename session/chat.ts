import { lazyStream } from "@earendil-works/pi-ai";
import { lazy } from "../lib/lazy.ts";
import type { StreamSimple } from "../stream.ts";
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
	const load = async (): Promise<StreamSimple> => {
		const { createStreamSimple } = await installed(chatStream());
		loaded ??= createStreamSimple({
			http,
			timeoutMs: settings.timeoutMs,
			explainLoad: admin.explainLoad,
			names,
			notice: notices.warn,
			thinkingOf: (id) => catalog.current().models.find((model) => model.id === id)?.thinking,
		});
		return loaded;
	};
	return (model, context, options) =>
		loaded?.(model, context, options) ??
		lazyStream(model, async () => (await load())(model, context, options));
}
