import { createHash } from "node:crypto";
import type { ServerFacts } from "../admin/models.ts";
import { flagOf, type JsonRecord, recordOf, windowOf } from "../lib/json.ts";
import { splitCommand } from "../lib/llama-server/shell-words.ts";
import type { Thinking } from "../lib/llama-server/thinking.ts";

/** How a model was asked once, and what came of it. It holds for the command that it was asked with. */
export type Probed = {
	/** Of the command; undefined where the server shows no command. */
	readonly fingerprint: string | undefined;
} & (
	| { readonly kind: "server"; readonly facts: ServerFacts }
	/** Its server was asked and reported nothing: not asked again before the next start. */
	| { readonly kind: "silent-server" }
);

/** What a loaded server has answered; undefined for no answer. */
export function probedServer(fingerprint: string | undefined, facts?: ServerFacts): Probed {
	const isEmpty = Object.values(facts ?? {}).every((fact) => fact === undefined);
	return facts === undefined || isEmpty
		? { kind: "silent-server", fingerprint }
		: { kind: "server", fingerprint, facts };
}

/** True when the model's server has been asked, and need not be asked again. */
export function isServerAsked(probed: Probed | undefined): boolean {
	return probed !== undefined;
}

export function factsOf(probed: Probed | undefined): ServerFacts {
	return probed?.kind === "server" ? probed.facts : {};
}

/**
 * Distinguishes commands. The port does not count: llama-swap assigns it anew when a model is added
 * to the config.
 */
export function fingerprintOf(cmd: string): string {
	const words = splitCommand(cmd);
	const counted = words.filter(
		(word, at) => !/^--port(?:=|$)/.test(word) && words[at - 1] !== "--port",
	);
	return createHash("sha256").update(JSON.stringify(counted)).digest("hex").slice(0, 16);
}

/** What was probed with this command, or with one that cannot be compared. */
export function stillTrue(probed: Probed | undefined, cmd: string | undefined): Probed | undefined {
	if (probed?.fingerprint === undefined || cmd === undefined) return probed;
	return probed.fingerprint === fingerprintOf(cmd) ? probed : undefined;
}

/** The form in which it is kept over restarts of pi; undefined for what may be asked again then. */
export function toKept(probed: Probed): JsonRecord | undefined {
	if (probed.kind === "silent-server") return undefined;
	return { fingerprint: probed.fingerprint, ...probed.facts };
}

/**
 * Reads pairs of a model's id and the kept form. Left out are entries of another form, and those
 * without a command: nothing would show when they are no longer true.
 */
export function parseProbed(kept: unknown): ReadonlyMap<string, Probed> {
	const pairs: readonly unknown[] = Array.isArray(kept) ? kept : [];
	return new Map(
		pairs.flatMap((pair) => {
			const [id, entry] = Array.isArray(pair) ? pair : [];
			const probed = fromKept(recordOf(entry));
			return typeof id === "string" && probed !== undefined ? [[id, probed] as const] : [];
		}),
	);
}

function fromKept(entry: JsonRecord | undefined): Probed | undefined {
	const { fingerprint, contextWindow, images, thinking, tools } = entry ?? {};
	if (typeof fingerprint !== "string") return undefined;
	const probed = probedServer(fingerprint, {
		contextWindow: windowOf(contextWindow),
		images: flagOf(images),
		thinking: isThinking(thinking) ? thinking : undefined,
		tools: flagOf(tools),
	});
	return probed.kind === "server" ? probed : undefined;
}

function isThinking(value: unknown): value is Thinking {
	const { thinks, levels, effort } = recordOf(value) ?? {};
	const words = recordOf(effort)?.["values"];
	return (
		typeof thinks === "boolean" &&
		Array.isArray(levels) &&
		(effort === undefined || (Array.isArray(words) && words.every(Array.isArray)))
	);
}
