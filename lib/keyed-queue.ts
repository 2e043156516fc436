/** Runs what has the same key one after the other, in the order of asking. */
export type InTurn = <T>(key: string, run: () => Promise<T>) => Promise<T>;

export function createQueue(): InTurn {
	const last = new Map<string, Promise<unknown>>();
	return (key, run) => {
		const mine = (last.get(key) ?? Promise.resolve()).then(run);
		const settled = mine.catch(() => undefined);
		last.set(key, settled);
		void settled.then(() => last.get(key) === settled && last.delete(key));
		return mine;
	};
}
