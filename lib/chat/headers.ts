type Headers = Readonly<Record<string, string | null>> | undefined;

/** One set of headers, names in lower case: a later set wins, and null in it takes a header away. */
export function mergeHeaders(...sets: readonly Headers[]): Record<string, string> {
	const merged = new Map<string, string | null>();
	for (const set of sets) {
		for (const [name, value] of Object.entries(set ?? {})) merged.set(name.toLowerCase(), value);
	}
	return Object.fromEntries(
		[...merged].filter((entry): entry is [string, string] => entry[1] !== null),
	);
}
