import { AiServerError } from "../lib/errors.ts";
import { plainText } from "../lib/text.ts";
import type { CommandContext } from "./context.ts";

export interface Arguments {
	/** What was typed, without the flag. */
	readonly text: string;
	/** True for `--yes`: go ahead without a question. */
	readonly yes: boolean;
}

/** Takes `--yes` out of what was typed, wherever it stands. */
export function readArguments(args: string): Arguments {
	const words = args.split(/\s+/).filter((word) => word !== "");
	return { text: words.filter((word) => word !== "--yes").join(" "), yes: words.includes("--yes") };
}

export interface Consent {
	readonly title: string;
	readonly message: string;
	/** What to type where nobody can be asked. */
	readonly command: string;
}

/** True when the user agrees, or has agreed with `--yes`. Rejects where nobody can be asked. */
export async function askConsent(
	{ title, message, command }: Consent,
	yes: boolean,
	{ pi }: Pick<CommandContext, "pi">,
): Promise<boolean> {
	if (yes) return true;
	if (!pi.hasUI) {
		throw new AiServerError(
			"settings",
			"This changes something on the server, and nobody is asked",
			{
				hint: `To go ahead without a question: ${command} --yes`,
			},
		);
	}
	return pi.ui.confirm(title, message);
}

/** What a restart or a reload ends, in a sentence for a person. */
export async function describeLoaded({ admin }: Pick<CommandContext, "admin">): Promise<string> {
	// A server that hangs is one reason for a restart, so its silence must not prevent one.
	const running = await admin.listRunning().catch(() => undefined);
	if (running === undefined) return "The server does not say which models are loaded.";
	if (running.length === 0) return "No model is loaded.";
	const requests = await admin.inFlight();
	const names = running.map(({ id, state }) => {
		const count = requests?.byModel.get(id) ?? 0;
		return count === 0 ? `${id} (${state})` : `${id} (${state}, answering ${count})`;
	});
	const loaded = `Loaded now: ${names.join(", ")}.`;
	if (requests?.total === 0) return `${loaded} No answer is under way.`;
	const count = requests === undefined ? "" : ` (${requests.total})`;
	return `${loaded} Answers under way${count} are cut off.`;
}

/**
 * Whose answers would be cut off, among the models that count, in a sentence; empty for nobody's. A
 * server that does not tell its requests by model may be answering with any that is loaded.
 */
export async function describeBusy(
	{ admin }: Pick<CommandContext, "admin">,
	counts: (id: string) => boolean,
): Promise<string> {
	const requests = await admin.inFlight();
	if (requests?.total === 0) return "";
	if (requests !== undefined && requests.byModel.size > 0) {
		const busy = [...requests.byModel].filter(([id]) => counts(id));
		const names = busy.map(([id, count]) => `${plainText(id)} (${countOf(count)})`);
		return names.length === 0 ? "" : `Answering: ${names.join(", ")}.`;
	}
	// Without the list of what is loaded the command itself will fail, and say why.
	const running = await admin.listRunning().catch(() => []);
	const loaded = running.filter(({ id }) => counts(id)).map(({ id }) => plainText(id));
	if (loaded.length === 0) return "";
	const total = requests === undefined ? "" : `, but has ${countOf(requests.total)} under way`;
	return `Loaded: ${loaded.join(", ")}. This server does not tell who is answering${total}.`;
}

function countOf(requests: number): string {
	return `${requests} request${requests === 1 ? "" : "s"}`;
}
