import type { Admin } from "../admin.ts";
import { AiServerError } from "../lib/errors.ts";
import { readLaunch, sizeOf } from "../lib/llama-server/launch.ts";
import type { RunningModel } from "../lib/llama-swap/api/models.ts";
import { type ReloadMethod, reloadMethod } from "../lib/llama-swap/api/reload.ts";
import type {
	ApplyEffects,
	ApplyOutcome,
	ConfigChange,
	Ready,
	Reason,
	Refused,
	Restored,
	Unread,
} from "./apply-outcome.ts";
import type { ReloadOutcome } from "./reload-watch.ts";

/** A watching llama-swap looks at its file every 2 s. */
const WATCH_MS = 4000;
/** How long a signal may take to show. */
const SIGNAL_MS = 5000;
/** A request in the first moments after a reload may meet the old process, and an empty 502. */
const SETTLE_MS = 2000;
/** llama.cpp rounds up to a multiple of this many tokens. */
const ROUNDING = 256;

/**
 * Writes a config, makes llama-swap read it and the model run with it. A text that llama-swap
 * rejects, or that the model does not start with, is taken back. Rejects with AiServerError for failures that
 * the text did not cause: a connection that breaks, a file that cannot be written.
 */
export async function applyConfig(
	change: ConfigChange,
	effects: ApplyEffects,
): Promise<ApplyOutcome> {
	return change.oldText === change.newText
		? reloadUnchanged(change, effects)
		: writeAndReload(change, effects);
}

/** Nothing is written, so nothing is stopped before the user agrees. */
async function reloadUnchanged(change: ConfigChange, effects: ApplyEffects): Promise<ApplyOutcome> {
	const method = await agreedMethod(effects);
	if (method === undefined) return unread("untouched");
	await unload(change, effects);
	const reloaded = await reloadOrRestart(method, effects);
	if (reloaded.kind === "not-done") return unread(afterUnload(change), reloaded.error);
	const result = reloaded.failure ?? (await tryOut(change, effects));
	return result.kind === "ready"
		? result
		: { kind: "refused", reason: result, restored: undefined };
}

async function writeAndReload(change: ConfigChange, effects: ApplyEffects): Promise<ApplyOutcome> {
	const { oldText, newText } = change;
	await unload(change, effects);
	const sign = await write(oldText, newText, effects).catch(async (error: unknown) => {
		// Nothing has changed, so the model is to be as it was; the error of the write says the rest.
		if (change.loaded) await loadOld(change, effects).catch(() => undefined);
		throw error;
	});
	let model = afterUnload(change);
	if (sign?.kind === "rejected") return refuse(sign, change, undefined, effects);
	// Without any sign of a reload a load would only bring back the old size.
	if (sign === undefined || sign.kind === "ended") {
		await settle(effects);
		const result = await tryOut(change, effects);
		if (result.kind === "ready") return result;
		if (result.kind === "not-started") return refuse(result, change, undefined, effects);
		model = "runs-as-before";
	}
	const method = await agreedMethod(effects);
	if (method === undefined) return unread(model);
	const reloaded = await reloadOrRestart(method, effects);
	if (reloaded.kind === "not-done") return unread(model, reloaded.error);
	const result = reloaded.failure ?? (await tryOut(change, effects));
	return result.kind === "ready" ? result : refuse(result, change, reloaded.method, effects);
}

function unread(model: Unread["model"], error?: AiServerError): Unread {
	return { kind: "unread", model, error };
}

function afterUnload({ loaded }: ConfigChange): Unread["model"] {
	return loaded ? "unloaded" : "untouched";
}

async function unload(
	{ id, loaded }: ConfigChange,
	{ admin, progress }: ApplyEffects,
): Promise<void> {
	if (loaded) await progress("unload", () => admin.unload(id));
	// Another client may have loaded it meanwhile.
	else await admin.unload(id);
}

/** Loads the model, and compares what runs then. */
async function tryOut(
	{ id, size }: ConfigChange,
	{ admin, progress }: ApplyEffects,
): Promise<Ready | Extract<Reason, { readonly kind: "not-started" | "no-effect" }>> {
	return progress("load", async () => {
		try {
			await admin.load(id);
		} catch (error) {
			if (isStartFailure(error)) return { kind: "not-started", error };
			throw error;
		}
		const running = await admin.listRunning();
		const effective = runsWith(running, id, size);
		if (effective === false) return { kind: "no-effect" };
		const given = await readContextWindow(id, running, admin);
		return { kind: "ready", given, verified: confirms(given, size, effective) };
	});
}

/**
 * llama.cpp rounds a size up, divides it among its slots, and takes no more than the model can. Less
 * than the size means that only where the command shows the size: else it may be the old one.
 */
function confirms(
	given: number | undefined,
	size: number,
	isInCommand: boolean | undefined,
): boolean {
	if (given === undefined || given > size + ROUNDING) return false;
	return isInCommand === true || given >= size;
}

/** True for a failed load that the new size may be the reason of: the model's server has answered. */
function isStartFailure(error: unknown): error is AiServerError {
	return error instanceof AiServerError && error.code === "http" && (error.status ?? 0) >= 500;
}

/**
 * True when the model runs with this size. Undefined when llama-swap does not show its command, and
 * when that starts a program that is not known: its arguments only repeat the config.
 */
export function runsWith(
	running: readonly RunningModel[],
	id: string,
	size: number,
): boolean | undefined {
	const model = running.find((entry) => entry.id === id);
	if (model === undefined) return false;
	if (model.cmd === undefined) return undefined;
	const launch = readLaunch(model.cmd);
	const isSize = sizeOf(launch) === size;
	return isSize && launch.server === undefined ? undefined : isSize;
}

/** Tokens that a loaded model's server really gives a request; undefined where it does not report it. */
export async function readContextWindow(
	id: string,
	running: readonly RunningModel[],
	admin: Pick<Admin, "readProps">,
): Promise<number | undefined> {
	// Asked of a model that is not loaded, its page would load it.
	if (!running.some((model) => model.id === id && model.state === "ready")) return undefined;
	const props = await admin.readProps(id).catch(() => undefined);
	return props?.contextWindow;
}

/** What the write brought about; undefined where the server has no events that would show it. */
async function write(
	expected: string,
	text: string,
	{ admin, note, wait, progress }: ApplyEffects,
): Promise<ReloadOutcome | undefined> {
	const watch = await progress("write", () => admin.watchReload());
	try {
		const { notes } = await progress("write", () => admin.writePreset(expected, text));
		for (const text of notes) note(text);
		if (watch !== undefined) return await progress("reload", () => watch.outcome(WATCH_MS));
		await progress("reload", () => wait(WATCH_MS));
		return undefined;
	} finally {
		watch?.close();
	}
}

/** How llama-swap is made to read its config; undefined when the user does not want that. */
async function agreedMethod({ admin, mayReload }: ApplyEffects): Promise<ReloadMethod | undefined> {
	const method = reloadMethod(await admin.version());
	return (await mayReload(method)) ? method : undefined;
}

type Reloaded =
	| {
			readonly kind: "done";
			/** What has worked: the way to take a config back as well. */
			readonly method: ReloadMethod;
			/** Undefined when nothing shows that the config cannot be used. */
			readonly failure: Extract<Reason, { readonly kind: "rejected" | "down" }> | undefined;
	  }
	/** llama-swap was not made to read its config: the user declined, or the server refused. */
	| { readonly kind: "not-done"; readonly error: AiServerError | undefined };

/** Where a signal cannot be sent, a restart is offered. */
async function reloadOrRestart(method: ReloadMethod, effects: ApplyEffects): Promise<Reloaded> {
	try {
		return { kind: "done", method, failure: await reload(method, effects) };
	} catch (error) {
		// The service manager refused, or the login has no right to it.
		if (!(error instanceof AiServerError) || error.code !== "ssh") throw error;
		if (method === "restart") return { kind: "not-done", error };
		const agreed = await effects.mayReload("restart", error);
		return agreed ? reloadOrRestart("restart", effects) : { kind: "not-done", error: undefined };
	}
}

/** Undefined when nothing shows that the config cannot be used. */
async function reload(
	method: ReloadMethod,
	effects: ApplyEffects,
): Promise<Extract<Reason, { readonly kind: "rejected" | "down" }> | undefined> {
	const { admin, progress } = effects;
	if (method === "restart") {
		try {
			await progress("restart", () => admin.restart());
		} catch (error) {
			const isDown = error instanceof AiServerError && error.code === "network";
			if (isDown) return { kind: "down", error };
			throw error;
		}
	} else {
		const outcome = await progress("reload", () => signal(admin));
		if (outcome?.kind === "rejected") return outcome;
	}
	await settle(effects);
	return undefined;
}

async function signal(admin: ApplyEffects["admin"]): Promise<ReloadOutcome | undefined> {
	const watch = await admin.watchReload();
	try {
		await admin.reloadBySignal();
		return await watch?.outcome(SIGNAL_MS);
	} finally {
		watch?.close();
	}
}

function settle({ wait, progress }: ApplyEffects): Promise<void> {
	return progress("reload", () => wait(SETTLE_MS));
}

async function refuse(
	reason: Reason,
	change: ConfigChange,
	method: ReloadMethod | undefined,
	effects: ApplyEffects,
): Promise<Refused> {
	return { kind: "refused", reason, restored: await takeBack(change, method, effects) };
}

function loadOld({ id }: ConfigChange, { admin, progress }: ApplyEffects): Promise<void> {
	return progress("load-old", () => admin.load(id));
}

/** Puts the old text back the way the new one came. Never rejects. */
async function takeBack(
	change: ConfigChange,
	method: ReloadMethod | undefined,
	effects: ApplyEffects,
): Promise<Restored> {
	const { loaded, oldText, newText } = change;
	try {
		await write(newText, oldText, effects);
		if (method === undefined) {
			if (loaded) await settle(effects);
		} else {
			const failure = await reload(method, effects);
			// Where the old text is rejected as well, it was no better before the change.
			if (failure?.kind === "down") return { kind: "restored-but-down", error: failure.error };
		}
	} catch (error) {
		return { kind: "failed", error };
	}
	if (!loaded) return { kind: "restored", model: "untouched" };
	try {
		await loadOld(change, effects);
		return { kind: "restored", model: "loaded" };
	} catch (error) {
		return { kind: "restored-but-unloaded", error };
	}
}
