/** How a llama-swap that does not watch its config is made to read it. */
export type ReloadMethod = "signal" | "restart";

/** The first version that reads its config on SIGHUP; older versions exit on it. */
const FIRST_WITH_SIGNAL = 205;

/**
 * What is safe for a version as `/api/version` reports it ("v250"). For undefined and anything else,
 * custom builds among it, that is a restart, which always works.
 */
export function reloadMethod(version: string | undefined): ReloadMethod {
	const number = /^v?(\d+)$/.exec(version ?? "")?.[1];
	return number !== undefined && Number(number) >= FIRST_WITH_SIGNAL ? "signal" : "restart";
}
