import { setImmediate } from "node:timers/promises";
import type { Admin } from "../admin.ts";
import { windowOf } from "../lib/json.ts";
import { contextWindowOf } from "../lib/llama-server/context-window.ts";
import type { LaunchOptions } from "../lib/llama-server/launch.ts";
import type { SwapModel } from "../lib/llama-swap/config/read.ts";
import { isServerAsked, type Probed, stillTrue } from "./probed.ts";

/**
 * Tokens that models were trained for, as the heads of their files hold it, by the file's path.
 * Undefined for a file that could not be read, which is not looked for again before the next start.
 */
export type Heads = ReadonlyMap<string, number | undefined>;

/** No model in use was trained for less, so that a smaller window is taken as it is written. */
const LEAST_TRAINED = 2048;
/** Many files over a slow line must not hold up the list. */
const DEADLINE_MS = 10_000;

/** The files whose heads are still needed: a window may be what its file says, and is never more. */
export function missingHeads(
	configured: Iterable<SwapModel>,
	probed: ReadonlyMap<string, Probed>,
	heads: Heads,
): readonly string[] {
	const paths = new Set<string>();
	for (const { id, cmd, launch } of configured) {
		const { modelPath } = launch;
		if (modelPath === undefined || heads.has(modelPath) || !dependsOnHead(launch)) continue;
		// The server itself has taken its file into account.
		if (!isServerAsked(stillTrue(probed.get(id), cmd))) paths.add(modelPath);
	}
	return [...paths];
}

function dependsOnHead(launch: LaunchOptions): boolean {
	return contextWindowOf(launch, LEAST_TRAINED) !== contextWindowOf(launch);
}

/**
 * Reads heads side by side into the map, and calls back after each few that came together. What was
 * not read in time is left out. Never rejects.
 */
export async function readHeads(
	{ readTrained }: Pick<Admin, "readTrained">,
	paths: readonly string[],
	{ heads, signal, onSome }: HeadReading,
): Promise<void> {
	const deadline = AbortSignal.timeout(DEADLINE_MS);
	const limit = signal === undefined ? deadline : AbortSignal.any([signal, deadline]);
	let told: Promise<void> | undefined;
	const tell = async (): Promise<void> => {
		await setImmediate();
		told = undefined;
		onSome();
	};
	const reading = paths.map(async (path) => {
		const trained = await readTrained(path, limit).catch(() => undefined);
		if (trained === undefined && limit.aborted) return;
		heads.set(path, trained);
		told ??= tell();
	});
	await Promise.all(reading);
	await told;
}

export interface HeadReading {
	readonly heads: Map<string, number | undefined>;
	readonly signal: AbortSignal | undefined;
	readonly onSome: () => void;
}

/** Pairs of path and tokens, for a file of JSON: what could not be read may be tried after the next start. */
export function keptHeads(heads: Heads): readonly (readonly [string, number])[] {
	return [...heads].flatMap(([path, trained]) => (trained === undefined ? [] : [[path, trained]]));
}

/** Reads those pairs; what has another form is left out. */
export function parseHeads(kept: unknown): Heads {
	const pairs: readonly unknown[] = Array.isArray(kept) ? kept : [];
	return new Map(
		pairs.flatMap((pair) => {
			const [path, tokens] = Array.isArray(pair) ? (pair as readonly unknown[]) : [];
			const trained = windowOf(tokens);
			return typeof path === "string" && trained !== undefined ? [[path, trained] as const] : [];
		}),
	);
}
