/**
 * The imports that have begun. pi loads extensions with jiti, which hands a module that still waits
 * for its own imports to whoever asks for it meanwhile: its functions are there, and what they use
 * is undefined. So one import waits for the other, in the whole process.
 */
let last: Promise<unknown> = Promise.resolve();

/**
 * Code that start-up can do without, loaded at its first use: `const edit = lazy(() =>
 * import("./edit.ts"))` at the top of a file, then `(await edit()).setOption(…)`. Rejects with what
 * the import rejects with; the next call tries again.
 */
export function lazy<Module>(load: () => Promise<Module>): () => Promise<Module> {
	let loaded: Module | undefined;
	return async () => {
		if (loaded !== undefined) return loaded;
		const mine = last.then(load);
		last = mine.catch(() => undefined); // reported to whoever asked for it
		loaded = await mine;
		return loaded;
	};
}
