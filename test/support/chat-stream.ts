import type {
	AssistantMessage,
	AssistantMessageEvent,
	Context,
	Model,
	SimpleStreamOptions,
} from "@earendil-works/pi-ai";
import type { Names } from "../../lib/errors.ts";
import type { Http, HttpRequest } from "../../lib/http/types.ts";
import { createStreamSimple, type StreamDeps } from "../../stream.ts";
import { readTurn, type Turn } from "./chat.ts";
import { type ScriptedAnswer, scriptedHttp } from "./scripted-http.ts";

export const MODEL: Model<"test"> = {
	id: "tiny",
	name: "tiny",
	api: "test",
	provider: "ai-server",
	baseUrl: "",
	reasoning: false,
	input: ["text"],
	cost: { input: 0, output: 0, cacheRead: 0, cacheWrite: 0 },
	contextWindow: 4096,
	maxTokens: 4096,
};
export const CONTEXT: Context = { messages: [] };
export const NAMES: Names = {
	setting: (setting) => setting.replace(/[A-Z]/g, "_$&").toUpperCase(),
	command: (name) => `/${name}`,
};
/** What every frame of a server has. */
export const HEAD: Readonly<Record<string, unknown>> = { id: "c1", model: "tiny.gguf", created: 1 };

export const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
export const frame = (value: unknown): string => `data: ${JSON.stringify(value)}\n\n`;
export const delta = (part: unknown, finish: string | null = null): string =>
	frame({ ...HEAD, choices: [{ index: 0, delta: part, finish_reason: finish }] });
export const loading = (text: string): string =>
	frame({ choices: [{ delta: { reasoning_content: text } }] });
export const DONE = "data: [DONE]\n\n";
export const STOP: string = delta({}, "stop") + DONE;
export const sse = (...parts: readonly string[]): ScriptedAnswer => ({
	status: 200,
	headers: { "content-type": "text/event-stream" },
	chunks: parts.map(bytes),
});
export const answer = (
	status: number,
	body: string,
	type = "application/json",
): ScriptedAnswer => ({
	status,
	headers: { "content-type": type },
	chunks: body === "" ? [] : [bytes(body)],
});

export interface Result {
	readonly events: readonly AssistantMessageEvent[];
	readonly types: readonly string[];
	readonly message: AssistantMessage;
}

export async function run(
	http: Http,
	options: SimpleStreamOptions = {},
	deps: Partial<StreamDeps> = {},
): Promise<Result> {
	const streamSimple = createStreamSimple({
		http,
		timeoutMs: 60_000,
		names: NAMES,
		...deps,
	});
	const stream = streamSimple(MODEL, CONTEXT, options);
	const events: AssistantMessageEvent[] = [];
	for await (const event of stream) events.push(event);
	return { events, types: events.map(({ type }) => type), message: await stream.result() };
}

export const play = (...answers: readonly ScriptedAnswer[]): Promise<Result> =>
	run(scriptedHttp(...answers));

export const callDelta = (call: unknown): string => delta({ tool_calls: [call] });

export const fault = (message: string, more: object = {}): string =>
	JSON.stringify({ error: { code: 500, message, type: "server_error", ...more } });

/** A server whose body goes on until the request is aborted; `parts` come first. */
export function endless(
	...parts: readonly string[]
): Http & { readonly aborted: Promise<unknown> } {
	const { promise, resolve } = Promise.withResolvers<unknown>();
	return {
		aborted: promise,
		async request({ signal }: HttpRequest) {
			const gone = new Promise<never>((_, reject) => {
				const end = (): void => {
					resolve(signal?.reason);
					reject(signal?.reason as Error);
				};
				if (signal?.aborted === true) end();
				signal?.addEventListener("abort", end);
			});
			gone.catch(() => undefined);
			if (parts.length === 0) return gone;
			async function* chunks(): AsyncGenerator<Uint8Array> {
				for (const part of parts) yield bytes(part);
				await gone;
			}
			const body = { destroy: () => resolve("destroyed"), [Symbol.asyncIterator]: chunks };
			return { status: 200, headers: { "content-type": "text/event-stream" }, body };
		},
		close: async () => undefined,
	};
}

export const calling = (index: number, id: string, name: string, args: unknown): string =>
	callDelta({ index, id, type: "function", function: { name, arguments: args } });

export const CUT_OFF =
	"Connection error: the stream ended without finish_reason; the model's server stopped, or was stopped";

export const checked = (http: Http, deps: Partial<StreamDeps> = {}): Promise<Turn> =>
	readTurn(createStreamSimple({ http, timeoutMs: 60_000, ...deps })(MODEL, CONTEXT));
