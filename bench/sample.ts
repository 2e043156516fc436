/** One stream, read to its end; resolves with the number of deltas. */
export type Reader = (model: string, onDelta: () => void) => Promise<number>;

/** What one process found out about one stream. */
export interface Sample {
	/** Microseconds of CPU for a delta: user and system, of all threads. */
	readonly cpu: number;
	/**
	 * Milliseconds, the longest that the main thread worked without a timer being let in: of its own
	 * CPU time, since on a busy machine the clock shows what others do.
	 */
	readonly stall: number;
	/** Bytes that the resident set grew by, at its largest. */
	readonly growth: number;
}

const TICK_MS = 2;
const LOOK_EVERY = 2000;

/** `paced` streams leave the loop free, so they are not sampled: sampling alone would wake it up. */
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
	const watch = paced ? undefined : watchStalls();
	const started = process.cpuUsage();
	const arrived = await read(model, look);
	const { user, system } = process.cpuUsage(started);
	const stall = watch?.() ?? 0;
	if (arrived < deltas) throw new Error(`${model}: only ${arrived} of ${deltas} deltas`);
	return {
		cpu: (user + system) / deltas,
		stall,
		growth: Math.max(peak, process.memoryUsage.rss()) - before,
	};
}

/** Returns what ends the watch and gives the longest stall, in ms. */
function watchStalls(): () => number {
	let longest = 0;
	let last = process.threadCpuUsage();
	const tick = (): void => {
		const { user, system } = process.threadCpuUsage(last);
		longest = Math.max(longest, (user + system) / 1000);
		last = process.threadCpuUsage();
	};
	const timer = setInterval(tick, TICK_MS);
	return () => {
		clearInterval(timer);
		tick();
		return longest;
	};
}
