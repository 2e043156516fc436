import { AiServerError, describeError } from "../lib/errors.ts";
import type { ReloadOutcome } from "../lib/llama-swap/api/events.ts";
import type { RunningModel } from "../lib/llama-swap/api/models.ts";
import {
	isStartFailure,
	type ReloadMeans,
	reloadMeans,
	runsWith,
} from "../lib/llama-swap/api/reload.ts";
import { askConsent, describeLoaded } from "../ui/confirm.ts";
import type { CommandContext } from "../ui/context.ts";

/** A watching llama-swap looks at its file every 2 s. */
const WATCH_MS = 4000;
/** How long a signal may take to show. */
const SIGNAL_MS = 5000;
/** A request in the first moments after a reload may meet the old process, and an empty 502. */
const SETTLE_MS = 2000;

const WRITING = "Writing the config…";
const WAITING = "Waiting for llama-swap to read it…";

/** A new text of the config, and what it is to achieve. */
export interface Change {
	/** The model's own id, no alias. */
	readonly id: string;
	readonly size: number;
	/** True when the model is loaded now. */
	readonly loaded: boolean;
	readonly oldText: string;
	/** The same as the old one where the config says it already, and llama-swap has not read it. */
	readonly newText: string;
	/** True to go ahead without questions. */
	readonly yes: boolean;
	/** What to type where nobody can be asked. */
	readonly command: string;
}

/** As much of a command's context as this needs. */
export type EffectContext = Pick<CommandContext, "admin" | "reply" | "pi" | "wait" | "doing">;

/**
 * Writes a config and makes the model run with it; returns what to tell. A text that the server
 * rejects, or that the model does not start with, is taken back, and the rejection says why.
 */
export async function takeEffect(change: Change, context: EffectContext): Promise<string> {
	return change.oldText === change.newText
		? readAsItIs(change, context)
		: writeAndRead(change, context);
}

/** Nothing is written, so nothing is stopped either before the user agrees. */
async function readAsItIs(change: Change, context: EffectContext): Promise<string> {
	const means = await askForMeans(change, context);
	if (means === undefined) return unread(change);
	try {
		await unload(change, context);
		await reload(means, context);
		return (await tryOut(change, context)) ?? notEffective(change);
	} catch (error) {
		const why = whyUnusable(change, error);
		throw why === undefined ? error : new AiServerError("config", why, { cause: error });
	}
}

async function writeAndRead(change: Change, context: EffectContext): Promise<string> {
	const { id, loaded, oldText, newText } = change;
	await unload(change, context);
	const outcome = await write(oldText, newText, context);
	let means: ReloadMeans | undefined;
	let became = loaded ? `; ${id} is unloaded` : "";
	try {
		refuseRejected(outcome);
		// Without a sign of a reload a load would only bring back the old size.
		if (outcome === undefined || outcome.kind === "ended") {
			await settle(context);
			const line = await tryOut(change, context);
			if (line !== undefined) return line;
			became = `; until then ${id} runs as before`;
		}
		means = await askForMeans(change, context);
		if (means === undefined) return `${unread(change)}${became}`;
		await reload(means, context);
		return (await tryOut(change, context)) ?? notEffective(change);
	} catch (error) {
		const why = whyUnusable(change, error);
		if (why === undefined) throw error;
		const hint = await takeBack(change, means, context);
		throw new AiServerError("config", why, { hint, cause: error });
	}
}

function unread({ id, size }: Change): string {
	return `The config says ${size} for ${id}, but llama-swap has not read it yet: /ai-server-restart makes it`;
}

function notEffective({ id, size }: Change): never {
	throw new NotEffective(
		`${id} still does not run with ${size} tokens: llama-swap rejects the config, or reads another file than AI_SERVER_PRESET_PATH`,
	);
}

async function unload({ id, loaded }: Change, { admin, doing }: EffectContext): Promise<void> {
	// Somebody else may have loaded it meanwhile, so the server is told in any case.
	if (loaded) await doing(`Unloading ${id}…`, () => admin.unload(id));
	else await admin.unload(id);
}

/** Loads the model and returns what to tell; undefined when it does not run with the size. */
async function tryOut(
	{ id, size }: Change,
	{ admin, doing }: EffectContext,
): Promise<string | undefined> {
	return doing(`Loading ${id}…`, async () => {
		try {
			await admin.load(id);
		} catch (error) {
			throw isStartFailure(error) ? new NotStarted("", { cause: error }) : error;
		}
		const running = await admin.listRunning();
		const effective = runsWith(running, id, size);
		if (effective === false) return undefined;
		const given = await readGiven(id, running, admin);
		const checked = effective === true || given !== undefined;
		const doubt = checked ? "" : " (this llama-swap does not show whether it runs so)";
		return `${id} is ready with ${contextWords(size, given)}${doubt}`;
	});
}

/** Tokens that a loaded model's server really gives a request; undefined where it does not tell. */
export async function readGiven(
	id: string,
	running: readonly RunningModel[],
	admin: Pick<CommandContext["admin"], "readProps">,
): Promise<number | undefined> {
	// Asked of a model that is not loaded, its page would load it.
	if (!running.some((model) => model.id === id && model.state === "ready")) return undefined;
	const learned = await admin.readProps(id).catch(() => undefined);
	return learned?.contextWindow;
}

/** "4096 tokens of context", and how it comes when that is not what the config asks for. */
export function contextWords(size: number, given: number | undefined): string {
	if (given === undefined || given === size) return `${size} tokens of context`;
	return `${given} tokens of context: the config asks for ${size}, its server gives a request ${given}`;
}

/** llama-swap keeps its old config; the message is its log's line. */
class Rejected extends Error {}

/** llama-swap was restarted and does not answer; the cause says how that shows. */
class Down extends Error {}

/** The model runs, but not with the size. */
class NotEffective extends Error {}

/** The model's server ended before it was ready; the cause is the failure of the load. */
class NotStarted extends Error {}

function refuseRejected(outcome: ReloadOutcome | undefined): void {
	if (outcome?.kind === "rejected") throw new Rejected(outcome.line);
}

/** Undefined for an error that is not the text's fault. */
function whyUnusable({ id, size }: Change, error: unknown): string | undefined {
	if (error instanceof Rejected) {
		return `llama-swap rejects the config with ${size} for ${id}: ${error.message}`;
	}
	if (error instanceof NotEffective) return error.message;
	if (error instanceof Down) {
		return `llama-swap does not come back with ${size} for ${id}: ${describeError(error.cause)}`;
	}
	if (!(error instanceof NotStarted)) return undefined;
	const { cause } = error;
	const words =
		cause instanceof AiServerError && cause.said !== undefined
			? describeError(new AiServerError(cause.code, cause.said, { hint: cause.hint }))
			: describeError(cause);
	return `${id} does not start with ${size} tokens: ${words}`;
}

/** Undefined where the server has no stream of events that would show a reload. */
async function write(
	expected: string,
	text: string,
	{ admin, reply, wait, doing }: EffectContext,
): Promise<ReloadOutcome | undefined> {
	const watch = await doing(WRITING, () => admin.watchReload());
	try {
		const { notes } = await doing(WRITING, () => admin.writePreset(expected, text));
		for (const note of notes) reply.warn(note);
		if (watch !== undefined) return await doing(WAITING, () => watch.outcome(WATCH_MS));
		await doing(WAITING, () => wait(WATCH_MS));
		return undefined;
	} finally {
		watch?.close();
	}
}

/** What the user agrees to; undefined when it is nothing. */
async function askForMeans(
	{ yes, command }: Change,
	context: EffectContext,
): Promise<ReloadMeans | undefined> {
	const means = reloadMeans(await context.admin.version());
	const title =
		means === "signal"
			? "Make llama-swap read its config again?"
			: "Restart llama-swap, so that it reads its config?";
	const message = `This server does not watch its config. ${yes ? "" : await describeLoaded(context)}`;
	return (await askConsent({ title, message, command }, yes, context)) ? means : undefined;
}

async function reload(means: ReloadMeans, context: EffectContext): Promise<void> {
	const { admin, doing } = context;
	if (means === "restart") {
		await doing("Restarting llama-swap…", () => restart(admin));
	} else {
		await doing(WAITING, async () => {
			const watch = await admin.watchReload();
			try {
				await admin.reloadBySignal();
				refuseRejected(await watch?.outcome(SIGNAL_MS));
			} finally {
				watch?.close();
			}
		});
	}
	await settle(context);
}

async function restart(admin: CommandContext["admin"]): Promise<void> {
	try {
		await admin.restart();
	} catch (error) {
		const isDown = error instanceof AiServerError && error.code === "network";
		throw isDown ? new Down("", { cause: error }) : error;
	}
}

function settle({ wait, doing }: EffectContext): Promise<void> {
	return doing(WAITING, () => wait(SETTLE_MS));
}

/** Puts the old text back the way the new one came; returns what has become of it. Never rejects. */
async function takeBack(
	{ id, loaded, oldText, newText }: Change,
	means: ReloadMeans | undefined,
	context: EffectContext,
): Promise<string> {
	const { admin, doing } = context;
	try {
		await write(newText, oldText, context);
		if (means !== undefined) await reload(means, context);
		else if (loaded) await settle(context);
	} catch (error) {
		if (error instanceof Down) {
			return `The config is as it was, but llama-swap does not come back: ${describeError(error.cause)}`;
		}
		// Rejected as well, the old text is back all the same: it was no better before the change.
		if (!(error instanceof Rejected)) {
			return `The old config could not be put back: ${describeError(error)}`;
		}
	}
	if (!loaded) return "The config is as it was";
	try {
		await doing(`Loading ${id} as it was…`, () => admin.load(id));
		return `The config is as it was, and ${id} is loaded again`;
	} catch (error) {
		return `The config is as it was, but ${id} is unloaded: ${describeError(error)}`;
	}
}
