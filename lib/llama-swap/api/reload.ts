import { AiServerError } from "../../errors.ts";
import { readLaunch, sizeOf } from "../../llama-server/launch.ts";
import type { RunningModel } from "./models.ts";

/** How a llama-swap that does not watch its config is made to read it. */
export type ReloadMeans = "signal" | "restart";

/** The first version that reads its config on SIGHUP; every older one dies of it. */
const FIRST_WITH_SIGNAL = 205;

/**
 * What is safe for a version as `/api/version` gives it ("v250"). Undefined or anything else, a
 * build of somebody's own among it, gets the restart that always works.
 */
export function reloadMeans(version: string | undefined): ReloadMeans {
	const number = /^v?(\d+)$/.exec(version ?? "")?.[1];
	return number !== undefined && Number(number) >= FIRST_WITH_SIGNAL ? "signal" : "restart";
}

/**
 * True when the model runs with this size. Undefined when the server does not show its command, and
 * when that starts a program that is not known: it only repeats what the config says.
 */
export function runsWith(
	running: readonly RunningModel[],
	id: string,
	size: number,
): boolean | undefined {
	const model = running.find((entry) => entry.id === id);
	if (model === undefined) return false;
	if (model.cmd === undefined) return undefined;
	const launch = readLaunch(model.cmd);
	const isSize = sizeOf(launch) === size;
	return isSize && launch.server === undefined ? undefined : isSize;
}

/** True for the failure of a load that the new size may be the reason of: the server's own words. */
export function isStartFailure(error: unknown): boolean {
	return error instanceof AiServerError && error.code === "http" && (error.status ?? 0) >= 500;
}

/**
 * Tokens for "65536", "64k" or "1m", where k is 1024 as model cards have it. "max" stands for what
 * the model was trained for. Undefined for anything else.
 */
export function parseSize(text: string): number | "max" | undefined {
	if (/^max$/i.test(text)) return "max";
	const [, digits, unit = ""] = /^(\d{1,10})([km]?)$/i.exec(text) ?? [];
	if (digits === undefined) return undefined;
	const size =
		Number(digits) * { "": 1, k: 1024, m: 1024 ** 2 }[unit.toLowerCase() as "" | "k" | "m"];
	return size > 0 && size < 2 ** 31 ? size : undefined;
}
