import { monitorEventLoopDelay } from "node:perf_hooks";

/** One stream, read to its end; resolves with the number of deltas. */
export type Reader = (model: string, onDelta: () => void) => Promise<number>;

/** What one process found out about one stream. */
export interface Sample {
	/** Microseconds of CPU for a delta: user and system, of all threads. */
	readonly cpu: number;
	/** Milliseconds, the longest time in which no timer could run. */
	readonly stall: number;
	/** Bytes that the resident set grew by, at its largest. */
	readonly growth: number;
}

/** How often the event loop is looked at, in ms; that much is taken off what is found. */
const RESOLUTION_MS = 2;
const LOOK_EVERY = 2000;

/** `paced` streams leave the loop free, so nobody looks at it: that alone would wake it up. */
export interface SampleOptions {
	readonly model: string;
	readonly deltas: number;
	readonly paced: boolean;
	readonly warmUps: readonly string[];
}

/** Reads one stream after `warmUps` others. Throws when deltas are missing. */
export async function takeSample(
	read: Reader,
	{ model, deltas, paced, warmUps }: SampleOptions,
): Promise<Sample> {
	for (const other of warmUps) await read(other, () => undefined);
	const before = process.memoryUsage.rss();
	let peak = before;
	let count = 0;
	const look = (): void => {
		count += 1;
		if (count % LOOK_EVERY === 0) peak = Math.max(peak, process.memoryUsage.rss());
	};
	const delay = monitorEventLoopDelay({ resolution: RESOLUTION_MS });
	if (!paced) delay.enable();
	const started = process.cpuUsage();
	const arrived = await read(model, look);
	const { user, system } = process.cpuUsage(started);
	delay.disable();
	if (arrived < deltas) throw new Error(`${model}: only ${arrived} of ${deltas} deltas`);
	return {
		cpu: (user + system) / deltas,
		stall: Math.max(0, delay.max / 1e6 - RESOLUTION_MS),
		growth: Math.max(peak, process.memoryUsage.rss()) - before,
	};
}
