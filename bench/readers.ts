import type {
	Api,
	AssistantMessageEventStream,
	Context,
	Model,
	SimpleStreamOptions,
} from "@earendil-works/pi-ai";
import { createParser } from "eventsource-parser";
import { Pool } from "undici";
import { createHttp, type HttpOptions } from "../lib/http/client.ts";
import { createStreamSimple, type StreamSimple } from "../stream.ts";
import type { Reader } from "./sample.ts";

/** The floor: the bytes, cut into events, each parsed as JSON, and nothing else. */
export function bareReader(pool: Pool): Reader {
	return async (model, onDelta) => {
		const { body } = await pool.request({
			method: "POST",
			path: "/v1/chat/completions",
			headers: { "content-type": "application/json" },
			body: JSON.stringify({ model, stream: true }),
		});
		const decoder = new TextDecoder();
		let count = 0;
		const parser = createParser({
			onEvent({ data }) {
				if (data === "[DONE]") return;
				JSON.parse(data);
				count += 1;
				onDelta();
			},
		});
		for await (const bytes of body) parser.feed(decoder.decode(bytes, { stream: true }));
		return count;
	};
}

export function barePool(origin: string, connect?: object): Pool {
	return new Pool(origin, {
		allowH2: false,
		headersTimeout: 0,
		bodyTimeout: 0,
		keepAliveTimeout: 240_000,
		...(connect === undefined ? {} : { connect: { ...connect, allowH2: false } }),
	});
}

/** Our stream function by itself, as an extension would call it. */
export function ownStream(options: HttpOptions): StreamSimple {
	return createStreamSimple({
		http: createHttp(options),
		timeoutMs: 60_000,
	});
}

const MODEL: Model<Api> = {
	id: "bench",
	name: "bench",
	api: "bench",
	provider: "bench",
	baseUrl: "",
	reasoning: false,
	input: ["text"],
	contextWindow: 262_144,
	maxTokens: 262_144,
	cost: { input: 0, output: 0, cacheRead: 0, cacheWrite: 0 },
};

export const CONTEXT: Context = {
	messages: [{ role: "user", content: "Say something", timestamp: 0 }],
};

/** Any provider's stream as a reader. Throws when it ends with an error. */
export function eventReader(
	stream: (
		model: Model<Api>,
		context: Context,
		options?: SimpleStreamOptions,
	) => AssistantMessageEventStream,
	model: Model<Api> = MODEL,
): Reader {
	return async (id, onDelta) => {
		let count = 0;
		for await (const event of stream({ ...model, id }, CONTEXT)) {
			if (event.type === "error") throw new Error(event.error.errorMessage);
			if (!event.type.endsWith("_delta")) continue;
			count += 1;
			onDelta();
		}
		return count;
	};
}

export function modelOf(id: string): Model<Api> {
	return { ...MODEL, id };
}
