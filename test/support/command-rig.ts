import { type Command, type Runner, runCommand } from "../../commands/command.ts";
import type { ServerModel } from "../../discovery/merge.ts";
import type { Discovery } from "../../discovery.ts";
import type { Names } from "../../lib/errors.ts";
import { createQueue } from "../../lib/keyed-queue.ts";

/** Other names than those of the environment, so that a name that is not passed on shows. */
export const NAMES: Names = {
	setting: (setting) => `<${setting}>`,
	command: (name) => `/box-${name}`,
};

export const model = (id: string, more: Partial<ServerModel> = {}): ServerModel => ({
	id,
	name: id,
	state: "ready",
	contextWindow: 4096,
	contextOrigin: "command",
	reasoning: false,
	images: true,
	ttl: 0,
	...more,
});

export const discovery = (more: Partial<Discovery> = {}): Discovery => ({
	models: [model("tiny")],
	others: [],
	probed: new Map(),
	heads: new Map(),
	isComplete: true,
	warnings: [],
	guesses: [],
	source: "server",
	seenAt: 0,
	...more,
});

export interface CommandTraits {
	readonly mode?: "tui" | "rpc" | "print" | "json";
	readonly found?: Discovery;
	/** What a refresh brings; an error is what it rejects with. */
	readonly refreshed?: Discovery | Error;
	readonly admin?: Partial<Runner["server"]["admin"]>;
	/** Answers to confirmations, in turn. A question too many rejects. */
	readonly confirms?: readonly boolean[];
	/** What is picked from lists, by what the item begins with; undefined closes the list. */
	readonly picks?: readonly (string | undefined)[];
	/** What a screen of ui.custom resolves with. */
	readonly custom?: unknown;
}

export interface CommandRig {
	/** `typed` is what follows the command's name. */
	run(command: Command, typed?: string): Promise<void>;
	readonly runner: Runner;
	/** Lines that were reported, and refreshes of the list. */
	readonly log: string[];
	readonly asked: string[];
	readonly footer: string[];
	readonly shown: { type: string; data: unknown }[];
}

/** A server, and a pi that writes down what it is asked to show; what is not given must not be used. */
export function commandRig(traits: CommandTraits = {}): CommandRig {
	const { mode = "tui", found = discovery(), refreshed = found } = traits;
	const log: string[] = [];
	const asked: string[] = [];
	const footer: string[] = [];
	const shown: { type: string; data: unknown }[] = [];
	const confirms = [...(traits.confirms ?? [])];
	const picks = [...(traits.picks ?? [])];
	const ui = {
		confirm: async (title: string, message: string) => {
			asked.push(`${title} | ${message}`);
			const answer = confirms.shift();
			if (answer === undefined) throw new Error(`Unexpected question: ${title}`);
			return answer;
		},
		select: async (title: string, items: readonly string[]) => {
			asked.push(`${title} ${items.join(" / ")}`);
			const wanted = picks.shift();
			return wanted === undefined ? undefined : items.find((item) => item.startsWith(wanted));
		},
		custom: async () => traits.custom,
	};
	const catalog = {
		current: () => found,
		refresh: async () => {
			log.push("refresh");
			if (refreshed instanceof Error) throw refreshed;
			return refreshed;
		},
	};
	const runner = {
		server: {
			id: "box",
			names: NAMES,
			admin: { events: { known: () => undefined }, ...traits.admin },
			catalog,
		},
		reply: {
			say: (text: string) => void log.push(text),
			warn: (text: string) => void log.push(`Warning: ${text}`),
			fail: (error: unknown) => void log.push(`Error: ${error}`),
			show: (type: string, data: unknown) => void shown.push({ type, data }),
		},
		pi: { mode, hasUI: mode === "tui" || mode === "rpc", ui },
		now: () => 0,
		wait: async () => undefined,
		doing: async <T>(what: string, work: () => Promise<T>) => {
			footer.push(what);
			return work();
		},
		inTurn: createQueue(),
	} as unknown as Runner;
	const run = (command: Command, typed = ""): Promise<void> => runCommand(command, typed, runner);
	return { run, runner, log, asked, footer, shown };
}
