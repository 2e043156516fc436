import type { ServerModel } from "../discovery/merge.ts";
import { AiServerError, describeError, type Names } from "../lib/errors.ts";
import type { InTurn } from "../lib/keyed-queue.ts";
import {
	type Arguments,
	describeArguments,
	parseArguments,
	pickMissing,
	printArguments,
	type TypedValues,
	type Values,
} from "../ui/arguments.ts";
import { createAsk, describeBusy, type Question } from "../ui/confirm.ts";
import type { CommandContext, CommandServer } from "../ui/context.ts";
import { isManageable, requireManageable } from "../ui/model-picker.ts";

/** A slash command as data. What all commands have in common is done by `runCommand`. */
export interface CommandOf<A extends Arguments> {
	/** Without the server's prefix: "load". */
	readonly name: string;
	readonly description: string;
	readonly arguments: A;
	/** Shown in the footer while it runs. */
	progress?(values: Values<A>): string;
	/** Set for a command that changes something on the server. Print and JSON mode need `--yes`. */
	readonly change?: Change<A>;
	/** Does it, and returns the line to report; undefined where it has shown something itself. */
	run(values: Values<A>, context: CommandContext): Promise<string | undefined>;
}

export interface Change<A extends Arguments> {
	/** What no other command may change meanwhile: the model in question, the config. */
	readonly locks: readonly ("model" | "config")[];
	/** Asked before it runs. Without it the command asks itself, once it knows what it would do. */
	readonly confirm?: Confirmation<A>;
}

export interface Confirmation<A extends Arguments> {
	/**
	 * The models whose answers in progress may be cut off. With it, the user is asked only when there
	 * are such answers, and the question names them.
	 */
	readonly cutsOff?: "model" | "others";
	question(values: Values<A>, context: CommandContext): Question | Promise<Question>;
	/** Reported after a no. */
	readonly declined: string;
}

export type Command = CommandOf<Arguments>;

/** Takes the types of the values from the arguments. */
export function defineCommand<const A extends Arguments>(command: CommandOf<A>): Command {
	return command;
}

/** "/ai-server-load <id>" */
export function usageOf(command: Command, names: Names): string {
	return `${names.command(command.name)} ${describeArguments(command.arguments)}`.trim();
}

/** The models that a command can be about. */
export function modelsFor(command: Command, { catalog }: CommandServer): readonly ServerModel[] {
	const { models } = catalog.current();
	return command.change === undefined ? models : models.filter(isManageable);
}

/** What the runner hands on to the command, and what it needs itself. */
export interface Runner extends Omit<CommandContext, "ask"> {
	readonly inTurn: InTurn;
}

/** Runs a command with what was typed behind its name. Rejects with what is to be reported. */
export async function runCommand(command: Command, typed: string, runner: Runner): Promise<void> {
	const { server, reply, pi } = runner;
	const usage = usageOf(command, server.names);
	const { values: given, yes } = parseArguments(command.arguments, typed, usage);
	const models = modelsFor(command, server);
	const values = await pickMissing(command.arguments, given, models, usage, pi);
	if (values === undefined) return;
	const context: CommandContext = { ...runner, ask: createAsk(yes, pi) };
	const { change } = command;
	if (change !== undefined) {
		const id = modelIn(command, values);
		if (id !== undefined) requireManageable(server.catalog.current().models, id);
		if (!yes && !pi.hasUI) throw mustConfirm(command, values, server.names);
		if (!yes && !(await isConfirmed(change, values, id, context))) {
			if (change.confirm !== undefined) reply.say(change.confirm.declined);
			return;
		}
	}
	const outcome = await runner.inTurn(locksOf(command, values, server), () =>
		perform(command, values, context),
	);
	if (outcome !== undefined) reply.say(outcome);
	if (change !== undefined) await refreshAfterChange(runner);
}

/** What a change has done to the models shows in the catalog, which pi's list follows. */
async function refreshAfterChange({ server, reply }: Runner): Promise<void> {
	try {
		await server.catalog.refresh();
	} catch (error) {
		// The change itself has succeeded, and was reported.
		reply.warn(`The model list could not be refreshed: ${describeError(error, server.names)}`);
	}
}

function perform(
	command: Command,
	values: TypedValues,
	context: CommandContext,
): Promise<string | undefined> {
	const run = (): Promise<string | undefined> => command.run(values, context);
	const progress = command.progress?.(values);
	return progress === undefined ? run() : context.doing(progress, run);
}

function mustConfirm(command: Command, values: TypedValues, names: Names): AiServerError {
	const line = `${names.command(command.name)} ${printArguments(command.arguments, values)}`;
	return new AiServerError("usage", "Confirmation is required, but this mode cannot prompt", {
		hint: `Append --yes: ${line.trim()} --yes`,
	});
}

async function isConfirmed(
	{ confirm }: Change<Arguments>,
	values: TypedValues,
	id: string | undefined,
	context: CommandContext,
): Promise<boolean> {
	if (confirm === undefined) return true;
	const { cutsOff } = confirm;
	const own = id === undefined ? undefined : baseIdOf(id, context.server);
	// A request has the name that its client wrote, which may be another one of the same model.
	const counts = (other: string): boolean =>
		own === undefined || (baseIdOf(other, context.server) === own) === (cutsOff === "model");
	const busy = cutsOff === undefined ? "" : await describeBusy(context.server.admin, counts);
	if (cutsOff !== undefined && busy === "") return true;
	const { title, message } = await confirm.question(values, context);
	return context.ask({ title, message: `${busy} ${message}`.trim() });
}

function locksOf(command: Command, values: TypedValues, server: CommandServer): readonly string[] {
	return (command.change?.locks ?? []).flatMap((lock) => {
		if (lock === "config") return [lock];
		const id = modelIn(command, values);
		if (id === undefined) return [];
		return [`model ${baseIdOf(id, server)}`];
	});
}

/** The model that an alias or a variant stands for; the id itself where it is not known. */
function baseIdOf(id: string, { catalog, admin }: CommandServer): string {
	const { models, others } = catalog.current();
	const listed = [...models, ...others].find((model) => model.id === id);
	if (listed !== undefined) return listed.baseId ?? id;
	// Older llama-swaps name aliases in their events only.
	const configured = admin.events.known()?.models ?? [];
	return configured.find(({ aliases }) => aliases.includes(id))?.id ?? id;
}

/** The model that a command is about. */
function modelIn(command: Command, values: TypedValues): string | undefined {
	return Object.entries(command.arguments)
		.filter(([, { kind }]) => kind === "model")
		.map(([name]) => values[name])
		.find((value) => typeof value === "string");
}
