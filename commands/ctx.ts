import { applyConfig, readContextWindow, runsWith } from "../admin/apply-config.ts";
import { describeError } from "../lib/errors.ts";
import { lazy } from "../lib/lazy.ts";
import type { ConfigEdit } from "../lib/llama-swap/config/edit/set-option.ts";
import { plainText } from "../lib/text.ts";
import {
	describeDoubt,
	describeOutcome,
	describeReload,
	describeStep,
	describeWindow,
} from "../ui/apply-words.ts";
import type { Question } from "../ui/confirm.ts";
import type { CommandContext } from "../ui/context.ts";
import type { ContextSize } from "../ui/context-size.ts";
import { type Command, defineCommand } from "./command.ts";

// The YAML parser takes 20 ms to load, so it is left to the commands that need it.
const editing = lazy(() => import("../lib/llama-swap/config/edit/set-option.ts"));
const masking = lazy(() => import("../lib/llama-swap/config/mask-secrets.ts"));

export const ctxCommand: Command = defineCommand({
	name: "ctx",
	description: "Set a model's context size (65536, 64k or max) in the server's config and load it",
	arguments: {
		id: { kind: "model", question: "Context size of which model?" },
		size: { kind: "size", question: "Context size of <id>?" },
	},
	// The config holds all models. What would change is known once it has been read, so it asks itself.
	change: { locks: ["model", "config"] },
	async run({ id: name, size: wanted }, context) {
		const { server, ask, doing, wait, reply } = context;
		const { admin, names } = server;
		// Whatever cannot be edited is refused here, before anything is unloaded.
		const { oldText, edit } = await planEdit(name, wanted, context);
		const { id, yaml: newText, after: size } = edit;
		const running = await admin.listRunning();
		const loaded = running.some((model) => model.id === id);
		if (newText === oldText && (!loaded || runsWith(running, id, size) !== false)) {
			const given = loaded ? await readContextWindow(id, running, admin) : undefined;
			return describeUnchanged(id, size, loaded, given);
		}
		if (newText !== oldText && !(await ask(describeEdit(edit, loaded)))) {
			return "Nothing was changed";
		}
		const outcome = await applyConfig(
			{ id, size, loaded, oldText, newText },
			{
				admin,
				wait,
				mayReload: async (method, failed) =>
					ask(await describeReload(method, admin, failed && describeError(failed, names))),
				progress: (step, work) => doing(describeStep(step, id), work),
				note: (text) => reply.warn(text),
			},
		);
		const line = describeOutcome(id, size, outcome, names);
		if (outcome.kind !== "ready" || outcome.verified) return line;
		reply.warn(line);
		return undefined;
	},
});

interface Plan {
	readonly oldText: string;
	/** Its lines are without secrets, and so fit for people. */
	readonly edit: ConfigEdit;
}

/** Reads the config and edits it in memory. Rejects where that cannot be done with certainty. */
async function planEdit(
	name: string,
	wanted: ContextSize,
	{ server: { admin }, doing }: CommandContext,
): Promise<Plan> {
	const oldText = await doing("Reading the config…", () => admin.readPreset());
	const size =
		wanted === "max"
			? await doing("Looking up the training context…", () => admin.trainedContext(name, oldText))
			: wanted;
	const { setPresetKey } = await editing();
	const { maskChanges } = await masking();
	const edit = setPresetKey(oldText, name, "ctx-size", size);
	return { oldText, edit: { ...edit, changes: maskChanges(oldText, edit.yaml, edit.changes) } };
}

/** Shows the lines that change, and what follows. */
export function describeEdit(
	{ id, before, after, changes, kept, left }: ConfigEdit,
	loaded: boolean,
): Question {
	const lines = changes.flatMap(({ line, before: old, after: now }) => [
		`line ${line}:`,
		...(old === undefined ? [] : [`- ${plainText(old).trim()}`]),
		`+ ${plainText(now).trim()}`,
	]);
	return {
		title: `Context of ${id}: ${before ?? "not set"} → ${after}?`,
		message: [
			...lines,
			...(kept.length > 0 ? [`Also updated: ${kept.join(", ")}`] : []),
			...(left.length > 0 ? [`Not updated: ${left.join(", ")}`] : []),
			loaded
				? `${id} is loaded: it will be stopped and loaded again, which cuts off answers in progress.`
				: `${id} will be loaded afterwards, which may stop another model.`,
		].join("\n"),
	};
}

function describeUnchanged(
	id: string,
	size: number,
	loaded: boolean,
	given: number | undefined,
): string {
	const config = `The config sets ${size} tokens for ${id} already`;
	if (!loaded) return `${config}; ${id} is not loaded`;
	if (given === undefined) return `${config}. ${describeDoubt(id, given)}`;
	const already = given === undefined || given === size ? " already" : "";
	return `${id} has ${describeWindow(size, given)}${already}`;
}
