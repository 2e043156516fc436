import type { ExtensionContext } from "@earendil-works/pi-coding-agent";
import { plainText } from "../lib/text.ts";

/** Shows what is being done for as long as the work takes, however it ends. */
export type Doing = <T>(what: string, work: () => Promise<T>) => Promise<T>;

/** Shows it in pi's footer; print and json mode have none. `key` is that of the status line. */
export function createDoing(context: Pick<ExtensionContext, "hasUI" | "ui">, key: string): Doing {
	// pi's context throws once another session has taken over; what it held until then does not.
	const { hasUI, ui } = context;
	return async (what, work) => {
		if (!hasUI) return work();
		ui.setStatus(key, plainText(what));
		try {
			return await work();
		} finally {
			ui.setStatus(key, undefined);
		}
	};
}
