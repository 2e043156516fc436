// Runs one order against a provider and writes down what came of it. Also loaded by the probe inside
// the real pi, so it knows nothing of the tests.
import {
	type Api,
	type AssistantMessage,
	type AssistantMessageEvent,
	isContextOverflow,
	isRetryableAssistantError,
	type Model,
	type SimpleStreamOptions,
	type TranscriptContext,
} from "@earendil-works/pi-ai";
import type { Order } from "./scenario.ts";

export interface Observation {
	readonly events: string;
	readonly message: string;
	readonly hooks: string;
}

/** Either side's entry. */
export type Provider = (
	model: Model<Api>,
	context: TranscriptContext,
	options: SimpleStreamOptions,
) => AsyncIterable<AssistantMessageEvent> & { result(): Promise<AssistantMessage> };

const LONGEST = 1000;
/** A turn that takes longer than this never ends. */
const PATIENCE_MS = 25_000;
/** What a stop reason comes from, usually. */
const USUAL = { stop: "stop", length: "length", toolUse: "tool_calls" } as const;

export async function observe(provider: Provider, order: Order): Promise<Observation> {
	const { model, context, replace, abort, arrived, ended, reached } = order;
	const caller = new AbortController();
	const hooks: string[] = [];
	let chunks = 0;
	if (abort === "before") caller.abort();
	const options: SimpleStreamOptions = {
		...order.options,
		signal: caller.signal,
		onPayload(payload) {
			hooks.push("onPayload");
			if (abort === "pending") void fetch(arrived).finally(() => caller.abort());
			return replace === undefined ? undefined : { ...(payload as object), ...replace };
		},
		onResponse({ status }) {
			hooks.push(`onResponse ${status}`);
		},
	};
	Object.assign(options, {
		onProviderStreamEvent: () => {
			chunks += 1;
		},
	});
	const lines: string[] = [];
	let reported = false;
	const limit = setTimeout(() => {
		lines.push("did not end");
		caller.abort();
	}, PATIENCE_MS);
	try {
		const stream = provider(model, context as unknown as TranscriptContext, options);
		for await (const event of stream) {
			note(lines, event);
			if (event.type === abort) caller.abort();
			if (reached === undefined || reported || !("delta" in event)) continue;
			reported = true;
			await fetch(reached).catch(() => undefined);
		}
		const message = await stream.result();
		return {
			events: tidy(lines.join(" | ")),
			message: tidy(describe(message, model, order.wordless)),
			hooks: [...hooks, `${chunks} chunks`].join(", "),
		};
	} catch (error) {
		return { events: `threw ${String(error)}`, message: "", hooks: hooks.join(", ") };
	} finally {
		clearTimeout(limit);
		await fetch(ended).catch(() => undefined);
	}
}

/** Deltas of one block that follow each other are one line: how finely they are cut is no matter. */
function note(lines: string[], event: AssistantMessageEvent): void {
	const { type } = event;
	if (type === "start") lines.push("start");
	else if (type === "done" || type === "error") lines.push(`${type} ${event.reason}`);
	else if (!("delta" in event)) lines.push(`${type} ${event.contentIndex}`);
	else {
		const head = `${type.replace("_delta", "")} ${event.contentIndex} `;
		const grown: unknown = event.delta;
		const text = typeof grown === "string" ? grown : JSON.stringify(grown);
		const last = lines.at(-1);
		if (last?.startsWith(head)) lines[lines.length - 1] = last + text;
		else lines.push(head + text);
	}
}

/** Content, end, usage as input+cached>output, and what the host will do about an error. */
function describe(message: AssistantMessage, model: Model<Api>, wordless: boolean): string {
	const { stopReason, rawStopReason, errorMessage, usage, responseId, responseModel } = message;
	const { input, cacheRead, output, reasoning, totalTokens } = usage;
	const sum = input + cacheRead + usage.cacheWrite + output;
	const parts = message.content.map((block) => {
		if (block.type === "text") return `text ${block.text}`;
		if (block.type === "thinking") return `thinking(${block.thinkingSignature}) ${block.thinking}`;
		const { argumentsError } = block as { argumentsError?: string };
		// What the model reads about them may differ between the sides.
		const fault = argumentsError === undefined ? "" : " with an argumentsError";
		return `call ${block.id} ${block.name} ${JSON.stringify(block.arguments)}${fault}`;
	});
	// pi has its own words for an abort, whatever the message says.
	const quiet = errorMessage === undefined || stopReason === "aborted";
	parts.push(quiet ? stopReason : `${stopReason}: ${wordless ? "..." : errorMessage}`);
	if (isContextOverflow(message, model.contextWindow)) parts.push("compacts");
	else if (isRetryableAssistantError(message)) parts.push("tries again");
	const usual = (USUAL as Readonly<Record<string, string>>)[stopReason];
	if (rawStopReason !== usual && rawStopReason !== undefined) parts.push(`from ${rawStopReason}`);
	const thought = reasoning === undefined || reasoning === 0 ? "" : ` (${reasoning} thinking)`;
	if (totalTokens !== 0 || sum !== 0) parts.push(`${input}+${cacheRead}>${output}${thought}`);
	if (usage.cost.total !== 0) parts.push(`costs ${usage.cost.total.toFixed(6)}`);
	if (sum !== totalTokens) parts.push(`total ${totalTokens}`);
	if (responseId !== undefined) parts.push(`id ${responseId}`);
	if (responseModel !== undefined) parts.push(`model ${responseModel}`);
	return parts.join(" | ");
}

/** Without what differs between two runs of the same. */
function tidy(text: string): string {
	const plain = text
		.replace(/call_[0-9a-f]{24}/g, "call_*")
		.replace(/127\.0\.0\.1:\d+/g, "127.0.0.1:PORT");
	return plain.length <= LONGEST
		? plain
		: `${plain.slice(0, 100)}... (${plain.length} characters) ...${plain.slice(-100)}`;
}
