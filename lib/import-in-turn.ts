/** Loads code that the start can do without: `importInTurn(() => import("./that.ts"))`. */
export type ImportInTurn = <Module>(importing: () => Promise<Module>) => Promise<Module>;

/**
 * One import after the other. pi loads extensions with jiti, which gives a module that is still
 * waiting for its own imports to whoever asks for it meanwhile: its functions are there, and what
 * they use is undefined.
 */
export function createImportInTurn(): ImportInTurn {
	let last: Promise<unknown> = Promise.resolve();
	return (importing) => {
		const mine = last.then(importing);
		last = mine.catch(() => undefined); // told to whoever asked for it
		return mine;
	};
}
