/** Runs what has a key in common one after the other, in the order of asking. */
export type InTurn = <T>(keys: readonly string[], run: () => Promise<T>) => Promise<T>;

export function createQueue(): InTurn {
	const last = new Map<string, Promise<void>>();
	return (keys, run) => {
		const result = Promise.all(keys.map((key) => last.get(key))).then(run);
		const settled = result.then(
			() => undefined,
			() => undefined,
		);
		// All keys are taken at once, so that two of these can never wait for each other.
		for (const key of keys) last.set(key, settled);
		void settled.then(() => {
			for (const key of keys) if (last.get(key) === settled) last.delete(key);
		});
		return result;
	};
}
