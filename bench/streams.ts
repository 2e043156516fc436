import { HOSTS, type Host } from "../hosts/hosts.ts";
import type { Children } from "./children.ts";
import { exponentFinding, type Finding, limitFinding, ratioFinding, type Values } from "./goals.ts";
import type { Sample } from "./sample.ts";
import { parseWorkload } from "./workloads.ts";

const DIRECT = ["bare", "ours"] as const;
const BURSTS = ["text-20000", "text-100000", "thinking-20000", "thinking-100000"] as const;
const PACED = "text-2000-paced";
const TOOLS = ["tool-1000", "tool-10000", "tool-40000"] as const;
/** Fewer in the host, where each comes with a start of pi. */
const IN_HOST = [
	"text-20000",
	"text-100000",
	"thinking-20000",
	PACED,
	"tool-1000",
	"tool-10000",
] as const;

/** Largest ratio to pi's own provider, by host and workload. */
const HOST_GOALS: Readonly<Record<Host, Readonly<Record<string, number>>>> = {
	"1.6.0": { burst: 0.5, paced: 0.75, "tool-1000": 0.5, "tool-10000": 0.5 },
	"1.3.0": { burst: 0.5, paced: 0.75, "tool-1000": 0.1, "tool-10000": 0.01 },
};
const MEGABYTE = 1024 * 1024;

/** The stream function by itself, against the floor. */
export async function directStreams(
	children: Children,
	samples: number,
): Promise<readonly Finding[]> {
	const found = new Map<string, readonly Sample[]>();
	for (const workload of [...BURSTS, PACED, ...TOOLS]) {
		const measure = (variant: string): Promise<Sample> =>
			children.run("client.ts", [variant, workload, children.plain]) as Promise<Sample>;
		await inTurns(DIRECT, samples, async (variant) => {
			const key = `${variant} ${workload}`;
			found.set(key, [...(found.get(key) ?? []), await measure(variant)]);
		});
	}
	const values = (variant: string, workload: string, what: keyof Sample): Values =>
		(found.get(`${variant} ${workload}`) ?? []).map((sample) => sample[what]);
	const ratio = (workload: string, goal: number): Finding =>
		ratioFinding(`direct ${workload}, CPU a delta : bare`, {
			ours: values("ours", workload, "cpu"),
			other: values("bare", workload, "cpu"),
			goal,
			unit: "µs",
		});
	const sized = (workload: string) => ({
		deltas: parseWorkload(workload).deltas,
		values: values("ours", workload, "cpu"),
	});
	const growth = (workload: string, goal: number): Finding =>
		limitFinding(`direct ${workload}, RSS growth`, {
			values: values("ours", workload, "growth").map((bytes) => bytes / MEGABYTE),
			goal,
			unit: "MB",
		});
	return [
		...BURSTS.map((workload) => ratio(workload, 1.4)),
		ratio(PACED, 1.15),
		...TOOLS.map((workload) => ratio(workload, 2)),
		exponentFinding("direct tool, exponent 1,000 to 40,000", sized(TOOLS[0]), sized(TOOLS[2]), 1.1),
		...[...BURSTS, ...TOOLS].map((workload) =>
			limitFinding(`direct ${workload}, longest stall`, {
				values: values("ours", workload, "stall"),
				goal: 30,
				unit: "ms",
			}),
		),
		growth("text-100000", 35),
		growth("tool-40000", 40),
	];
}

/** Through pi's registry, against pi's own provider in the same pi. */
export async function hostStreams(
	children: Children,
	samples: number,
): Promise<readonly Finding[]> {
	const findings: Finding[] = [];
	for (const model of IN_HOST) {
		const found = new Map<string, readonly Sample[]>();
		const variants = HOSTS.flatMap((host) =>
			(["pi", "ai-server"] as const).map((provider) => ({ host, provider })),
		);
		await inTurns(variants, samples, async ({ host, provider }) => {
			const key = `${host} ${provider}`;
			const before = found.get(key) ?? [];
			const order = { task: "sample", provider, model } as const;
			found.set(key, [...before, (await children.pi(host, order)) as Sample]);
		});
		for (const host of HOSTS) {
			const of = (provider: string, what: keyof Sample): Values =>
				(found.get(`${host} ${provider}`) ?? []).map((sample) => sample[what]);
			const kind = model === PACED ? "paced" : model.startsWith("tool") ? model : "burst";
			findings.push(
				ratioFinding(`pi ${host} ${model}, CPU a delta : pi's own`, {
					ours: of("ai-server", "cpu"),
					other: of("pi", "cpu"),
					goal: HOST_GOALS[host][kind] ?? 0,
					unit: "µs",
				}),
			);
			if (model === PACED) continue;
			const stall = { values: of("ai-server", "stall"), goal: 30, unit: "ms" };
			findings.push(limitFinding(`pi ${host} ${model}, longest stall`, stall));
		}
	}
	return findings;
}

/** Every variant once a round, forwards and backwards, so that none is always the first. */
async function inTurns<T>(
	variants: readonly T[],
	rounds: number,
	run: (variant: T) => Promise<void>,
): Promise<void> {
	for (let round = 0; round < rounds; round += 1) {
		for (const variant of round % 2 === 0 ? variants : variants.toReversed()) await run(variant);
	}
}
