import { CancellableLoader, Container, Spacer } from "@earendil-works/pi-tui";
import { askConsent, describeBusy, readArguments } from "../ui/confirm.ts";
import type { CommandContext } from "../ui/context.ts";
import { chooseModel } from "../ui/model-picker.ts";
import type { Command } from "./command.ts";

export const loadCommand: Command = {
	name: "ai-server-load",
	usage: "<id>",
	description: "Load a model, so that the first answer does not wait for it",
	completesModels: true,
	async run(args, context) {
		const { text, yes } = readArguments(args);
		const id = await chooseModel(text, "Load which model?", "/ai-server-load <id>", context);
		if (id === undefined) return;
		const busy = yes ? "" : await describeBusy(context, (other) => other !== id);
		const consent = {
			title: `Load ${id} now?`,
			message: `${busy} The load may wait for answers, and then stop the model.`,
			command: `/ai-server-load ${id}`,
		};
		const mayHurt = busy !== "" || !context.pi.hasUI;
		if (mayHurt && !(await askConsent(consent, yes, context))) {
			context.reply.say("Nothing was loaded");
			return;
		}
		const started = context.now();
		const ready = await context.inTurn(id, () => loadVisibly(id, context));
		const seconds = Math.round((context.now() - started) / 1000);
		const outcome = ready ? `${id} is ready (${seconds} s)` : await giveUp(id, context);
		context.reply.say(outcome);
		// What the model is now shows in the catalog, so that pi's list and the completion follow.
		await context.catalog.refresh();
	},
};

/** llama-swap goes on with a load that nobody waits for, unless it is told to unload. */
async function giveUp(id: string, { admin, pi }: CommandContext): Promise<string> {
	const stop = await pi.ui.confirm(
		"Stop loading?",
		`The server still loads ${id}. Stop that as well?`,
	);
	if (!stop) return `No longer waiting for ${id}; the server goes on loading it`;
	await admin.unload(id);
	return `${id} is not loaded any further`;
}

/** True when the model is ready, false when the user stopped waiting. */
async function loadVisibly(id: string, { admin, pi, now }: CommandContext): Promise<boolean> {
	if (pi.mode !== "tui") {
		await admin.load(id);
		return true;
	}
	const outcome = await pi.ui.custom<{ readonly error?: unknown } | undefined>(
		(tui, theme, _keys, close) => {
			const loader = new CancellableLoader(
				tui,
				(text) => theme.fg("accent", text),
				(text) => theme.fg("muted", text),
				waiting(id, 0),
			);
			const started = now();
			const clock = setInterval(() => {
				loader.setMessage(waiting(id, Math.round((now() - started) / 1000)));
			}, 1000);
			const finish = (result: { readonly error?: unknown } | undefined): void => {
				clearInterval(clock);
				loader.stop();
				close(result);
			};
			loader.onAbort = () => finish(undefined);
			admin.load(id, loader.signal).then(
				() => finish({}),
				(error: unknown) => finish({ error }),
			);
			return withRoom(loader);
		},
	);
	if (outcome?.error !== undefined) throw outcome.error;
	return outcome !== undefined;
}

/** pi-tui gives the focus to the outermost component, so that is where the keys arrive. */
function withRoom(loader: CancellableLoader): Container {
	const frame = new (class extends Container {
		handleInput(data: string): void {
			loader.handleInput(data);
		}
		dispose(): void {
			loader.dispose();
		}
	})();
	frame.addChild(loader);
	frame.addChild(new Spacer(1));
	return frame;
}

function waiting(id: string, seconds: number): string {
	return `Loading ${id} (${seconds} s, escape stops waiting)`;
}
