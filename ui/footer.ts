import type { ExtensionContext } from "@earendil-works/pi-coding-agent";
import { plainText } from "../lib/text.ts";

/** Shows what is being done for as long as the work takes, however it ends. */
export type Doing = <T>(what: string, work: () => Promise<T>) => Promise<T>;

const STATUS_KEY = "ai-server";

/** Shows it in pi's footer; nowhere in print and json mode, where nobody watches. */
export function createDoing(context: Pick<ExtensionContext, "hasUI" | "ui">): Doing {
	// pi's context throws once another session has taken over; what it held until then does not.
	const { hasUI, ui } = context;
	return async (what, work) => {
		if (!hasUI) return work();
		ui.setStatus(STATUS_KEY, plainText(what));
		try {
			return await work();
		} finally {
			ui.setStatus(STATUS_KEY, undefined);
		}
	};
}
