import type { ExtensionAPI } from "@earendil-works/pi-coding-agent";
import { visibleWidth, wrapTextWithAnsi } from "@earendil-works/pi-tui";
import type { ServerModel } from "../discovery/merge.ts";
import { ageNote } from "../discovery/warnings.ts";
import type { Discovery } from "../discovery.ts";
import { describeError, type Names } from "../lib/errors.ts";
import { plainText } from "../lib/text.ts";
import { keepLines } from "./kept-lines.ts";
import { type Column, renderTable } from "./table.ts";

/** The custom entry in pi's session that holds a status. */
export const STATUS_ENTRY = "ai-server-status";

/** A status at one moment, as it is kept in the session. */
export interface Status {
	readonly models: readonly ServerModel[];
	/** Those that cannot chat. */
	readonly others: readonly ServerModel[];
	readonly warnings: readonly string[];
	/** How old the list is, when the server could not be asked just now. */
	readonly note: string | undefined;
}

/** `failure` is why the server could not be asked just now; `now` in ms since 1970. */
export function toStatus(
	discovery: Discovery,
	failure: unknown,
	names: Names,
	now: number,
): Status {
	const { models, others, warnings, guesses } = discovery;
	if (failure === undefined) {
		return { models, others, warnings: [...warnings, ...guesses], note: undefined };
	}
	const note = ageNote(discovery, now);
	return { models, others, warnings: [describeError(failure, names)], note };
}

/** Draws the status entries of a session, at any width. */
export function registerStatusEntry(pi: Pick<ExtensionAPI, "registerEntryRenderer">): void {
	pi.registerEntryRenderer<Status>(STATUS_ENTRY, ({ data }) =>
		data === undefined ? undefined : keepLines((width) => ["", ...statusLines(data, width)]),
	);
}

const COLUMNS: readonly Column[] = [
	{ title: "Model" },
	{ title: "State" },
	{ title: "Context", align: "right" },
	{ title: "from", dropFirst: 3 },
	{ title: "Images", dropFirst: 1 },
	{ title: "Thinking", dropFirst: 2 },
	{ title: "TTL", align: "right", dropFirst: 4 },
];

/** The table, then what cannot chat, then the warnings, wrapped at `width` terminal cells. */
export function statusLines(
	{ models, others = [], warnings, note }: Omit<Status, "others"> & Partial<Status>,
	width: number,
): readonly string[] {
	const table = renderTable(COLUMNS, models.map(toRow), width, visibleWidth);
	const kinds = Map.groupBy(others, ({ kind }) => kind ?? "unknown");
	const below = [
		...(note === undefined ? [] : [note]),
		...[...kinds].map(
			([kind, group]) => `Not for chat (${kind}): ${group.map(({ id }) => id).join(", ")}`,
		),
		...warnings.map((text) => `Note: ${text}`),
	];
	const wrapped = below.flatMap((text) => wrapTextWithAnsi(plainText(text), width));
	return wrapped.length === 0 ? table : [...table, "", ...wrapped];
}

function toRow(model: ServerModel): readonly string[] {
	return [
		plainText(model.id),
		stateOf(model),
		String(model.contextWindow),
		model.contextOrigin,
		model.images ? "yes" : "no",
		model.reasoning ? "yes" : "no",
		ttlOf(model.ttl),
	];
}

/** Ids that llama-swap only passes on have no state of their own. */
function stateOf({ state, peer, choice }: ServerModel): string {
	if (peer !== undefined) return plainText(`peer ${peer}`);
	return choice ?? (state === "unknown" ? "?" : state);
}

function ttlOf(seconds: number | undefined): string {
	if (seconds === undefined) return "";
	if (seconds === 0) return "never";
	return seconds % 60 === 0 ? `${seconds / 60} min` : `${seconds} s`;
}
