import { contextWindowOf } from "../lib/llama-server/context-window.ts";
import type { LaunchOptions } from "../lib/llama-server/launch.ts";
import type { ListedModel, RunningModel } from "../lib/llama-swap/api/models.ts";
import { factsOf, type Probed } from "./probed.ts";

/** What an unknown context window is taken for, in tokens. */
export const FALLBACK_CONTEXT = 32_768;

/**
 * Where a context window comes from: the loaded server, the model list, the running command, the
 * config file, the head of the model's file, a command whose program is not known here so that only
 * the loaded server can confirm it, an earlier time, nowhere.
 */
export type ContextOrigin =
	| "server"
	| "declared"
	| "command"
	| "config"
	| "gguf"
	| "unconfirmed"
	| "cache"
	| "guess";

export interface Window {
	/** Tokens of one request. */
	readonly contextWindow: number;
	readonly contextOrigin: ContextOrigin;
	/** A larger number from elsewhere that is not believed: what the model list declares, or the command. */
	readonly disproved?: Disproved | undefined;
}

export interface Disproved {
	readonly tokens: number;
	readonly origin: ContextOrigin;
}

export interface WindowSources {
	readonly process: RunningModel | undefined;
	readonly launch: LaunchOptions | undefined;
	readonly probed: Probed | undefined;
	/** Tokens that the model was trained for. */
	readonly trained: number | undefined;
	/** From an earlier time. */
	readonly remembered: number | undefined;
	/** An earlier window, where a declaration was disproved. */
	readonly earlier: Window | undefined;
}

/** The most trusted of what is known; of a declaration and a command, the smaller one. */
export function windowOf(model: ListedModel, sources: WindowSources): Window {
	const { process, probed, remembered, earlier } = sources;
	const given = (contextWindow: number | undefined, contextOrigin: ContextOrigin) =>
		contextWindow === undefined ? undefined : { contextWindow, contextOrigin };
	const { context } = model;
	const written = byCommand(model, sources);
	// What has disproved it cannot be read now, so that still holds.
	const isDisproved =
		written === undefined &&
		earlier?.disproved?.origin === "declared" &&
		earlier.disproved.tokens === context?.tokens;
	const isLoaded = process?.state === "ready";
	return (
		given(factsOf(probed).contextWindow, isLoaded ? "server" : "cache") ??
		(context?.measured === true ? given(context.tokens, "server") : undefined) ??
		(isDisproved ? { ...windowIn(earlier), contextOrigin: "cache" } : undefined) ??
		smaller(given(context?.tokens, "declared"), written) ??
		given(remembered, "cache") ?? { contextWindow: FALLBACK_CONTEXT, contextOrigin: "guess" }
	);
}

function windowIn({ contextWindow, contextOrigin, disproved }: Window): Window {
	return { contextWindow, contextOrigin, disproved };
}

/** A window that is too large costs a failed turn, one that is too small an early compaction. */
function smaller(declared: Window | undefined, written: Window | undefined): Window | undefined {
	if (declared === undefined || written === undefined) return declared ?? written;
	// The command of a program that is not known is itself no more than a claim.
	const isRead = written.contextOrigin !== "unconfirmed";
	if (!isRead || declared.contextWindow === written.contextWindow) return declared;
	const [less, more] =
		written.contextWindow < declared.contextWindow ? [written, declared] : [declared, written];
	return { ...less, disproved: { tokens: more.contextWindow, origin: more.contextOrigin } };
}

function byCommand(
	{ args }: ListedModel,
	{ process, launch, trained }: WindowSources,
): Window | undefined {
	const contextWindow = launch && contextWindowOf(launch, trained);
	if (launch === undefined || contextWindow === undefined) return undefined;
	if (launch.server === undefined) return { contextWindow, contextOrigin: "unconfirmed" };
	if (contextWindowOf(launch) !== contextWindow) return { contextWindow, contextOrigin: "gguf" };
	const isConfig = process?.cmd === undefined && args === undefined;
	return { contextWindow, contextOrigin: isConfig ? "config" : "command" };
}
