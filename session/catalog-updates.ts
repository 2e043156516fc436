import type { Catalog } from "../discovery/catalog.ts";

export interface CatalogUpdates {
	/** Changes wait from now on: an answer is under way. */
	hold(): void;
	release(): void;
	stop(): void;
}

/**
 * Makes pi take over every change of the list that it did not ask for itself: a registration while
 * pi refreshes would break that refresh off, and one while an answer streams would disturb that.
 */
export function showChanges(
	catalog: Pick<Catalog, "current" | "onChange">,
	isPulling: () => boolean,
	register: () => void,
): CatalogUpdates {
	let shown = JSON.stringify(catalog.current().models);
	let held = false;
	const show = (): void => {
		const next = JSON.stringify(catalog.current().models);
		if (held || next === shown) return;
		shown = next;
		if (!isPulling()) register();
	};
	return {
		hold() {
			held = true;
		},
		release() {
			held = false;
			show();
		},
		stop: catalog.onChange(show),
	};
}
