import type { Discovery } from "../discovery.ts";
import { AiServerError, describeError, type Names } from "../lib/errors.ts";
import type { ServerModel } from "./merge.ts";
import { FALLBACK_CONTEXT } from "./window.ts";

/** A plain server has no such page, which is no error. */
export function runningWarnings(error: unknown, names?: Names): readonly string[] {
	if (error === undefined || isMissing(error)) return [];
	return [`Which models are loaded is unknown: ${describeError(error, names)}`];
}

function isMissing(error: unknown): boolean {
	return error instanceof AiServerError && error.status === 404;
}

/** Why the config file could not be read, and whose windows may be wrong for it. */
export function configWarnings(
	error: unknown,
	models: readonly ServerModel[],
	names?: Names,
): readonly string[] {
	if (error === undefined) return [];
	const sure = ["server", "declared", "command"];
	const unsure = models.filter(({ contextOrigin }) => !sure.includes(contextOrigin));
	const effect =
		unsure.length === 0 ? "" : `. Context windows that may be wrong: ${idList(unsure)}`;
	return [`The server's config could not be read: ${describeError(error, names)}${effect}`];
}

/** For a start that could not wait for the config file; undefined where no window depends on it. */
export function lateWarning(models: readonly ServerModel[], names?: Names): string | undefined {
	const guessed = models.filter(({ contextOrigin }) => contextOrigin === "guess");
	const unsure = guessed.length > 0 ? guessed : models.filter(isWritten);
	if (unsure.length === 0) return undefined;
	const message = "The server's config has not come over SSH in time";
	const error = new AiServerError(
		"timeout",
		`${message}. Context windows that may be wrong: ${idList(unsure)}`,
		{ hint: "Try again; without SSH, set the SSH host to none", setting: "sshHost" },
	);
	return describeError(error, names);
}

/** Read in a command, so that the model's file may still say less. */
function isWritten({ contextOrigin }: ServerModel): boolean {
	return contextOrigin === "config" || contextOrigin === "command";
}

/** Why the built-in models are shown although the server has answered; `listed` cannot chat. */
export function emptyListWarning(listed: readonly ServerModel[], names?: Names): string {
	const message =
		listed.length === 0
			? "The server lists no models"
			: `The server lists no model that can chat, only ${idList(listed)}`;
	const error = new AiServerError("config", message, {
		hint: "Add one to its config, then list the models again",
		command: "refresh",
	});
	return describeError(error, names);
}

/** Facts about the list that are no errors. */
export function notes(models: readonly ServerModel[], runningError: unknown): readonly string[] {
	const guessed = models.filter(({ contextOrigin }) => contextOrigin === "guess");
	const isPlain = isMissing(runningError);
	const foreign = guessed.filter(({ peer }) => isPlain || peer !== undefined);
	const toolless = models.filter(({ tools }) => tools === false);
	return [
		...unknownNote(
			guessed.filter((model) => !foreign.includes(model)),
			"Give the model's cmd a --ctx-size",
		),
		...unknownNote(
			foreign,
			"Set their contextWindow in pi's models.json, below modelOverrides of this provider",
		),
		...disprovedNote(models),
		...(toolless.length === 0 ? [] : [`Cannot use tools: ${idList(toolless)}`]),
		...(isPlain
			? [
					"This server does not report which models are loaded; loading and unloading need llama-swap",
				]
			: []),
	];
}

function unknownNote(models: readonly ServerModel[], hint: string): readonly string[] {
	if (models.length === 0) return [];
	return [`Context window unknown, taken as ${FALLBACK_CONTEXT}: ${idList(models)}. ${hint}`];
}

/** Both numbers, where the model list and a command do not agree. */
function disprovedNote(models: readonly ServerModel[]): readonly string[] {
	const sizes = models.flatMap(({ id, contextWindow, disproved }) => {
		if (disproved === undefined) return [];
		const { tokens, origin } = disproved;
		const [declared, written] =
			origin === "declared" ? [tokens, contextWindow] : [contextWindow, tokens];
		return [`${id} (declared ${declared}, its command gives ${written})`];
	});
	if (sizes.length === 0) return [];
	const more = sizes.length > 5 ? ` and ${sizes.length - 5} more` : "";
	return [
		`Two context windows, of which the smaller one is used: ${sizes.slice(0, 5).join(", ")}${more}`,
	];
}

/** How old a list is. */
export function ageNote({ source, seenAt }: Discovery, now: number): string {
	if (source === "fallback" || seenAt === undefined) {
		return "Built-in list; the server was never reached";
	}
	return `The list as it was ${age(now - seenAt)} ago`;
}

function age(milliseconds: number): string {
	const minutes = Math.max(0, Math.round(milliseconds / 60_000));
	if (minutes < 2) return "a minute";
	if (minutes < 120) return `${minutes} minutes`;
	const hours = Math.round(minutes / 60);
	return hours < 48 ? `${hours} hours` : `${Math.round(hours / 24)} days`;
}

function idList(models: readonly ServerModel[]): string {
	const ids = models.slice(0, 3).map(({ id }) => id);
	const more = models.length > 3 ? ` and ${models.length - 3} more` : "";
	return `${ids.join(", ")}${more}`;
}
