import type { ExtensionContext } from "@earendil-works/pi-coding-agent";
import type { Catalog } from "../discovery/catalog.ts";
import { ageNote } from "../discovery/warnings.ts";
import type { Discovery } from "../discovery.ts";
import { waitAtMost } from "../lib/deadline.ts";
import { describeError, type Names } from "../lib/errors.ts";

/** How long pi's start waits for the list: when nothing is known yet, and when an older list is. */
const FIRST_START_MS = 2500;
const CACHED_START_MS = 400;
/** A list this young is taken as it is, so that one start right after another costs nothing. */
const FRESH_MS = 10 * 60_000;

/** What a start leaves for later. Rejects with why the list could not be had. */
export type Rest = (context: Pick<ExtensionContext, "hasUI">) => Promise<unknown>;

/**
 * Waits for a list within the deadline and returns the rest of the start: with an older list at hand
 * it asks quickly and leaves the config file for later. Never rejects.
 */
export async function waitForModels(
	catalog: Pick<Catalog, "restore" | "refresh">,
	wait: (milliseconds: number, work: Promise<unknown>) => Promise<unknown> = waitAtMost,
): Promise<Rest> {
	const age = await catalog.restore();
	// A script that calls pi again and again need not ask again and again; a person may want news.
	if (age !== undefined && age < FRESH_MS) {
		return async ({ hasUI }) => (hasUI ? catalog.refresh() : undefined);
	}
	const quick = age !== undefined;
	const asked = catalog.refresh({ quick });
	const settled = asked.catch(() => undefined); // the rest reports it
	await wait(quick ? CACHED_START_MS : FIRST_START_MS, settled);
	return () => (quick ? catalog.refresh() : asked);
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
