/** What a stream is made of. The id is also the name of the model that the bench's server answers as. */
export interface Workload {
	readonly kind: "text" | "thinking" | "tool";
	readonly deltas: number;
	/** One event a millisecond instead of all as fast as the connection takes them. */
	readonly paced: boolean;
}

const KINDS = ["text", "thinking", "tool"] as const;

/** From "text-20000" or "text-2000-paced". Throws for anything else. */
export function parseWorkload(id: string): Workload {
	const [name, count, pace] = id.split("-");
	const kind = KINDS.find((known) => known === name);
	const deltas = Number(count);
	if (kind === undefined || !(deltas > 0)) throw new Error(`No workload: ${id}`);
	return { kind, deltas, paced: pace === "paced" };
}

/** The stream that a process is warmed up with, three times. */
export function warmUp({ kind }: Workload): string {
	return `${kind}-3000`;
}
