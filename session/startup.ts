import type { ExtensionContext } from "@earendil-works/pi-coding-agent";
import type { Catalog } from "../discovery/catalog.ts";
import { ageNote, lateWarning } from "../discovery/warnings.ts";
import type { Discovery } from "../discovery.ts";
import { waitAtMost } from "../lib/deadline.ts";
import { describeError, type Names } from "../lib/errors.ts";
import type { StartMode } from "./start-mode.ts";

/** How long pi's start waits for HTTP: when nothing is known yet, and when an older list is. */
const FIRST_START_MS = 2500;
const CACHED_START_MS = 400;
/** How long a start waits for SSH as well, where it cannot be corrected later. */
const CONFIG_MS = 5000;
/** A list this young is taken as it is, so that one start right after another costs nothing. */
const FRESH_MS = 10 * 60_000;

/** What a start leaves for later. Rejects with why the list could not be had. */
export type Rest = (context: Pick<ExtensionContext, "hasUI">) => Promise<unknown>;

export interface StartOptions {
	readonly mode: StartMode;
	/** A line for the user, before there is a session to show it in. */
	readonly warn: (line: string) => void;
	readonly names: Names;
	readonly wait?: (milliseconds: number, work: Promise<unknown>) => Promise<unknown>;
}

type Started = Pick<Catalog, "restore" | "refresh" | "current" | "onChange">;

/**
 * Waits for a list within the deadline and returns the rest of the start. With an older list whose
 * windows are known, it asks quickly and leaves the config file for later. A live session takes what
 * comes when it comes; a list or a printed answer cannot be corrected, so those wait for the config
 * file where windows would be guesses. Never rejects.
 */
export async function waitForModels(
	catalog: Started,
	{ mode, warn, names, wait = waitAtMost }: StartOptions,
): Promise<Rest> {
	const kept = await catalog.restore();
	const isYoung = kept !== undefined && kept.age < FRESH_MS;
	// A script that calls pi again and again need not ask again and again; a person may want news.
	if (isYoung && kept.isComplete) {
		return async ({ hasUI }) => (hasUI ? catalog.refresh() : undefined);
	}
	const quick = kept?.isComplete === true;
	const listed = nextChange(catalog);
	const asked = catalog.refresh({ quick });
	const settled = asked.catch(() => undefined); // the rest reports it
	const answered = Promise.race([listed, settled]);
	if (quick) {
		await wait(CACHED_START_MS, settled);
		return () => catalog.refresh();
	}
	if (mode === "live") {
		if (!isYoung) await wait(kept === undefined ? FIRST_START_MS : CACHED_START_MS, answered);
		return () => asked;
	}
	const whole = wait(CONFIG_MS, settled);
	await wait(FIRST_START_MS, answered);
	if (catalog.current().source !== "server") return () => asked;
	await whole;
	for (const line of guessesReport(catalog.current(), mode, names)) warn(`ai-server: ${line}`);
	return () => asked;
}

function nextChange(catalog: Pick<Catalog, "onChange">): Promise<void> {
	return new Promise((resolve) => {
		const stop = catalog.onChange(() => {
			stop();
			resolve();
		});
	});
}

/** Why windows are guesses. What failed is reported by the session, which a list does not have. */
function guessesReport(
	{ models, warnings, isComplete }: Discovery,
	mode: StartMode,
	names: Names,
): readonly string[] {
	if (isComplete) return [];
	if (warnings.length > 0) return mode === "list" ? warnings : [];
	const late = lateWarning(models, names);
	return late === undefined ? [] : [late];
}

export interface StartFacts {
	/** Why the list could not be had; undefined when it could. */
	readonly failure: unknown;
	readonly problems: readonly Error[];
	/** Milliseconds since 1970. */
	readonly now: number;
	readonly names: Names;
}

/**
 * What a start reports: unusable settings, a server that could not be asked, a config file that could
 * not be read. One line each; nothing after a start without an error.
 */
export function startReport(
	discovery: Discovery,
	{ failure, problems, now, names }: StartFacts,
): readonly string[] {
	const settings = problems.map((problem) => describeError(problem, names));
	if (failure === undefined) return [...settings, ...discovery.warnings];
	const line = describeError(failure, names);
	// An unusable URL fails every request with the same words.
	const lines = settings.includes(line) ? settings : [...settings, line];
	return lines.map((text, at) =>
		at === lines.length - 1 ? `${text}. ${ageNote(discovery, now)}` : text,
	);
}
