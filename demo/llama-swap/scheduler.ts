import { contextOf } from "../llama-server/launch.ts";

import { type ModelConfig, programOf, type SwapConfig } from "./config-file.ts";

export type State = "stopped" | "starting" | "ready" | "stopping";

/** What a request gets instead of the model. */
export class Refused extends Error {
	readonly status: number;
	constructor(status: number, message: string) {
		super(message);
		this.status = status;
	}
}

/** A request's hold on a ready model. */
export interface Hold {
	readonly model: ModelConfig;
	/** Aborts when the model is stopped under the request. */
	readonly signal: AbortSignal;
	release(): void;
}

export interface SchedulerOptions {
	readonly config: SwapConfig;
	/** Milliseconds that a model takes to load. */
	readonly loadMs: (model: ModelConfig) => number;
	/** Milliseconds that a model takes to stop. */
	readonly stopMs: number;
	readonly onChange: () => void;
	/** A line of a model's own log. */
	readonly log: (id: string, line: string) => void;
}

export interface Scheduler {
	/** By id or alias. */
	find(id: string): ModelConfig | undefined;
	stateOf(id: string): State;
	/** Requests that the model answers now. */
	inFlight(id: string): number;
	/** How often a model was started. */
	starts(): number;
	/** Place in the queue for a load, from 1; 0 for none. */
	position(id: string): number;
	/** Waits until the model is ready, loading it first. Rejects with Refused. */
	acquire(id: string, signal: AbortSignal): Promise<Hold>;
	/** Resolves when the model is gone. */
	unload(id: string): Promise<void>;
	unloadAll(): Promise<void>;
	/** Stops everything at once; waiting requests get the error that the group shuts down. */
	shutdown(): void;
}

interface Waiter {
	resolve(): void;
	reject(error: Refused): void;
}

interface Process {
	readonly model: ModelConfig;
	state: State;
	inFlight: number;
	waiting: number;
	/** ms; 0 until a request has been completed, which is why an abandoned load is unloaded at once. */
	lastUsed: number;
	waiters: Waiter[];
	stop: AbortController;
	timer: NodeJS.Timeout | undefined;
	gone: PromiseWithResolvers<void> | undefined;
}

/** Models of which one runs at a time, as in llama-swap's default group. */
interface Group extends SchedulerOptions {
	readonly processes: readonly Process[];
	/** By id or alias. */
	readonly byName: ReadonlyMap<string, Process>;
	queue: Process[];
	starts: number;
}

export function createScheduler(options: SchedulerOptions): Scheduler {
	const processes = options.config.models.map(createProcess);
	const names = processes.flatMap((process) =>
		[process.model.id, ...process.model.aliases].map((name) => [name, process] as const),
	);
	const byName = new Map(names);
	const group: Group = { ...options, processes, byName, queue: [], starts: 0 };
	const tick = setInterval(() => stopIdle(group), 1000).unref();
	return {
		find: (id) => byName.get(id)?.model,
		stateOf: (id) => byName.get(id)?.state ?? "stopped",
		inFlight: (id) => byName.get(id)?.inFlight ?? 0,
		starts: () => group.starts,
		position(id) {
			const process = byName.get(id);
			return process === undefined ? 0 : group.queue.indexOf(process) + 1;
		},
		acquire: (id, signal) => acquire(group, id, signal),
		async unload(id) {
			const process = byName.get(id);
			if (process === undefined) throw new Refused(404, "model not found");
			group.queue = group.queue.filter((other) => other !== process);
			await unload(group, process);
		},
		async unloadAll() {
			group.queue = [];
			for (const process of processes) await unload(group, process);
		},
		shutdown() {
			clearInterval(tick);
			group.queue = [];
			for (const process of processes) kill(process);
		},
	};
}

function createProcess(model: ModelConfig): Process {
	return {
		model,
		state: "stopped",
		inFlight: 0,
		waiting: 0,
		lastUsed: 0,
		waiters: [],
		stop: new AbortController(),
		timer: undefined,
		gone: undefined,
	};
}

async function acquire(group: Group, id: string, signal: AbortSignal): Promise<Hold> {
	const process = group.byName.get(id);
	if (process === undefined) throw new Refused(404, "model not found");
	if (process.inFlight + process.waiting >= process.model.concurrencyLimit) {
		throw new Refused(429, "Too many requests");
	}
	process.waiting += 1;
	try {
		await waitUntilReady(group, process, signal);
	} finally {
		process.waiting -= 1;
	}
	process.inFlight += 1;
	let held = true;
	const release = (): void => {
		if (!held) return;
		held = false;
		process.inFlight -= 1;
		process.lastUsed = Date.now();
		pump(group);
	};
	return { model: process.model, signal: process.stop.signal, release };
}

function waitUntilReady(group: Group, process: Process, signal: AbortSignal): Promise<void> {
	if (process.state === "ready") return Promise.resolve();
	const waiter = Promise.withResolvers<void>();
	process.waiters.push(waiter);
	signal.addEventListener("abort", () => {
		process.waiters = process.waiters.filter((other) => other !== waiter);
		waiter.reject(new Refused(499, "client went away"));
		pump(group);
	});
	if (process.state !== "starting" && !group.queue.includes(process)) group.queue.push(process);
	pump(group);
	return waiter.promise;
}

/** Starts the head of the queue as soon as the others are out of the way. */
function pump(group: Group): void {
	group.queue = group.queue.filter(({ waiters, state }) => waiters.length > 0 && state !== "ready");
	const head = group.queue[0];
	if (head === undefined || head.state === "starting" || head.state === "stopping") return;
	const others = group.processes.filter(
		(process) => process !== head && process.state !== "stopped",
	);
	if (others.length === 0) {
		group.queue.shift();
		start(group, head);
		return;
	}
	for (const other of others) {
		// A load that is under way is let through; an answer that is under way is waited for.
		if (other.state === "ready" && other.inFlight === 0) void stop(group, other);
	}
}

function start(group: Group, process: Process): void {
	const { model } = process;
	group.starts += 1;
	process.stop = new AbortController();
	change(group, process, "starting");
	group.log(model.id, "0.00.002.098 I srv  llama_server: initializing ...");
	const failure = failureOf(model);
	const delay = failure === undefined ? group.loadMs(model) : Math.min(20, group.loadMs(model));
	process.timer = setTimeout(() => {
		if (failure === undefined) {
			group.log(model.id, "0.00.103.388 I srv  llama_server: model loaded");
			change(group, process, "ready");
			for (const waiter of takeWaiters(process)) waiter.resolve();
		} else {
			if (failure.log !== "") group.log(model.id, failure.log);
			change(group, process, "stopped");
			refuseWaiters(process, `unspecific error: ${failure.message}`);
		}
		pump(group);
	}, delay);
}

/** Resolves when the process has ended. */
function stop(group: Group, process: Process): Promise<void> {
	if (process.state === "stopped") return Promise.resolve();
	if (process.gone !== undefined) return process.gone.promise;
	const gone = Promise.withResolvers<void>();
	process.gone = gone;
	clearTimeout(process.timer);
	process.stop.abort();
	change(group, process, "stopping");
	process.timer = setTimeout(() => {
		process.gone = undefined;
		process.lastUsed = 0;
		change(group, process, "stopped");
		gone.resolve();
		pump(group);
	}, group.stopMs).unref();
	return gone.promise;
}

async function unload(group: Group, process: Process): Promise<void> {
	const stopped = stop(group, process);
	refuseWaiters(process, "unspecific error: group: model unloaded");
	await stopped;
}

function kill(process: Process): void {
	clearTimeout(process.timer);
	process.stop.abort();
	process.state = "stopped";
	refuseWaiters(process, "unspecific error: group is shutting down");
}

/** Stops models that no request has used for their time to live. */
function stopIdle(group: Group): void {
	for (const process of group.processes) {
		const { model, state, inFlight, lastUsed } = process;
		const idleMs = Date.now() - lastUsed;
		if (state === "ready" && model.ttl > 0 && inFlight === 0 && idleMs >= model.ttl * 1000) {
			void stop(group, process);
		}
	}
}

function change(group: Group, process: Process, state: State): void {
	process.state = state;
	group.onChange();
}

function refuseWaiters(process: Process, message: string): void {
	for (const waiter of takeWaiters(process)) waiter.reject(new Refused(500, message));
}

function takeWaiters(process: Process): readonly Waiter[] {
	const { waiters } = process;
	process.waiters = [];
	return waiters;
}

/** Tokens that this machine has memory for. */
const LARGEST_CONTEXT = 2 ** 20;

/** What becomes of a command that cannot start. Its text decides, since no program is run. */
function failureOf(
	model: ModelConfig,
): { readonly message: string; readonly log: string } | undefined {
	const program = programOf(model);
	if (program.includes("no-such")) {
		const words = model.cmd.trim();
		return {
			message: `failed to start command '${words}': fork/exec ${program}: no such file or directory`,
			log: "",
		};
	}
	if ((contextOf(model) ?? 0) > LARGEST_CONTEXT) {
		return {
			message: "upstream command exited prematurely",
			log: "0.00.018.752 E srv  llama_server: cudaMalloc failed: out of memory",
		};
	}
	if (/\bbroken\S*\.gguf\b|\/bin\/true/.test(model.cmd)) {
		return {
			message: "upstream command exited prematurely",
			log: "0.00.018.752 E srv  llama_server: exiting due to model loading error",
		};
	}
	return undefined;
}
