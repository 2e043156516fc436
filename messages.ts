import {
	type Api,
	clampThinkingLevel,
	getCurrentSystemPrompt,
	getCurrentTools,
	type Message,
	type Model,
	type SimpleStreamOptions,
	type TranscriptContext,
} from "@earendil-works/pi-ai";
import { type Dialect, fieldsOf, LLAMA_SERVER_FIELDS } from "./lib/chat/dialect.ts";
import { CHARACTERS_PER_TOKEN } from "./lib/chat/estimate.ts";
import type { ChatMessage, ChatPart, ChatRequest, ChatTool } from "./lib/chat/request.ts";
import { clean, cleanDeep } from "./lib/chat/text.ts";
import { thinkingParameters } from "./lib/chat/thinking.ts";
import type { Thinking } from "./lib/llama-server/thinking.ts";
import { type Fragment, toFragment } from "./messages/fragment.ts";
import { addMessage } from "./messages/merge.ts";

/** What pi hands over: the prompt and the tools are in the system messages. */
export type Transcript = Pick<TranscriptContext, "messages">;

/** Turns pi's transcripts into chat requests; one per provider, since it remembers what it converted. */
export interface Converter {
	request(model: Model<Api>, transcript: Transcript, options?: SimpleStreamOptions): ChatRequest;
}

/** What is known of a model that a request depends on, besides pi's own description of it. */
export interface ModelFacts {
	/** How its thinking is controlled; undefined while its template is not read. */
	readonly thinking?: Thinking | undefined;
	/** The limit that pi gets when none is set, in tokens: the window itself. */
	readonly maxTokens?: number | undefined;
	/** What its server takes besides the fields of OpenAI's API; undefined: what llama-server takes. */
	readonly dialect?: Dialect | undefined;
}

/** A shorter answer is of no use, however full the window seems by our estimate. */
const MIN_OUTPUT = 1024;
/** Kept free for what the estimate misses: chat template, tool grammar. */
const MARGIN = 0.15;
const NO_FACTS: ModelFacts = {};

export function createConverter(
	factsOf: (id: string) => ModelFacts | undefined = () => undefined,
): Converter {
	// pi's messages are immutable objects, so what was converted once need not be converted again.
	const known = new WeakMap<Message, { readonly key: string; readonly fragment: Fragment }>();
	const converterFor = (model: Model<Api>): ((message: Message) => Fragment) => {
		/** What the conversion depends on besides the message itself. */
		const key = `${model.provider}\n${model.api}\n${model.id}\n${model.input.includes("image")}`;
		return (message) => {
			const last = known.get(message);
			if (last?.key === key) return last.fragment;
			const fragment = toFragment(message, model);
			known.set(message, { key, fragment });
			return fragment;
		};
	};
	return {
		request(model, { messages: transcript }, options = {}) {
			const { messages, tokens } = toChatMessages(transcript, converterFor(model));
			const facts = factsOf(model.id) ?? NO_FACTS;
			const tools = toChatTools(transcript);
			const used = tokens + JSON.stringify(tools).length / CHARACTERS_PER_TOKEN;
			const room = Math.floor(model.contextWindow - used * (1 + MARGIN));
			const limit = outputLimit(model, facts, room, options.maxTokens);
			// A template cannot continue an answer that has begun and think first.
			const level = messages.at(-1)?.role === "assistant" ? undefined : options.reasoning;
			return {
				model: model.id,
				messages,
				stream: true,
				stream_options: { include_usage: true },
				...(limit === undefined ? {} : { max_tokens: limit }),
				...(options.temperature === undefined ? {} : { temperature: options.temperature }),
				...(tools.length === 0 ? {} : { tools }),
				...(options.toolChoice === undefined ? {} : { tool_choice: options.toolChoice }),
				...fieldsOf(facts.dialect, {
					...toThinkingParameters(model, facts.thinking, {
						level,
						budgets: options.thinkingBudgets,
						room: Math.max(limit ?? room, Math.min(MIN_OUTPUT, model.contextWindow)) - MIN_OUTPUT,
					}),
					...LLAMA_SERVER_FIELDS,
				}),
				// Last, so that they win over everything, as in pi's own provider.
				...model.samplingParams,
				...model.samplingParamsByThinkingLevel?.[
					clampThinkingLevel(model, options.reasoning ?? "off")
				],
				...options.samplingParams,
			};
		},
	};
}

interface ThinkingOptions {
	readonly level: SimpleStreamOptions["reasoning"];
	readonly budgets: SimpleStreamOptions["thinkingBudgets"];
	/** Tokens that the thought may take without eating up the answer. */
	readonly room: number;
}

function toThinkingParameters(
	model: Model<Api>,
	facts: Thinking | undefined,
	{ level, budgets, room }: ThinkingOptions,
): Readonly<Record<string, unknown>> {
	if (!model.reasoning) return {};
	// A template's own names of the levels are in its facts; the map then only lists the levels for pi.
	const word =
		level === undefined || facts !== undefined ? undefined : model.thinkingLevelMap?.[level];
	const byLevel = budgets as Readonly<Record<string, number>> | undefined;
	const budget = level === undefined ? undefined : byLevel?.[level];
	return thinkingParameters({ level, word: word ?? undefined, budget, room }, facts);
}

/**
 * What pi or the user's settings set, where it fits by our estimate. Without a limit every server takes
 * what is left of the window, which it alone can count; pi compacts after a `length` stop below the
 * limit that it knows, which then is the window.
 */
function outputLimit(
	{ contextWindow, maxTokens }: Model<Api>,
	facts: ModelFacts,
	room: number,
	asked: number | undefined,
): number | undefined {
	const isSet = maxTokens < contextWindow && maxTokens !== facts.maxTokens;
	const limit = asked ?? (isSet ? maxTokens : undefined);
	if (facts.dialect?.needsLimit === true) {
		return Math.min(limit ?? maxTokens, Math.max(room, Math.min(MIN_OUTPUT, contextWindow)));
	}
	return limit === undefined || limit > room ? undefined : limit;
}

/** The prompt first, since templates refuse a later one; then the turns, with every call answered. */
function toChatMessages(
	transcript: Transcript["messages"],
	convert: (message: Message) => Fragment,
): { readonly messages: readonly ChatMessage[]; readonly tokens: number } {
	const prompt = clean(getCurrentSystemPrompt(transcript));
	const out: ChatMessage[] = prompt === "" ? [] : [{ role: "system", content: prompt }];
	let tokens = prompt.length / CHARACTERS_PER_TOKEN;
	const open = new Set<string>();
	const images: ChatPart[] = [];

	const closeRun = (): void => {
		for (const id of open) {
			out.push({ role: "tool", tool_call_id: id, content: "No result provided" });
		}
		open.clear();
		if (images.length > 0) {
			const caption = { type: "text", text: "Attached image(s) from tool result:" } as const;
			addMessage(out, { role: "user", content: [caption, ...images.splice(0)] });
		}
	};
	for (const message of transcript) {
		if (message.role === "system") continue;
		const fragment = convert(message);
		// A result without its call (of a turn that failed) makes some templates raise.
		if (fragment.answers === undefined) closeRun();
		else if (!open.delete(fragment.answers)) continue;
		for (const made of fragment.messages) addMessage(out, made);
		images.push(...fragment.images);
		tokens += fragment.tokens;
		for (const id of fragment.calls) open.add(id);
	}
	closeRun();
	return { messages: out, tokens };
}

function toChatTools(transcript: Transcript["messages"]): readonly ChatTool[] {
	return getCurrentTools(transcript).map(({ name, description, parameters }) => ({
		type: "function",
		function: cleanDeep({ name, description, parameters }),
	}));
}
