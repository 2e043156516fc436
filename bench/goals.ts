/** Values of the same thing in one run: one of every process. */
export type Values = readonly number[];

/** One line of the table. */
export interface Finding {
	readonly what: string;
	/** What ours came to, with its unit. */
	readonly ours: string;
	/** What it is held against; "" where the goal is an absolute one. */
	readonly other: string;
	/** The figure that the goal is about. */
	readonly figure: number;
	readonly goal: number;
	/** Whether the goal is a least value instead of a largest. */
	readonly atLeast?: boolean;
	/** How far the figure may be off by chance: half the distance between its quartiles. */
	readonly noise: number;
}

export function median(values: Values): number {
	return quantile(values, 0.5);
}

/** A goal is missed when the figure is off by more than chance explains. */
export function isMissed({ figure, goal, noise, atLeast = false }: Finding): boolean {
	return atLeast ? figure + noise < goal : figure - noise > goal;
}

/** Ours against another, both medians. */
export function ratioFinding(
	what: string,
	{ ours, other, goal, unit }: { ours: Values; other: Values; goal: number; unit: string },
): Finding {
	const figure = median(ours) / median(other);
	return {
		what,
		figure,
		goal,
		ours: `${median(ours).toFixed(2)} ${unit}`,
		other: `${median(other).toFixed(2)} ${unit}`,
		noise: figure * Math.hypot(spread(ours), spread(other)),
	};
}

/** A value that must not be larger than the goal. */
export function limitFinding(
	what: string,
	{ values, goal, unit }: { values: Values; goal: number; unit: string },
): Finding {
	const figure = median(values);
	const noise = figure * spread(values);
	return { what, ours: `${figure.toFixed(2)} ${unit}`, other: "", figure, goal, noise };
}

/** The exponent by which the whole cost grows from one size to another. */
export function exponentFinding(
	what: string,
	small: { readonly deltas: number; readonly values: Values },
	large: { readonly deltas: number; readonly values: Values },
	goal: number,
): Finding {
	const times = large.deltas / small.deltas;
	const figure = 1 + Math.log(median(large.values) / median(small.values)) / Math.log(times);
	const noise = Math.hypot(spread(small.values), spread(large.values)) / Math.log(times);
	return { what, ours: figure.toFixed(2), other: "", figure, goal, noise };
}

/** The table, one finding a line, the missed ones marked. */
export function table(findings: readonly Finding[]): string {
	const rows = findings.map((finding) => {
		const { what, ours, other, figure, goal, noise, atLeast = false } = finding;
		const bound = `${atLeast ? ">=" : "<="} ${goal}`;
		const mark = isMissed(finding) ? "MISSED" : "";
		return [what, other, ours, `${figure.toFixed(3)} ±${noise.toFixed(3)}`, bound, mark];
	});
	const all = [["", "against", "ours", "figure", "goal", ""], ...rows];
	const widths = (all[0] ?? []).map((_, column) =>
		Math.max(...all.map((row) => row[column]?.length ?? 0)),
	);
	return all
		.map((row) => row.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join("  "))
		.map((line) => line.trimEnd())
		.join("\n");
}

/** Half the distance between the quartiles, as a part of the median. */
function spread(values: Values): number {
	const middle = median(values);
	if (middle === 0) return 0;
	return (quantile(values, 0.75) - quantile(values, 0.25)) / 2 / middle;
}

function quantile(values: Values, part: number): number {
	const sorted = values.toSorted((a, b) => a - b);
	const at = (sorted.length - 1) * part;
	const low = sorted[Math.floor(at)] ?? 0;
	const high = sorted[Math.ceil(at)] ?? 0;
	return low + (high - low) * (at - Math.floor(at));
}
