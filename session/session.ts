import type { ExtensionAPI, ExtensionContext } from "@earendil-works/pi-coding-agent";
import { followConfig } from "../discovery/config-watch.ts";
import { createReply, type Reply } from "../ui/reply.ts";
import { type CatalogUpdates, showChanges } from "./catalog-updates.ts";
import { createAdvice } from "./model-advice.ts";
import type { Notices } from "./notices.ts";
import type { Registration } from "./provider.ts";
import type { Server } from "./server.ts";
import { type Rest, startReport } from "./startup.ts";

type Pi = Pick<ExtensionAPI, "on" | "registerProvider" | "appendEntry">;

export interface SessionOptions {
	readonly registration: Registration;
	/** What the start has left for later. */
	readonly rest: Rest;
	readonly notices: Pick<Notices, "showIn">;
	/** Milliseconds since 1970. */
	readonly now: () => number;
	/** Rejects when the signal aborts. */
	readonly wait: (milliseconds: number, signal: AbortSignal) => Promise<void>;
}

/** Follows pi's session for one server: shows what changes, and ends with it. */
export function handleSession(pi: Pi, server: Server, options: SessionOptions): void {
	const { id, catalog, closed, http } = server;
	const { provider, isPulling } = options.registration;
	let updates: CatalogUpdates | undefined;
	let advise: ReturnType<typeof createAdvice> | undefined;

	pi.on("session_start", (_event, context) => {
		// Up to pi 1.5 the new session of an rpc client starts twice.
		if (updates !== undefined) return;
		updates = showChanges(catalog, isPulling, () => pi.registerProvider(provider));
		closed.addEventListener("abort", updates.stop, { once: true });
		const reply = createReply(pi, context, server.names);
		options.notices.showIn(reply);
		advise = createAdvice(id, reply, context, catalog);
		catalog.onChange(advise);
		// SSH may take long and the prompt does not wait for it, so the rest happens meanwhile.
		void finishStart(server, context, reply, options);
	});
	pi.on("agent_start", () => updates?.hold());
	pi.on("agent_end", (_event, { hasUI }) => {
		updates?.release();
		// A model that was not loaded before has its real numbers only now. The turn does not wait.
		if (!closed.aborted && hasUI) void catalog.refresh({ quick: true }).catch(() => undefined);
	});
	pi.on("model_select", ({ model }) => {
		advise?.(model);
		// So the handshake is over before the first question is typed.
		if (model.provider === id) void http.warm();
	});
	pi.on("session_shutdown", () => server.close());
}

/** Asks what the start has left out, reports what went wrong, then follows the server's config. */
async function finishStart(
	{ admin, catalog, closed, names, settings }: Server,
	context: ExtensionContext,
	reply: Reply,
	{ rest, now, wait }: SessionOptions,
): Promise<void> {
	try {
		const failure = await rest(context).then(
			() => undefined,
			(error: unknown) => error ?? new Error("The server did not answer"),
		);
		if (closed.aborted) return;
		const { problems } = settings;
		const report = startReport(catalog.current(), { failure, problems, now: now(), names });
		for (const line of report) reply.warn(`ai-server: ${line}`);
		if (context.hasUI) followConfig({ events: admin.events, catalog, wait, signal: closed });
	} catch (error) {
		// pi throws for whatever is asked of the context of a session that is over.
		if (!closed.aborted) reply.fail(error);
	}
}
