import type { ExtensionContext } from "@earendil-works/pi-coding-agent";
import type { Admin } from "../admin.ts";
import { plainText } from "../lib/text.ts";

export interface Question {
	readonly title: string;
	readonly message: string;
}

/** True when the user agrees, or has agreed beforehand. */
export type Ask = (question: Question) => Promise<boolean>;

/** With `yes` everything is agreed to. Without it, for modes that can ask. */
export function createAsk(yes: boolean, { ui }: Pick<ExtensionContext, "ui">): Ask {
	return async ({ title, message }) => yes || ui.confirm(title, message);
}

/** What a restart or a reload of llama-swap ends, in a sentence. */
export async function describeLoaded(
	admin: Pick<Admin, "listRunning" | "inFlight">,
): Promise<string> {
	// A server that hangs is a reason for a restart, so it must not prevent one.
	const running = await admin.listRunning().catch(() => undefined);
	if (running === undefined) return "The list of loaded models is not available.";
	if (running.length === 0) return "No model is loaded.";
	const requests = await admin.inFlight();
	const names = running.map(({ id, state }) => {
		const count = requests?.byModel.get(id) ?? 0;
		return plainText(count === 0 ? `${id} (${state})` : `${id} (${state}, ${countOf(count)})`);
	});
	const loaded = `Loaded: ${names.join(", ")}.`;
	if (requests?.total === 0) return `${loaded} No request is in progress.`;
	const count = requests === undefined ? "" : ` (${requests.total})`;
	return `${loaded} Requests in progress${count} will be cut off.`;
}

/**
 * Which models are answering, among those that count, in a sentence; empty for none. On a server that
 * does not count its requests by model, each loaded one may be.
 */
export async function describeBusy(
	admin: Pick<Admin, "listRunning" | "inFlight">,
	counts: (id: string) => boolean,
): Promise<string> {
	const requests = await admin.inFlight();
	if (requests?.total === 0) return "";
	if (requests !== undefined && requests.byModel.size > 0) {
		const busy = [...requests.byModel].filter(([id]) => counts(id));
		const names = busy.map(([id, count]) => `${plainText(id)} (${countOf(count)})`);
		return names.length === 0 ? "" : `Busy: ${names.join(", ")}.`;
	}
	// Without the list of loaded models the command itself will fail, and report why.
	const running = await admin.listRunning().catch(() => []);
	const loaded = running.filter(({ id }) => counts(id)).map(({ id }) => plainText(id));
	if (loaded.length === 0) return "";
	const total = requests === undefined ? "" : ` (${countOf(requests.total)} in progress)`;
	return `Loaded: ${loaded.join(", ")}. The server does not report which models are busy${total}.`;
}

function countOf(requests: number): string {
	return `${requests} request${requests === 1 ? "" : "s"}`;
}
