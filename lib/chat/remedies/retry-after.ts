/** Longest time that one request waits for a busy server in all. */
export const MAX_WAIT_MS = 60_000;
/** A server that says "now" is asked again at this distance. */
const MIN_WAIT_MS = 500;

/**
 * Milliseconds that a 429 or 503 asks to wait (RFC 9110, 10.2.3); undefined when it names no time or
 * the time is longer than `left`. `now` is in milliseconds since 1970.
 */
export function waitAskedFor(
	{ status, headers }: { status: number; headers: Readonly<Record<string, string>> },
	left: number,
	now: number,
): number | undefined {
	if (status !== 429 && status !== 503) return undefined;
	const asked = headers["retry-after"]?.trim() ?? "";
	const milliseconds = /^\d+(?:\.\d+)?$/.test(asked)
		? Number(asked) * 1000
		: Date.parse(asked) - now;
	if (Number.isNaN(milliseconds)) return undefined;
	const wait = Math.max(MIN_WAIT_MS, milliseconds);
	return wait <= left ? wait : undefined;
}
