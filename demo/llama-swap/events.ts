import type { ServerResponse } from "node:http";
import type { ModelConfig } from "./config-file.ts";
import type { State } from "./scheduler.ts";

export interface Snapshot {
	readonly models: readonly {
		readonly model: ModelConfig;
		readonly state: State;
		readonly inFlight: number;
	}[];
	readonly proxyLog: string;
}

/** GET /api/events: every message is JSON in JSON, and nothing comes while nothing happens. */
export interface Events {
	subscribe(response: ServerResponse): void;
	/** Sends the whole list, as after every change of a state. */
	models(): void;
	log(source: "proxy" | "upstream", text: string): void;
	close(): void;
}

export function createEvents(snapshot: () => Snapshot): Events {
	const clients = new Set<ServerResponse>();
	const frame = (type: string, data: unknown): string =>
		`event:message\ndata:${JSON.stringify({ type, data: JSON.stringify(data) })}\n\n`;
	const modelStatus = (): string =>
		frame(
			"modelStatus",
			snapshot().models.map(({ model, state }) => ({
				id: model.id,
				name: model.name,
				description: model.description,
				state,
				unlisted: model.unlisted,
				peerID: "",
				...(model.aliases.length === 0 ? {} : { aliases: model.aliases }),
			})),
		);
	const inFlight = (): object => {
		const requests = snapshot().models.flatMap(({ model, inFlight: count }) =>
			Array.from({ length: count }, (_, id) => ({ id, model: model.id, method: "POST" })),
		);
		return { operation: "snapshot", ...(requests.length === 0 ? {} : { requests }) };
	};
	const send = (text: string): void => {
		for (const client of clients) client.write(text);
	};
	return {
		subscribe(response) {
			response.writeHead(200, {
				"content-type": "text/event-stream",
				"cache-control": "no-cache",
				"x-accel-buffering": "no",
			});
			response.write(frame("logData", { data: snapshot().proxyLog, source: "proxy" }));
			response.write(frame("logData", { data: "", source: "upstream" }));
			response.write(modelStatus());
			response.write(
				frame("uiConfig", { activity: { session_id: ["X-Session-ID", "X-Litellm-Session-Id"] } }),
			);
			response.write(frame("profileChanged", { active: null }));
			response.write(frame("inflight", inFlight()));
			clients.add(response);
			response.once("close", () => clients.delete(response));
		},
		models: () => send(modelStatus()),
		log: (source, text) => send(frame("logData", { data: text, source })),
		close() {
			for (const client of clients) client.end();
			clients.clear();
		},
	};
}
