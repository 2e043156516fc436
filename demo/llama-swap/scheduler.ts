import { extractCtxFromRunningCmd } from "../../lib/llama-server/launch.ts";
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
	/** Stops everything at once; whoever waits is told that the group shuts down. */
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

/** One group of models of which one runs at a time, as llama-swap's default group does. */
export function createScheduler(options: SchedulerOptions): Scheduler {
	const { config, loadMs, stopMs, onChange, log } = options;
	const processes = new Map<string, Process>(
		config.models.map((model) => [model.id, createProcess(model)]),
	);
	const ids = new Map(
		config.models.flatMap(({ id, aliases }) => [id, ...aliases].map((name) => [name, id] as const)),
	);
	let queue: Process[] = [];
	let starts = 0;

	const change = (process: Process, state: State): void => {
		process.state = state;
		onChange();
	};
	const refuseWaiters = (process: Process, error: Refused): void => {
		const waiters = process.waiters;
		process.waiters = [];
		for (const waiter of waiters) waiter.reject(error);
	};
	const stop = (process: Process): Promise<void> => {
		if (process.state === "stopped") return Promise.resolve();
		if (process.gone !== undefined) return process.gone.promise;
		const gone = Promise.withResolvers<void>();
		process.gone = gone;
		clearTimeout(process.timer);
		process.stop.abort();
		change(process, "stopping");
		process.timer = setTimeout(() => {
			process.gone = undefined;
			process.lastUsed = 0;
			change(process, "stopped");
			gone.resolve();
			pump();
		}, stopMs).unref();
		return gone.promise;
	};
	const begin = (process: Process): void => {
		starts += 1;
		process.stop = new AbortController();
		change(process, "starting");
		log(process.model.id, `0.00.002.098 I srv  llama_server: initializing ...`);
		const failure = failureOf(process.model);
		const delay =
			failure === undefined ? loadMs(process.model) : Math.min(20, loadMs(process.model));
		process.timer = setTimeout(() => {
			if (failure === undefined) {
				log(process.model.id, `0.00.103.388 I srv  llama_server: model loaded`);
				change(process, "ready");
				const waiters = process.waiters;
				process.waiters = [];
				for (const waiter of waiters) waiter.resolve();
			} else {
				if (failure.log !== "") log(process.model.id, failure.log);
				change(process, "stopped");
				refuseWaiters(process, new Refused(500, `unspecific error: ${failure.message}`));
			}
			pump();
		}, delay);
	};
	/** Starts the head of the queue as soon as the others are out of the way. */
	const pump = (): void => {
		queue = queue.filter((process) => process.waiters.length > 0 && process.state !== "ready");
		const head = queue[0];
		if (head === undefined || head.state === "starting" || head.state === "stopping") return;
		const others = [...processes.values()].filter(
			(process) => process !== head && process.state !== "stopped",
		);
		if (others.length === 0) {
			queue.shift();
			begin(head);
			return;
		}
		for (const other of others) {
			// A load that is under way is let through; an answer that is under way is waited for.
			if (other.state === "ready" && other.inFlight === 0) void stop(other);
		}
	};
	const waitUntilReady = (process: Process, signal: AbortSignal): Promise<void> => {
		if (process.state === "ready") return Promise.resolve();
		const { promise, resolve, reject } = Promise.withResolvers<void>();
		const waiter: Waiter = { resolve, reject };
		process.waiters.push(waiter);
		signal.addEventListener("abort", () => {
			process.waiters = process.waiters.filter((other) => other !== waiter);
			reject(new Refused(499, "client went away"));
			pump();
		});
		if (process.state !== "starting" && !queue.includes(process)) queue.push(process);
		pump();
		return promise;
	};
	const tick = setInterval(() => {
		for (const process of processes.values()) {
			const { model, state, inFlight, lastUsed } = process;
			const idle = Date.now() - lastUsed;
			if (state === "ready" && model.ttl > 0 && inFlight === 0 && idle >= model.ttl * 1000) {
				void stop(process);
			}
		}
	}, 1000).unref();

	const processOf = (id: string): Process | undefined => processes.get(ids.get(id) ?? "");
	return {
		find: (id) => processOf(id)?.model,
		stateOf: (id) => processOf(id)?.state ?? "stopped",
		inFlight: (id) => processOf(id)?.inFlight ?? 0,
		starts: () => starts,
		position: (id) => queue.findIndex(({ model }) => model.id === ids.get(id)) + 1,
		async acquire(id, signal) {
			const process = processOf(id);
			if (process === undefined) throw new Refused(404, "model not found");
			if (process.inFlight + process.waiting >= process.model.concurrencyLimit) {
				throw new Refused(429, "Too many requests");
			}
			process.waiting += 1;
			try {
				await waitUntilReady(process, signal);
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
				pump();
			};
			return { model: process.model, signal: process.stop.signal, release };
		},
		async unload(id) {
			const process = processOf(id);
			if (process === undefined) throw new Refused(404, "model not found");
			queue = queue.filter((other) => other !== process);
			const stopped = stop(process);
			refuseWaiters(process, new Refused(500, "unspecific error: group: model unloaded"));
			await stopped;
		},
		async unloadAll() {
			queue = [];
			for (const process of processes.values()) {
				const stopped = stop(process);
				refuseWaiters(process, new Refused(500, "unspecific error: group: model unloaded"));
				await stopped;
			}
		},
		shutdown() {
			clearInterval(tick);
			queue = [];
			for (const process of processes.values()) {
				clearTimeout(process.timer);
				process.stop.abort();
				process.state = "stopped";
				refuseWaiters(process, new Refused(500, "unspecific error: group is shutting down"));
			}
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

/** Tokens that this machine has memory for. */
const LARGEST_CONTEXT = 2 ** 20;

/** Commands that cannot start say so by what they name, since nothing is really run here. */
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
	if ((extractCtxFromRunningCmd(model.cmd) ?? 0) > LARGEST_CONTEXT) {
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
