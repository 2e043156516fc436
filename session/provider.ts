import type { Model, Provider } from "@earendil-works/pi-ai";
import type { ServerModel } from "../discovery/merge.ts";
import { levelMap } from "../lib/llama-server/thinking.ts";
import type { StreamSimple } from "../stream.ts";
import type { Server } from "./server.ts";

/** Private to this provider: pi uses a stream function for models with its own api name only. */
const API = "ai-server-mtls";
export type ServerApi = typeof API;
export interface Registration {
	readonly provider: Provider<ServerApi>;
	/** True while pi itself asks for the models, and so will see what comes. */
	readonly isPulling: () => boolean;
}

/** A server's catalog as a provider of pi. */
export function createProvider(
	{ id, names, settings, catalog }: Pick<Server, "id" | "names" | "settings" | "catalog">,
	streamSimple: StreamSimple,
): Registration {
	let pulling = 0;
	const baseUrl = settings.url ?? "";
	const known = new Map<string, Model<ServerApi>>();
	const source = settings.apiKey === undefined ? "client certificate" : names.setting("apiKey");
	const provider: Provider<ServerApi> = {
		id,
		name: id,
		baseUrl,
		// No key at all: the certificate is the credential, and lib/http sends a key where one is set.
		auth: { apiKey: { name: "Client certificate", resolve: async () => ({ auth: {}, source }) } },
		getModels: () =>
			catalog.current().models.map((model) => {
				// pi's agent holds on to the object of the selected model, so that one is updated.
				const entry = Object.assign(known.get(model.id) ?? {}, toPiModel(model, id, baseUrl));
				known.set(model.id, entry);
				return entry;
			}),
		async refreshModels({ allowNetwork, publish }) {
			if (!allowNetwork) return;
			pulling += 1;
			try {
				await catalog.refresh();
			} finally {
				pulling -= 1;
			}
			await publish({});
		},
		stream: streamSimple,
		streamSimple,
	};
	return { provider, isPulling: () => pulling > 0 };
}

/** A model as pi knows it. The output limit is the window itself: llama-server has no other. */
function toPiModel(model: ServerModel, provider: string, baseUrl: string): Model<ServerApi> {
	return {
		id: model.id,
		name: model.name,
		api: API,
		provider,
		baseUrl,
		reasoning: model.reasoning,
		...(model.thinking?.thinks === true ? { thinkingLevelMap: levelMap(model.thinking) } : {}),
		input: model.images ? ["text", "image"] : ["text"],
		cost: { input: 0, output: 0, cacheRead: 0, cacheWrite: 0 },
		contextWindow: model.contextWindow,
		maxTokens: model.contextWindow,
	};
}
