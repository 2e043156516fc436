import type { ApplyOutcome, ApplyStep, Reason, Restored, Unread } from "../admin/apply-outcome.ts";
import type { Admin } from "../admin.ts";
import { AiServerError, describeError, type Names } from "../lib/errors.ts";
import type { ReloadMethod } from "../lib/llama-swap/api/reload.ts";
import { maskText } from "../lib/secrets/mask-text.ts";
import { describeLoaded, type Question } from "./confirm.ts";

/** What the footer shows during a step. */
export function describeStep(step: ApplyStep, id: string): string {
	switch (step) {
		case "unload":
			return `Unloading ${id}…`;
		case "write":
			return "Writing the config…";
		case "reload":
			return "Waiting for llama-swap to reload its config…";
		case "restart":
			return "Restarting llama-swap…";
		case "load":
			return `Loading ${id}…`;
		case "load-old":
			return `Loading ${id} with the old config…`;
	}
}

/** Asks before llama-swap is made to read its config; `failed` is why the signal was not sent. */
export async function describeReload(
	method: ReloadMethod,
	admin: Pick<Admin, "listRunning" | "inFlight">,
	failed?: string,
): Promise<Question> {
	const title =
		method === "signal"
			? "Make llama-swap reload its config?"
			: "Restart llama-swap to reload its config?";
	const reason =
		failed === undefined
			? "This server does not watch its config file."
			: `The config is written, but the signal was not sent: ${failed.replace(/(?<![.?!])$/, ".")}`;
	const message = `${reason} ${await describeLoaded(admin)}`;
	return { title, message };
}

/** "4096 tokens of context", with the size of the config where the server gives another one. */
export function describeWindow(size: number, given: number | undefined): string {
	if (given === undefined || given === size) return `${size} tokens of context`;
	return `${given} tokens of context per request; the config sets ${size}`;
}

/** The line for a config that stays. Throws AiServerError "config" for one that does not. */
export function describeOutcome(
	id: string,
	size: number,
	outcome: ApplyOutcome,
	names: Names,
): string {
	switch (outcome.kind) {
		case "ready": {
			const { given, verified } = outcome;
			if (verified) return `${id} is ready with ${describeWindow(size, given)}`;
			return `${id} is loaded, and the config sets ${size} tokens for it. ${describeDoubt(id, given)}`;
		}
		case "unread": {
			const change = `The config sets ${size} tokens for ${id}, but the change is not active yet`;
			const model = describeModel(outcome.model, id);
			if (outcome.error === undefined) return `${change}; run ${names.command("restart")}${model}`;
			throw new AiServerError("ssh", `${change}${model}`, {
				hint: describeError(outcome.error, names),
				cause: outcome.error,
			});
		}
		case "refused": {
			const { reason, restored } = outcome;
			throw new AiServerError("config", describeReason(id, size, reason, names), {
				hint: restored && describeRestored(id, restored, names),
				cause: "error" in reason ? reason.error : undefined,
			});
		}
	}
}

/** Why the size of the config is not certain to be the model's. */
export function describeDoubt(id: string, given: number | undefined): string {
	return given === undefined
		? `The server of ${id} does not report its context size, so this is not confirmed`
		: `The server of ${id} reports ${given} tokens, so this is not confirmed`;
}

function describeModel(model: Unread["model"], id: string): string {
	switch (model) {
		case "untouched":
			return "";
		case "unloaded":
			return `. ${id} is unloaded`;
		case "runs-as-before":
			return `. Until then ${id} runs as before`;
	}
}

function describeReason(id: string, size: number, reason: Reason, names: Names): string {
	const change = `${size} tokens for ${id}`;
	switch (reason.kind) {
		case "rejected":
			return `llama-swap rejected the config with ${change}: ${maskText(reason.line)}`;
		case "down":
			return `llama-swap did not come back with ${change}: ${describeError(reason.error, names)}`;
		case "not-started":
			return `${id} does not start with ${size} tokens: ${describeFailure(reason.error, names)}`;
		case "no-effect":
			return `${id} still does not run with ${size} tokens: llama-swap rejected the config, or reads a file other than ${names.setting("configPath")}`;
	}
}

/** The server's own words where there are any, without "HTTP 500 for loading m" in front. */
function describeFailure(error: AiServerError, names: Names): string {
	const { code, said, hint } = error;
	return describeError(said === undefined ? error : new AiServerError(code, said, { hint }), names);
}

function describeRestored(id: string, restored: Restored, names: Names): string {
	switch (restored.kind) {
		case "restored":
			return restored.model === "loaded"
				? `The old config was restored and ${id} was loaded again`
				: "The old config was restored";
		case "restored-but-unloaded":
			return `The old config was restored, but ${id} could not be loaded again: ${describeError(restored.error, names)}`;
		case "restored-but-down":
			return `The old config was restored, but llama-swap did not come back: ${describeError(restored.error, names)}`;
		case "failed":
			return `The old config could not be restored: ${describeError(restored.error, names)}`;
	}
}
