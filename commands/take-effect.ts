import { AiServerError, describeError } from "../lib/errors.ts";
import {
	isStartFailure,
	type ReloadMeans,
	reloadMeans,
	runsWith,
} from "../lib/llama-swap/apply.ts";
import type { ReloadOutcome } from "../lib/llama-swap/server-events.ts";
import type { CommandContext } from "./command.ts";
import { askConsent, describeLoaded } from "./consent.ts";

/** A watching llama-swap looks at its file every 2 s. */
const WATCH_MS = 4000;
/** How long a signal may take to show. */
const SIGNAL_MS = 5000;
/** A request in the first moments after a reload may meet the old process, and an empty 502. */
const SETTLE_MS = 2000;

/** A new text of the config, and what it is to achieve. */
export interface Change {
	/** The model's own id, no alias. */
	readonly id: string;
	readonly size: number;
	readonly oldText: string;
	readonly newText: string;
	/** True to go ahead without questions. */
	readonly yes: boolean;
	/** What to type where nobody can be asked. */
	readonly command: string;
}

/**
 * Writes a config and makes the model run with it; returns what to tell. A text that the server
 * rejects, or that the model does not start with, is taken back, and the rejection says why.
 */
export async function takeEffect(change: Change, context: CommandContext): Promise<string> {
	const { admin } = context;
	const { id, size, oldText, newText } = change;
	const written = oldText !== newText;
	await admin.unload(id);
	const outcome = written ? await write(oldText, newText, context) : ({ kind: "silent" } as const);
	let means: ReloadMeans | undefined;
	try {
		refuseRejected(outcome);
		// Without a sign of a reload a load would only bring back the old size.
		if (outcome === undefined || outcome.kind === "ended") {
			await context.wait(SETTLE_MS);
			await admin.load(id);
			const effective = runsWith(await admin.listRunning(), id, size);
			if (effective !== false) return told(change, effective);
		}
		means = await askForMeans(change, context);
		if (means === undefined) {
			return `The config says ${size} for ${id}, but llama-swap has not read it yet: /ai-server-restart makes it`;
		}
		await reload(means, context);
		await admin.load(id);
		const effective = runsWith(await admin.listRunning(), id, size);
		if (effective !== false) return told(change, effective);
	} catch (error) {
		if (!written || !(error instanceof Rejected || isStartFailure(error))) throw error;
		throw await takeBack(change, means, error, context);
	}
	throw new AiServerError("preset", `${id} still does not run with ${size} tokens`, {
		hint: "Check that AI_SERVER_PRESET_PATH is the file that llama-swap reads",
	});
}

function told({ id, size }: Change, effective: boolean | undefined): string {
	const checked =
		effective === undefined ? " (this llama-swap does not show whether it runs so)" : "";
	return `${id} is ready with ${size} tokens of context${checked}`;
}

class Rejected extends Error {}

function refuseRejected(outcome: ReloadOutcome | undefined): void {
	if (outcome?.kind === "rejected") throw new Rejected(outcome.line);
}

/** Undefined where the server has no stream of events that would show a reload. */
async function write(
	expected: string,
	text: string,
	{ admin, reply, wait }: CommandContext,
): Promise<ReloadOutcome | undefined> {
	const watch = await admin.watchReload();
	try {
		const { notes } = await admin.writePreset(expected, text);
		for (const note of notes) reply.warn(note);
		if (watch !== undefined) return await watch.outcome(WATCH_MS);
		await wait(WATCH_MS);
		return undefined;
	} finally {
		watch?.close();
	}
}

/** What the user agrees to; undefined when it is nothing. */
async function askForMeans(
	{ yes, command }: Change,
	context: CommandContext,
): Promise<ReloadMeans | undefined> {
	const means = reloadMeans(await context.admin.version());
	const title =
		means === "signal"
			? "Make llama-swap read its config again?"
			: "Restart llama-swap, so that it reads its config?";
	const message = `This server does not watch its config. ${yes ? "" : await describeLoaded(context)}`;
	return (await askConsent({ title, message, command }, yes, context)) ? means : undefined;
}

async function reload(means: ReloadMeans, { admin, wait }: CommandContext): Promise<void> {
	if (means === "restart") {
		await admin.restart();
	} else {
		const watch = await admin.watchReload();
		try {
			await admin.reloadBySignal();
			refuseRejected(await watch?.outcome(SIGNAL_MS));
		} finally {
			watch?.close();
		}
	}
	await wait(SETTLE_MS);
}

/** Puts the old text back the way the new one came, and words why. */
async function takeBack(
	{ id, size, oldText, newText }: Change,
	means: ReloadMeans | undefined,
	reason: unknown,
	context: CommandContext,
): Promise<AiServerError> {
	const why =
		reason instanceof Rejected
			? `llama-swap rejects the config with ${size} for ${id}: ${reason.message}`
			: `${id} does not start with ${size} tokens: ${describeError(reason)}`;
	const asItWas = new AiServerError("preset", why, {
		hint: "The config is as it was",
		cause: reason,
	});
	try {
		await write(newText, oldText, context);
		if (means !== undefined) await reload(means, context);
	} catch (error) {
		// Rejected as well, the old text is back all the same: it was no better before the change.
		if (error instanceof Rejected) return asItWas;
		return new AiServerError("preset", why, {
			hint: `The old config could not be put back: ${describeError(error)}`,
			cause: reason,
		});
	}
	return asItWas;
}
