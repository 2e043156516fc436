import type { AutocompleteItem } from "@earendil-works/pi-tui";
import { contextWords, readGiven, takeEffect } from "../admin/apply-config.ts";
import { AiServerError } from "../lib/errors.ts";
import { lazy } from "../lib/lazy.ts";
import { parseSize, runsWith } from "../lib/llama-swap/api/reload.ts";
import type { ConfigEdit } from "../lib/llama-swap/config/edit/set-option.ts";
import { plainText } from "../lib/text.ts";
import { askConsent, readArguments } from "../ui/confirm.ts";
import type { CommandContext } from "../ui/context.ts";
import { chooseModel } from "../ui/model-picker.ts";
import type { Command } from "./command.ts";

// The YAML parser takes 20 ms to load, so it is left to the commands that need it.
const editing = lazy(() => import("../lib/llama-swap/config/edit/set-option.ts"));
const masking = lazy(() => import("../lib/llama-swap/config/mask-secrets.ts"));

const USAGE = "/ai-server-ctx <id> <size>";
const SIZES = ["4k", "8k", "16k", "32k", "64k", "128k", "256k", "512k", "1m", "max"] as const;

export const ctxCommand: Command = {
	name: "ai-server-ctx",
	usage: "<id> <size>",
	description: "Set a model's context size (65536, 64k or max) in the server's config and load it",
	completesModels: true,
	completeNext: completeSizes,
	async run(args, context) {
		const { text, yes } = readArguments(args);
		const wish = await readWish(text, context);
		if (wish === undefined) return;
		// One file holds all models, so two edits must not overlap.
		const outcome = await context.inTurn(wish.id, () =>
			context.inTurn("config", () => change(wish, yes, context)),
		);
		context.reply.say(outcome);
		await context.catalog.refresh();
	},
};

interface Wish {
	readonly id: string;
	readonly size: number | "max";
}

/** Undefined when the user picked nothing. */
async function readWish(text: string, context: CommandContext): Promise<Wish | undefined> {
	const at = text.lastIndexOf(" ");
	const typed = at < 0 ? undefined : text.slice(at + 1);
	if (text !== "" && typed === undefined && context.pi.mode !== "tui") {
		throw new AiServerError("settings", "Which size?", { hint: `Usage: ${USAGE}` });
	}
	const id = await chooseModel(
		at < 0 ? text : text.slice(0, at),
		"Whose context size?",
		USAGE,
		context,
	);
	if (id === undefined) return undefined;
	const chosen = typed ?? (await context.pi.ui.select(`Context size of ${id}?`, [...SIZES]));
	if (chosen === undefined) return undefined;
	const size = parseSize(chosen);
	if (size !== undefined) return { id, size };
	throw new AiServerError("settings", `${plainText(chosen)} is no context size`, {
		hint: "Write it as 65536, 64k or max",
	});
}

async function change(
	{ id: name, size: wished }: Wish,
	yes: boolean,
	context: CommandContext,
): Promise<string> {
	const { admin, doing } = context;
	const oldText = await doing("Reading the config…", () => admin.readPreset());
	const size =
		wished === "max"
			? await doing("Looking up what it was trained for…", () =>
					admin.trainedContext(name, oldText),
				)
			: wished;
	const { setPresetKey } = await editing();
	const { maskChanges } = await masking();
	const edit = setPresetKey(oldText, name, "ctx-size", size);
	const { id, yaml: newText } = edit;
	const running = await admin.listRunning();
	const loaded = running.some((model) => model.id === id);
	if (newText === oldText && (!loaded || runsWith(running, id, size) !== false)) {
		const given = await readGiven(id, running, admin);
		const words = contextWords(size, given);
		return given === undefined || given === size
			? `${id} has ${words} already`
			: `${id} has ${words}`;
	}
	const command = `/ai-server-ctx ${name} ${size}`;
	const changes = maskChanges(oldText, newText, edit.changes);
	const consent = { ...describeEdit({ ...edit, changes }, loaded), command };
	if (newText !== oldText && !(await askConsent(consent, yes, context))) {
		return "Nothing was changed";
	}
	return takeEffect({ id, size, loaded, oldText, newText, yes, command }, context);
}

/** What a person is asked to agree to. */
export function describeEdit(
	edit: ConfigEdit,
	loaded: boolean,
): { readonly title: string; readonly message: string } {
	const { id, before, after, changes, kept, left } = edit;
	const lines = changes.flatMap(({ line, before: old, after: now }) => [
		`line ${line}:`,
		...(old === undefined ? [] : [`- ${plainText(old).trim()}`]),
		`+ ${plainText(now).trim()}`,
	]);
	return {
		title: `Context of ${id}: ${before ?? "not set"} → ${after}?`,
		message: [
			...lines,
			...(kept.length > 0 ? [`Changed along with it: ${kept.join(", ")}`] : []),
			...(left.length > 0 ? [`Still another number: ${left.join(", ")}`] : []),
			loaded
				? `${id} is loaded: it is stopped and loaded again, and answers under way are cut off.`
				: `${id} is loaded afterwards, which may stop another model.`,
		].join("\n"),
	};
}

/** Sizes for the second argument; the value repeats the id, as pi replaces all that was typed. */
export function completeSizes(id: string, typed: string): AutocompleteItem[] | null {
	const found = SIZES.filter(
		(size) => size.startsWith(typed.toLowerCase()) || String(parseSize(size)).startsWith(typed),
	);
	if (found.length === 0) return null;
	return found.map((size) => ({
		value: `${id} ${size}`,
		label: size,
		description: size === "max" ? "what it was trained for" : `${parseSize(size)} tokens`,
	}));
}
